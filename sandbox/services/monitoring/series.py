"""Time series: written by callers and by the sandbox itself, counted from log entries, listed with aggregation."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.audit import ENTRIES
from sandbox.errors import InvalidArgument
from sandbox.paging import page
from sandbox.services.logging.descriptors import TYPES
from sandbox.services.logging.metrics import KIND as LOG_METRICS
from sandbox.services.logging.metrics import extract
from sandbox.services.logging.query import compile_filter as compile_log_filter
from sandbox.services.monitoring import descriptors
from sandbox.services.monitoring.aggregation import Aggregation, Point, Series, Value
from sandbox.services.monitoring.distributions import DEFAULT_BUCKETS, Distribution
from sandbox.services.monitoring.filters import compile_filter

if TYPE_CHECKING:
    from sandbox.call import Call
    from sandbox.cloud import Cloud

Document = dict[str, Any]

KIND = "monitoring.timeSeries"
MOST_POINTS = 2000
#: The sandbox's own points that fall into one such time are one point.
MERGED = timedelta(seconds=10)
MOST_SERIES = 200
AHEAD = timedelta(minutes=5)
OLDEST = timedelta(hours=25)
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


def create(call: Call) -> Document:
    """Write points of the caller's own metrics.

    Raises:
        InvalidArgument: a series is malformed, or its point does not follow those before it.
    """
    written = call.body.get("timeSeries", [])
    if not 0 < len(written) <= MOST_SERIES:
        raise InvalidArgument(f"Field timeSeries must hold 1 to {MOST_SERIES} time series, not {len(written)}.")
    for index, series in enumerate(written):
        write(call, f"timeSeries[{index}]", series)
    return {}


def write(call: Call, path: str, series: Document) -> None:
    """Check and store one series of a request."""
    kind = series.get("metric", {}).get("type", "")
    if not kind.startswith(descriptors.OWN):
        raise InvalidArgument(
            f'Field {path}.metric.type had an invalid value of "{kind}": one of {", ".join(descriptors.OWN)}'
        )
    points = series.get("points", [])
    if len(points) != 1:
        raise InvalidArgument(f"Field {path}.points must hold exactly one point, not {len(points)}.")
    value = points[0].get("value", {})
    value_type = next((name for name, field in FIELDS.items() if field in value), None)
    if value_type is None:
        raise InvalidArgument(f"Field {path}.points[0].value must be set.")
    project = call.project or ""
    found = descriptors.find(call.cloud, project, kind)
    metric_kind = (found or {}).get("metricKind") or series.get("metricKind", "GAUGE")
    if found and found["valueType"] != value_type:
        raise InvalidArgument(
            f"Field {path}.points[0].value had a type of {value_type}: the metric {kind} is {found['valueType']}."
        )
    if found is None:
        define(call, kind, metric_kind, value_type, series.get("metric", {}).get("labels", {}))
    interval = points[0].get("interval", {})
    end = time(interval.get("endTime") or call.cloud.clock.timestamp())
    now = call.cloud.clock.now()
    if end > now + AHEAD or end < now - OLDEST:
        raise InvalidArgument(
            f"Field {path}.points[0].interval.end_time had an invalid value: at most 25 hours ago and 5 minutes ahead."
        )
    start = time(interval["startTime"]) if interval.get("startTime") else end
    if metric_kind != "GAUGE" and start >= end:
        raise InvalidArgument(f"Field {path}.points[0].interval.start_time must be before the end of a {metric_kind}.")
    resource = series.get("resource") or {"type": "global"}
    resource = {"type": resource.get("type", "global"), "labels": {"project_id": project, **resource.get("labels", {})}}
    document = {"metric": series["metric"], "resource": resource, "metricKind": metric_kind, "valueType": value_type}
    stored = call.cloud.store.get(KIND, series_name(project, document["metric"], resource))
    if stored and time(stored["points"][-1]["interval"]["endTime"]) >= end:
        raise InvalidArgument(
            "One or more TimeSeries could not be written: Points must be written in order. One or more of the points "
            f"specified had an older end time than the most recent point: {path}"
        )
    point = {"interval": {"startTime": timestamp(start), "endTime": timestamp(end)}, "value": value}
    append(call.cloud, project, document, point)


def define(call: Call, kind: str, metric_kind: str, value_type: str, labels: Mapping[str, str]) -> None:
    """The descriptor that comes into being with the first point."""
    name = f"projects/{call.project}/metricDescriptors/{kind}"
    document: Document = {"name": name, "type": kind, "metricKind": metric_kind, "valueType": value_type, "unit": "1"}
    if labels:
        document["labels"] = [{"key": label} for label in sorted(labels)]
    call.cloud.store.put(descriptors.KIND, name, {**document, "monitoredResourceTypes": list(TYPES)})


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


def select(cloud: Cloud, project: str, text: str) -> list[Series]:
    """All series of a project that a filter admits, those counted from logs included."""
    admitted = compile_filter(text)
    found = []
    for document in cloud.store.documents(KIND, f"projects/{project}/timeSeries"):
        if admitted({"metric": document["metric"], "resource": document["resource"], "project": project}):
            points = [
                Point(
                    time(point["interval"]["startTime"]),
                    time(point["interval"]["endTime"]),
                    read_value(point["value"], document["valueType"]),
                )
                for point in document["points"]
            ]
            found.append(
                Series(document["metric"], document["resource"], document["metricKind"], document["valueType"], points)
            )
    counted = from_logs(cloud, project)
    return found + [
        series
        for series in counted
        if admitted({"metric": series.metric, "resource": series.resource, "project": project})
    ]


def from_logs(cloud: Cloud, project: str) -> list[Series]:
    """The series of all log-based metrics, one point for each minute with matching entries."""
    found: dict[str, Series] = {}
    gathered: dict[tuple[str, datetime], list[float]] = {}
    latest: dict[tuple[str, datetime], datetime] = {}
    options: dict[str, Document] = {}
    entries = cloud.store.documents(ENTRIES, f"projects/{project}/entries")
    for metric in cloud.store.documents(LOG_METRICS, f"projects/{project}/metrics"):
        if metric.get("disabled"):
            continue
        admitted = compile_log_filter(metric["filter"])
        for entry in entries:
            if entry["receiveTimestamp"] < metric["createTime"] or not admitted(entry):
                continue
            value = 1.0
            if extractor := metric.get("valueExtractor"):
                try:
                    value = float(extract(extractor, entry) or "")
                except ValueError:
                    continue
            labels = {key: extract(e, entry) or "" for key, e in metric.get("labelExtractors", {}).items()}
            descriptor = metric["metricDescriptor"]
            own = {"type": descriptor["type"], **({"labels": labels} if labels else {})}
            resource = {"type": entry["resource"]["type"], "labels": entry["resource"].get("labels", {})}
            key = series_name(project, own, resource)
            found.setdefault(key, Series(own, resource, descriptor["metricKind"], descriptor["valueType"]))
            options[key] = metric.get("bucketOptions", DEFAULT_BUCKETS)
            moment = time(entry["timestamp"])
            minute = moment.replace(second=0, microsecond=0)
            gathered.setdefault((key, minute), []).append(value)
            latest[key, minute] = max(moment, latest.get((key, minute), moment))
    now = cloud.clock.now()
    for (key, minute), values in sorted(gathered.items(), key=lambda item: item[0][1]):
        total: Value = sum(values)
        if found[key].value_type == "DISTRIBUTION":
            total = Distribution.of(values, options[key])
        end = minute + timedelta(minutes=1)
        # The running minute ends with its last entry, so that what was just logged is seen.
        found[key].points.append(Point(minute, end if end <= now else latest[key, minute], total))
    return list(found.values())


def several(query: Mapping[str, str], name: str) -> list[str]:
    """All values of a repeated query parameter."""
    getlist = getattr(query, "getlist", None)
    if getlist:
        return [str(value) for value in getlist(name)]
    return [query[name]] if name in query else []


def steps(call: Call) -> list[Aggregation]:
    """The aggregations of a list call, in their order."""
    found = []
    for prefix in ("aggregation", "secondaryAggregation"):
        document: Document = {
            field: call.query[f"{prefix}.{field}"]
            for field in ("alignmentPeriod", "perSeriesAligner", "crossSeriesReducer")
            if f"{prefix}.{field}" in call.query
        }
        document["groupByFields"] = several(call.query, f"{prefix}.groupByFields")
        found.append(Aggregation.read(document))
    return found


def listing(call: Call) -> Document:
    """Series by filter within an interval, aggregated when asked for."""
    text = call.query.get("filter", "")
    if not text:
        raise InvalidArgument("Field filter must be set: a metric.type at least.")
    if "interval.endTime" not in call.query:
        raise InvalidArgument("Field interval.endTime must be set.")
    end = time(call.query["interval.endTime"])
    start = end - timedelta(microseconds=1)
    if "interval.startTime" in call.query:
        start = time(call.query["interval.startTime"])
    if start > end:
        raise InvalidArgument("Field interval.startTime must not be after interval.endTime.")
    parent = call.name.removesuffix("/timeSeries")
    found: list[Series] = []
    for project in projects_of(call, parent):
        for series in select(call.cloud, project, text):
            series.points = [point for point in series.points if start < point.end <= end]
            if series.points:
                found.append(series)
    for step in steps(call):
        found = step.apply(found, start, end)
    shown, following = page(found, call.query)
    headers_only = call.query.get("view") == "HEADERS"
    answer: Document = {"timeSeries": [view(series, points=not headers_only) for series in shown]} if shown else {}
    return {**answer, "nextPageToken": following} if following else answer


def projects_of(call: Call, parent: str) -> list[str]:
    """The projects whose series a parent shows: of a project those of its metrics scope."""
    if parent.startswith("projects/"):
        own = parent.partition("/")[2]
        number = call.cloud.hierarchy.project_number(own)
        scope = f"locations/global/metricsScopes/{number}/projects"
        others = call.cloud.store.documents("monitoring.monitoredProjects", scope)
        known = [call.cloud.hierarchy.project(other["name"].rpartition("/")[2]) for other in others]
        return [own, *(project["projectId"] for project in known if project)]
    return [
        project["projectId"]
        for project in call.cloud.projects()
        if parent in call.cloud.hierarchy.ancestors(f"projects/{project['projectId']}")
    ]


def view(series: Series, *, points: bool) -> Document:
    """A series as the API shows it, newest point first."""
    document: Document = {
        "metric": series.metric,
        "resource": series.resource,
        "metricKind": series.kind,
        "valueType": series.value_type,
    }
    if points:
        document["points"] = [
            {
                "interval": {"startTime": timestamp(point.start), "endTime": timestamp(point.end)},
                "value": write_value(point.value, series.value_type),
            }
            for point in reversed(series.points)
        ]
    return document


HANDLERS = {
    "monitoring.timeSeries.create": create,
    "monitoring.timeSeries.createService": create,
    "monitoring.timeSeries.list": listing,
}
