"""Incidents: which conditions of which policies hold, since when, until when.

Evaluated when somebody asks. Rules: https://docs.cloud.google.com/monitoring/alerts/concepts-indepth (read 2026-08).
"""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.audit import ENTRIES
from sandbox.errors import NotFound
from sandbox.paging import page
from sandbox.runtime.background import woken
from sandbox.services.logging.query import compile_filter as compile_log_filter
from sandbox.services.monitoring import promql
from sandbox.services.monitoring.aggregation import Aggregation, Series, numbers
from sandbox.services.monitoring.alert_policies import KIND as POLICIES
from sandbox.services.monitoring.burn_rates import burn_rate, is_burn_rate
from sandbox.services.monitoring.notifications import announce
from sandbox.services.monitoring.selection import select
from sandbox.services.monitoring.series import time

if TYPE_CHECKING:
    from sandbox.call import Call
    from sandbox.cloud import Cloud

Document = dict[str, Any]

KIND = "monitoring.alerts"
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "COMPARISON_GT": operator.gt,
    "COMPARISON_GE": operator.ge,
    "COMPARISON_LT": operator.lt,
    "COMPARISON_LE": operator.le,
    "COMPARISON_EQ": operator.eq,
    "COMPARISON_NE": operator.ne,
}
DEFAULT_PERIOD = 60.0
INTERVAL_SECONDS = 60.0
SHORTEST_INTERVAL = 30
#: Evaluations of a PromQL condition that are looked back at.
MOST_STEPS = 30


def seconds(text: str) -> timedelta:
    """A duration such as ``300s``."""
    return timedelta(seconds=float(text.removesuffix("s") or 0))


def evaluate(cloud: Cloud, project: str) -> list[Document]:
    """Open and close the incidents of a project as its series stand now; returns all of them, newest first."""
    now = cloud.clock.now()
    for name, policy in cloud.store.items(POLICIES, f"projects/{project}/alertPolicies"):
        holding = violated(cloud, project, policy, now) if policy.get("enabled", True) else None
        settle(cloud, project, name, policy, holding)
    return cloud.store.documents(KIND, f"projects/{project}/alerts")[::-1]


def violated(cloud: Cloud, project: str, policy: Document, now: datetime) -> Series | None:
    """The series by which a policy holds; None when it does not."""
    found = [condition_holds(cloud, project, condition, now) for condition in policy["conditions"]]
    if policy["combiner"] == "OR":
        return next((series for series in found if series), None)
    return found[0] if all(found) else None


def condition_holds(cloud: Cloud, project: str, condition: Document, now: datetime) -> Series | None:
    """The first series for which a condition holds; None when it holds for none."""
    if threshold := condition.get("conditionThreshold"):
        return threshold_holds(cloud, project, threshold, now)
    if absence := condition.get("conditionAbsent"):
        return absence_holds(cloud, project, absence, now)
    if match := condition.get("conditionMatchedLog"):
        return log_matches(cloud, project, match, now)
    if query := condition.get("conditionPrometheusQueryLanguage"):
        return promql.holding(cloud, project, query["query"], moments(query, now))
    return None


def moments(query: Document, now: datetime) -> list[datetime]:
    """When a query must have had an answer: now, and at each evaluation within its duration."""
    interval = max(seconds(query.get("evaluationInterval", "30s")), timedelta(seconds=SHORTEST_INTERVAL))
    steps = min(MOST_STEPS, int(seconds(query.get("duration", "0s")) / interval))
    return [now - step * interval for step in range(steps + 1)]


def aggregated(
    cloud: Cloud, project: str, text: str, steps: list[Document], window: timedelta, now: datetime
) -> list[Series]:
    """Series of a filter in the time before ``now`` that a condition looks at."""
    aggregations = [Aggregation.read(step) for step in steps]
    longest = max((step.period for step in aggregations), default=timedelta(seconds=DEFAULT_PERIOD))
    start = now - max(window, longest, timedelta(seconds=DEFAULT_PERIOD))
    found = []
    for series in select(cloud, project, text):
        series.points = [point for point in series.points if start < point.end <= now]
        if series.points:
            found.append(series)
    for step in aggregations:
        found = step.apply(found, start, now)
    return found


def threshold_holds(cloud: Cloud, project: str, threshold: Document, now: datetime) -> Series | None:
    """Every value within the duration is beyond the threshold; with a duration of zero, the latest."""
    duration = seconds(threshold.get("duration", "0s"))
    steps = threshold.get("aggregations", [])
    if is_burn_rate(threshold["filter"]):
        rate = burn_rate(cloud, project, threshold["filter"], now)
        found = [rate] if rate else []
    else:
        found = aggregated(cloud, project, threshold["filter"], steps, duration, now)
    if below := threshold.get("denominatorFilter"):
        divisors = aggregated(cloud, project, below, threshold.get("denominatorAggregations", []), duration, now)
        found = ratios(found, divisors)
    compare = COMPARISONS[threshold.get("comparison", "COMPARISON_GT")]
    limit = float(threshold.get("thresholdValue", 0))
    beyond = []
    for series in found:
        values = numbers(series.points)
        watched = values if duration else values[-1:]
        if watched and all(compare(value, limit) for value in watched):
            beyond.append(series)
    trigger = threshold.get("trigger", {})
    needed = int(trigger.get("count", 1))
    if "percent" in trigger:
        needed = max(1, round(len(found) * float(trigger["percent"]) / 100))
    return beyond[0] if beyond and len(beyond) >= needed else None


