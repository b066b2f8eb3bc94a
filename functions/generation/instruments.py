"""OpenTelemetry's instruments, and the exporters behind them."""

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from google.auth.credentials import Credentials
from google.auth.transport.requests import AuthorizedSession
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    TraceFlags,
    Tracer,
    set_span_in_context,
)

from generation.cloud_monitoring import MonitoringExporter
from generation.cloud_trace import TraceExporter
from generation.settings import Settings

NAME = "plantain"
EXPORT_MILLISECONDS = 60_000
"""Cloud Monitoring takes a point of a series every five seconds at most; a minute is what its alerts look at."""
SAMPLED_WITHOUT_PARENT = 0.01
BOUNDS_MS = (5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000)
STAGES = ("queue", "model", "store", "total")
CLOUD = re.compile(r"^([0-9a-f]{32})/([0-9]{1,20})(?:;o=([0-9]))?")
PARENT = re.compile(r"^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$")


class Instruments:
    """One meter, one tracer."""

    def __init__(self, settings: Settings, credentials: Credentials, session: AuthorizedSession | None = None) -> None:
        self.tracer: Tracer | None = None
        self._session = session or AuthorizedSession(credentials)
        self._tracers: TracerProvider | None = None
        self._meters: MeterProvider | None = None
        self._instance = os.environ.get("K_REVISION", NAME)
        if "traces" in settings.telemetry:
            sampler = ParentBased(TraceIdRatioBased(SAMPLED_WITHOUT_PARENT))
            self._tracers = TracerProvider(sampler=sampler)
            self._tracers.add_span_processor(BatchSpanProcessor(TraceExporter(settings, self._session)))
            self.tracer = self._tracers.get_tracer(NAME)
        if "metrics" in settings.telemetry:
            self._make_meters(settings)

    def _make_meters(self, settings: Settings) -> None:
        exporter = MonitoringExporter(settings, self._session)
        reader = PeriodicExportingMetricReader(exporter, export_interval_millis=EXPORT_MILLISECONDS)
        buckets = View(instrument_name="latency", aggregation=ExplicitBucketHistogramAggregation(BOUNDS_MS))
        self._meters = MeterProvider(metric_readers=[reader], views=[buckets])
        meter = self._meters.get_meter(NAME)
        self._meter = meter
        self._outcomes = meter.create_counter("outcomes", unit="1", description="Answers to requests for images.")
        self._images = meter.create_counter("images", unit="1", description="Images made.")
        self._tokens = meter.create_counter("tokens", unit="1", description="Tokens used.")
        self._cost = meter.create_counter("cost", unit="USD", description="Cost by the table of prices.")
        self._latency = meter.create_histogram("latency", unit="ms", description="Time by stage.")

    def observe(self, name: str, read: Callable[[], float]) -> None:
        """A gauge."""
        if self._meters is None:
            return

        def callback(_: CallbackOptions) -> Iterable[Observation]:
            return [Observation(read())]

        self._meter.create_observable_gauge(name, callbacks=[callback])

    def outcome(self, document: Mapping[str, Any]) -> None:
        """Count what a log line says."""
        if self._meters is None:
            return
        model = document.get("model", "")
        cached = str(bool(document.get("cached"))).lower()
        kind = document.get("class", "ok")
        self._outcomes.add(1, {"model": model, "class": kind, "reason": document.get("reason", ""), "cached": cached})
        if document.get("images") and not document.get("cached"):
            self._images.add(document["images"], {"model": model})
        if document.get("tokens"):
            self._tokens.add(document["tokens"], {"model": model})
        if document.get("cost"):
            self._cost.add(document["cost"]["amount"], {"model": model})
        timing = document.get("timing") or {"totalMs": document.get("latencyMs", 0)}
        for stage in STAGES:
            if f"{stage}Ms" in timing:
                self._latency.record(timing[f"{stage}Ms"], {"model": model, "stage": stage, "cached": cached})

    @contextlib.contextmanager
    def request(self, headers: Mapping[str, str], route: str) -> Iterator[None]:
        """A request's span, below the one its headers name."""
        if self.tracer is None:
            yield
            return
        parent = _parent(headers)
        context = set_span_in_context(NonRecordingSpan(parent)) if parent else None
        with self.tracer.start_as_current_span(
            route, context=context, kind=SpanKind.SERVER, record_exception=False, set_status_on_exception=False
        ):
            yield

    def close(self) -> None:
        """Send what is left."""
        for provider in (self._tracers, self._meters):
            if provider is not None:
                provider.shutdown()
        self._session.close()


def _parent(headers: Mapping[str, str]) -> SpanContext | None:
    w3c = PARENT.match(headers.get("traceparent", ""))
    if w3c:
        flags = TraceFlags(int(w3c[3], 16))
        return SpanContext(int(w3c[1], 16), int(w3c[2], 16), is_remote=True, trace_flags=flags)
    cloud = CLOUD.match(headers.get("x-cloud-trace-context", ""))
    if cloud:
        flags = TraceFlags(int(cloud[3] or 0) & 1)
        return SpanContext(int(cloud[1], 16), int(cloud[2]), is_remote=True, trace_flags=flags)
    return None
