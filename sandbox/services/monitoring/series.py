"""Time series as they are kept: names, values, points, and what the sandbox's own services write about themselves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.errors import InvalidArgument
from sandbox.services.monitoring import descriptors
from sandbox.services.monitoring.aggregation import Value
from sandbox.services.monitoring.distributions import DEFAULT_BUCKETS, Distribution

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]

KIND = "monitoring.timeSeries"
MOST_POINTS = 2000
#: The sandbox's own points that fall into one such time are one point.
MERGED = timedelta(seconds=10)
FIELDS = {
    "BOOL": "boolValue",
    "INT64": "int64Value",
    "DOUBLE": "doubleValue",
    "STRING": "stringValue",
    "DISTRIBUTION": "distributionValue",
}


def time(text: str) -> datetime:
    """An RFC 3339 time.

    Raises:
        InvalidArgument: it is none.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidArgument(f'Field interval had an invalid value of "{text}": not RFC 3339.') from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def timestamp(moment: datetime) -> str:
    """RFC 3339 with microseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def series_name(project: str, metric: Document, resource: Document) -> str:
    """Where a series is kept."""
    text = json.dumps([metric, resource], sort_keys=True)
    return f"projects/{project}/timeSeries/{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def record(
    cloud: Cloud,
    project: str,
    metric: str,
    value: float | list[float],
    *,
    labels: Mapping[str, str] | None = None,
    resource: tuple[str, Mapping[str, str]] = ("global", {}),
    moment: datetime | None = None,
) -> None:
    """Write one point of a Google metric, as a service of the sandbox does about itself.

    Args:
        cloud: the sandbox.
        project: id of the project that the series belongs to.
        metric: a type of ``metrics.json``.
        value: the number; for a distribution the numbers that it is made of.
        labels: metric labels.
        resource: type and labels of the monitored resource; ``project_id`` is added.
        moment: when; now unless given.

    Raises:
        KeyError: the metric is not in ``metrics.json``.
    """
    descriptor = descriptors.built_in()[metric]
    now = moment or cloud.clock.now()
    start = now - timedelta(seconds=1) if descriptor["metricKind"] == "DELTA" else now
    if isinstance(value, list):
        typed: Document = {"distributionValue": Distribution.of(value, DEFAULT_BUCKETS).write()}
    else:
        typed = write_value(value, descriptor["valueType"])
    document = {
        "metric": {"type": metric, **({"labels": dict(labels)} if labels else {})},
        "resource": {"type": resource[0], "labels": {"project_id": project, **resource[1]}},
        "metricKind": descriptor["metricKind"],
        "valueType": descriptor["valueType"],
    }
    point = {"interval": {"startTime": timestamp(start), "endTime": timestamp(now)}, "value": typed}
    name = series_name(project, document["metric"], document["resource"])
    stored = cloud.store.get(KIND, name)
    last = stored["points"][-1] if stored else None
    if stored and last and period_of(time(last["interval"]["endTime"])) == period_of(now):
        last["value"] = joined(last["value"], typed, document)
        last["interval"]["endTime"] = max(last["interval"]["endTime"], point["interval"]["endTime"])
        cloud.store.put(KIND, name, stored)
    else:
        append(cloud, project, document, point)


def period_of(moment: datetime) -> int:
    """Number of the merging period that a time falls into."""
    return int(moment.timestamp() // MERGED.total_seconds())


def joined(earlier: Document, later: Document, document: Document) -> Document:
    """Two values of one period: what was counted adds up, of a gauge the higher one is kept."""
    kind = document["valueType"]
    first, second = read_value(earlier, kind), read_value(later, kind)
    if isinstance(first, Distribution) and isinstance(second, Distribution):
        return write_value(first.merged(second), kind)
    if isinstance(first, float) and isinstance(second, float):
        return write_value(first + second if document["metricKind"] == "DELTA" else max(first, second), kind)
    return later


def append(cloud: Cloud, project: str, document: Document, point: Document) -> None:
    """Add a point at the end of its series."""
    name = series_name(project, document["metric"], document["resource"])
    stored = cloud.store.get(KIND, name) or {**document, "points": []}
    stored["points"] = [*stored["points"], point][-MOST_POINTS:]
    cloud.store.put(KIND, name, stored)


def read_value(document: Document, value_type: str) -> Value:
    """A typed value as a number, a text or a distribution."""
    value = document.get(FIELDS[value_type])
    if value_type == "DISTRIBUTION":
        return Distribution.read(value or {})
    if value_type == "STRING":
        return str(value or "")
    return float(value or 0)


def write_value(value: Value, value_type: str) -> Document:
    """A number, a text or a distribution as a typed value."""
    if isinstance(value, Distribution):
        return {"distributionValue": value.write()}
    if isinstance(value, str):
        return {"stringValue": value}
    if value_type == "INT64":
        return {"int64Value": str(round(value))}
    return {"boolValue": bool(value)} if value_type == "BOOL" else {"doubleValue": value}
