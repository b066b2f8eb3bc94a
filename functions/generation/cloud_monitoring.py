"""Sends metrics to Cloud Monitoring, as `workload.googleapis.com/plantain/<name>` on the resource generic_task."""

import datetime as dt
import os
import secrets
from typing import Any

import requests
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession
from opentelemetry.sdk.metrics.export import (
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricExporter,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
)

from generation.settings import Settings, origin_of

HOST = "monitoring.googleapis.com"
PREFIX = "workload.googleapis.com/plantain"
SECONDS = 10.0
BATCH = 200
"""Time series in one call (docs.cloud.google.com/monitoring/quotas, read 2026-08)."""
NANOSECONDS = 1_000_000_000


class MonitoringExporter(MetricExporter):
    """Cloud Monitoring, by REST."""

    def __init__(self, settings: Settings, session: AuthorizedSession) -> None:
        super().__init__()
        self._url = f"{origin_of(HOST, settings.endpoint)}/v3/projects/{settings.project}/timeSeries"
        self._session = session
        self._resource = {
            "type": "generic_task",
            "labels": {
                "project_id": settings.project,
                # Where the metric is kept; the model's location is no place where the function runs.
                "location": "global",
                "namespace": settings.campaign,
                "job": os.environ.get("K_SERVICE", "images"),
                # Two instances must not write the same series.
                "task_id": f"{os.environ.get('K_REVISION', 'local')}-{secrets.token_hex(4)}",
            },
        }

    def export(self, metrics_data: MetricsData, timeout_millis: float = SECONDS * 1000, **_: Any) -> MetricExportResult:
        """Send metrics; what cannot be sent comes with the next, as all are sums from the start."""
        series = [
            self._series(metric, point)
            for resource in metrics_data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            for point in metric.data.data_points
            if isinstance(point, NumberDataPoint | HistogramDataPoint)
        ]
        sent = [self._send(series[at : at + BATCH], timeout_millis / 1000) for at in range(0, len(series), BATCH)]
        return MetricExportResult.SUCCESS if all(sent) else MetricExportResult.FAILURE

    def force_flush(self, timeout_millis: float = SECONDS * 1000) -> bool:
        """Nothing is held back."""
        return True

    def shutdown(self, timeout_millis: float = SECONDS * 1000, **_: Any) -> None:
        """The session is closed by whom it belongs to."""

    def _send(self, series: list[dict[str, Any]], seconds: float) -> bool:
        try:
            return bool(self._session.post(self._url, json={"timeSeries": series}, timeout=seconds).ok)
        except (GoogleAuthError, requests.exceptions.RequestException):
            return False

    def _series(self, metric: Metric, point: NumberDataPoint | HistogramDataPoint) -> dict[str, Any]:
        gauge = isinstance(metric.data, Gauge)
        interval = {"endTime": _time(point.time_unix_nano)}
        if not gauge:
            interval["startTime"] = _time(point.start_time_unix_nano or 0)
        kind = "DISTRIBUTION" if isinstance(metric.data, Histogram) else "DOUBLE"
        return {
            "metric": {
                "type": f"{PREFIX}/{metric.name}",
                "labels": {key: str(value) for key, value in (point.attributes or {}).items()},
            },
            "resource": self._resource,
            "metricKind": "GAUGE" if gauge else "CUMULATIVE",
            "valueType": kind,
            "unit": metric.unit or "1",
            "points": [{"interval": interval, "value": _value(point)}],
        }


def _value(point: NumberDataPoint | HistogramDataPoint) -> dict[str, Any]:
    if isinstance(point, NumberDataPoint):
        return {"doubleValue": float(point.value)}
    mean = point.sum / point.count if point.count else 0.0
    return {
        "distributionValue": {
            "count": str(point.count),
            "mean": mean,
            "sumOfSquaredDeviation": 0.0,
            "bucketOptions": {"explicitBuckets": {"bounds": list(point.explicit_bounds)}},
            "bucketCounts": [str(count) for count in point.bucket_counts],
        }
    }


def _time(nanoseconds: int) -> str:
    at = dt.datetime.fromtimestamp(nanoseconds // NANOSECONDS, dt.UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{nanoseconds % NANOSECONDS:09}Z"
