"""Time series of log-based metrics, counted from the entries when they are asked for."""

from __future__ import annotations

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