def ratios(found: list[Series], divisors: list[Series]) -> list[Series]:
    """Each series divided by the one of the same labels, or by the only one."""
    by_labels = {(str(s.metric.get("labels")), str(s.resource.get("labels"))): s for s in divisors}
    answer = []
    for series in found:
        key = (str(series.metric.get("labels")), str(series.resource.get("labels")))
        divisor = by_labels.get(key) or (divisors[0] if len(divisors) == 1 else None)
        if divisor is None:
            continue
        below = dict(zip((point.end for point in divisor.points), numbers(divisor.points), strict=False))
        points = [
            type(point)(point.start, point.end, value / below[point.end])
            for point, value in zip(series.points, numbers(series.points), strict=False)
            if below.get(point.end)
        ]
        answer.append(Series(series.metric, series.resource, "GAUGE", "DOUBLE", points))
    return answer


def absence_holds(cloud: Cloud, project: str, absence: Document, now: datetime) -> Series | None:
    """A series that has been there before has no point within the duration."""
    since = now - seconds(absence["duration"])
    for series in select(cloud, project, absence["filter"]):
        if series.points and series.points[-1].end <= since:
            return series
    return None


def log_matches(cloud: Cloud, project: str, match: Document, now: datetime) -> Series | None:
    """An entry of the last five minutes matches."""
    admitted = compile_log_filter(match["filter"])
    for entry in cloud.store.latest_first(ENTRIES, f"projects/{project}/entries"):
        if now - time(entry["receiveTimestamp"]) > timedelta(minutes=5):
            break
        if admitted(entry):
            return Series({"type": ""}, entry["resource"], "GAUGE", "INT64")
    return None


def settle(cloud: Cloud, project: str, name: str, policy: Document, holding: Series | None) -> None:
    """Open an incident for a policy that holds, close that of one that does not."""
    parent = f"projects/{project}/alerts"
    opened = next(
        (
            (key, alert)
            for key, alert in cloud.store.items(KIND, parent)
            if alert["policy"]["name"] == name and alert["state"] == "OPEN"
        ),
        None,
    )
    if holding and opened is None:
        key = f"{parent}/0.{cloud.identifiers.hexadecimal('alerts', 12)}"
        alert = {
            "name": key,
            "state": "OPEN",
            "openTime": cloud.clock.timestamp(),
            "policy": {
                "name": name,
                "displayName": policy["displayName"],
                **({"userLabels": policy["userLabels"]} if policy.get("userLabels") else {}),
                **({"severity": policy["severity"]} if policy.get("severity") else {}),
            },
            "resource": holding.resource,
            **({"metric": holding.metric} if holding.metric.get("type") else {}),
        }
        cloud.store.put(KIND, key, alert)
        announce(cloud, project, policy, alert)
    elif opened and not holding:
        key, alert = opened
        closed = {**alert, "state": "CLOSED", "closeTime": cloud.clock.timestamp()}
        cloud.store.put(KIND, key, closed)
        announce(cloud, project, policy, closed)


def evaluate_all(cloud: Cloud) -> None:
    """Look at the policies of every project: when the clock was moved, and from time to time."""
    for project in {name.split("/")[1] for name in cloud.store.names(POLICIES).get(POLICIES, ())}:
        evaluate(cloud, project)


def watch(cloud: Cloud) -> None:
    """Evaluate in the background, so that channels hear of an incident that nobody asked for."""

    async def every_minute(event: asyncio.Event) -> None:
        while True:
            await woken(event, INTERVAL_SECONDS)
            with cloud.store.transaction():
                evaluate_all(cloud)

    cloud.background.wake(KIND, every_minute)


def listing(call: Call) -> Document:
    """Incidents of a project; the filter may be ``state = "OPEN"`` or ``"CLOSED"``."""
    found = evaluate(call.cloud, call.project or "")
    text = call.query.get("filter", "")
    for state in ("OPEN", "CLOSED"):
        if state in text:
            found = [alert for alert in found if alert["state"] == state]
    shown, following = page(found, call.query)
    return {
        **({"alerts": shown, "totalSize": len(found)} if found else {}),
        **({"nextPageToken": following} if following else {}),
    }


def get(call: Call) -> Document:
    """One incident."""
    evaluate(call.cloud, call.project or "")
    alert = call.cloud.store.get(KIND, call.name)
    if alert is None:
        raise NotFound(f"Cannot find alert {call.name}.")
    return alert


HANDLERS = {"monitoring.alerts.list": listing, "monitoring.alerts.get": get}
