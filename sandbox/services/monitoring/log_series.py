"""Time series of log-based metrics, counted from the entries when they are asked for and there are new ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.audit import ENTRIES
from sandbox.services.logging.metrics import KIND as LOG_METRICS
from sandbox.services.logging.metrics import extract
from sandbox.services.logging.query import compile_filter
from sandbox.services.monitoring.aggregation import Point, Series, Value
from sandbox.services.monitoring.distributions import DEFAULT_BUCKETS, Distribution
from sandbox.services.monitoring.series import series_name, time

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]


@dataclass
class Counted:
    """What one metric has counted for one monitored resource.

    Attributes:
        metric, resource: type and labels.
        descriptor: of the metric.
        buckets: of its distribution.
        values: by the minute in which the entries were.
        latest: the last entry of each minute.
    """

    metric: Document
    resource: Document
    descriptor: Document
    buckets: Document
    values: dict[datetime, list[float]] = field(default_factory=dict)
    latest: dict[datetime, datetime] = field(default_factory=dict)

    def add(self, moment: datetime, value: float) -> None:
        """Count an entry."""
        minute = moment.replace(second=0, microsecond=0)
        self.values.setdefault(minute, []).append(value)
        self.latest[minute] = max(moment, self.latest.get(minute, moment))

    def series(self, now: datetime) -> Series:
        """One point for each minute; the running one ends with its last entry, so that what was just logged is seen."""
        found = Series(self.metric, self.resource, self.descriptor["metricKind"], self.descriptor["valueType"])
        for minute, values in sorted(self.values.items()):
            total: Value = sum(values)
            if found.value_type == "DISTRIBUTION":
                total = Distribution.of(values, self.buckets)
            end = minute + timedelta(minutes=1)
            found.points.append(Point(minute, end if end <= now else self.latest[minute], total))
        return found


def from_logs(cloud: Cloud, project: str) -> list[Series]:
    """The series of all log-based metrics, one point for each minute with matching entries."""
    metrics = cloud.store.documents(LOG_METRICS, f"projects/{project}/metrics")
    if not metrics:
        return []
    parent = f"projects/{project}/entries"
    # Each condition of each alert policy asks for them, and entries are thousands: they are counted once.
    stamp = (metrics, cloud.store.extent(ENTRIES, parent))
    known = cloud.log_series.get(project)
    if known is None or known[0] != stamp:
        known = cloud.log_series[project] = (stamp, counted(project, metrics, cloud.store.documents(ENTRIES, parent)))
    now = cloud.clock.now()
    return [one.series(now) for one in known[1]]


def counted(project: str, metrics: Iterable[Document], entries: Iterable[Document]) -> list[Counted]:
    """What the metrics count in the entries since they were made."""
    found: dict[str, Counted] = {}
    for metric in metrics:
        if metric.get("disabled"):
            continue
        admitted = compile_filter(metric["filter"])
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
            if key not in found:
                found[key] = Counted(own, resource, descriptor, metric.get("bucketOptions", DEFAULT_BUCKETS))
            found[key].add(time(entry["timestamp"]), value)
    return list(found.values())
