"""Time series that a filter admits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.services.monitoring.aggregation import Point, Series
from sandbox.services.monitoring.filters import compile_filter
from sandbox.services.monitoring.log_series import from_logs
from sandbox.services.monitoring.series import KIND, read_value, time

if TYPE_CHECKING:
    from sandbox.cloud import Cloud


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
