"""How fast the error budget of an objective is used up: the selector ``select_slo_burn_rate``.

https://docs.cloud.google.com/stackdriver/docs/solutions/slo-monitoring/api/timeseries-selectors (read 2026-11).
"""

from __future__ import annotations

import bisect
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.errors import InvalidArgument
from sandbox.services.monitoring.aggregation import Point, Series, numbers, together
from sandbox.services.monitoring.selection import select

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]

OBJECTIVES = "monitoring.serviceLevelObjectives"
SELECTOR = re.compile(
    r'\s*select_slo_burn_rate\(\s*"(?P<objective>[^"]+)"\s*,\s*"(?P<window>\d+)(?P<unit>[smhd])"\s*\)\s*'
)
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def is_burn_rate(text: str) -> bool:
    """Whether a filter is this selector."""
    return text.lstrip().startswith("select_slo_burn_rate(")


def read(cloud: Cloud, text: str) -> tuple[Document, timedelta]:
    """The objective that a selector names, and its window.

    Raises:
        InvalidArgument: the selector cannot be read, or there is no such objective.
    """
    found = SELECTOR.fullmatch(text)
    objective = found and cloud.store.get(OBJECTIVES, cloud.hierarchy.canonical(found["objective"]))
    if not found or objective is None:
        raise InvalidArgument(
            f'Field alert_policy.conditions[0].condition_threshold.filter had an invalid value of "{text}": '
            "The service level objective does not exist."
        )
    return objective, timedelta(seconds=int(found["window"]) * UNITS[found["unit"]])


def burn_rate(cloud: Cloud, project: str, text: str, now: datetime) -> Series | None:
    """The rate as a series of one point; None when there was nothing to judge within the window.

    One means that the budget lasts exactly for the objective's period.
    """
    objective, window = read(cloud, text)
    good, total = counted(cloud, project, objective["serviceLevelIndicator"], now - window, now)
    if not total:
        return None
    rate = (1 - good / total) / (1 - float(objective["goal"]))
    labels = {"project_id": project}
    return Series({"type": ""}, {"type": "global", "labels": labels}, "GAUGE", "DOUBLE", [Point(now, now, rate)])


def counted(cloud: Cloud, project: str, indicator: Document, start: datetime, end: datetime) -> tuple[float, float]:
    """Good events and all of them; of an indicator that is not by request, none."""
    by_request = indicator.get("requestBased", {})
    if ratio := by_request.get("goodTotalRatio"):
        amounts = {
            name: sum(sum(numbers(inside(series, start, end))) for series in select(cloud, project, ratio[name]))
            for name in ("goodServiceFilter", "badServiceFilter", "totalServiceFilter")
            if name in ratio
        }
        bad = amounts.get("badServiceFilter", 0.0)
        total = amounts.get("totalServiceFilter", amounts.get("goodServiceFilter", 0.0) + bad)
        return amounts.get("goodServiceFilter", total - bad), total
    if cut := by_request.get("distributionCut"):
        good = total = 0.0
        least, most = float(cut["range"].get("min", 0)), float(cut["range"].get("max", "inf"))
        for series in select(cloud, project, cut["distributionFilter"]):
            whole = together(inside(series, start, end))
            if whole is not None:
                total += whole.count
                first, last = bisect.bisect_right(whole.options, least), bisect.bisect_left(whole.options, most)
                good += sum(whole.counts[first : last + 1])
        return good, total
    return 0.0, 0.0


def inside(series: Series, start: datetime, end: datetime) -> list[Point]:
    """Points that ended within a time."""
    return [point for point in series.points if start < point.end <= end]
