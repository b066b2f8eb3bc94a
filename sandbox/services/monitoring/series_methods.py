"""Methods on time series: write points of one's own metrics, list series with aggregation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sandbox.errors import InvalidArgument
from sandbox.paging import page
from sandbox.services.logging.descriptors import TYPES
from sandbox.services.monitoring import descriptors
from sandbox.services.monitoring.aggregation import Aggregation, Series
from sandbox.services.monitoring.selection import select
from sandbox.services.monitoring.series import FIELDS, KIND, append, series_name, time, timestamp, write_value

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]

MOST_SERIES = 200
AHEAD = timedelta(minutes=5)
OLDEST = timedelta(hours=25)


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
