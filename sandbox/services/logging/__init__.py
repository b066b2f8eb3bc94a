"""Cloud Logging, v2."""

from __future__ import annotations

from sandbox.services.logging import buckets, delivery, descriptors, entries, metrics, settings, sinks
from sandbox.services.registry import Service

SERVICE = Service(
    name="logging",
    title="Cloud Logging API",
    prefix="google.logging.v2",
    resources=(
        buckets.Bucket,
        buckets.Link,
        buckets.View,
        metrics.Metric,
        sinks.Exclusion,
        sinks.Sink,
    ),
    handlers={**buckets.HANDLERS, **descriptors.HANDLERS, **entries.HANDLERS, **settings.HANDLERS},
    targets=entries.TARGETS,
    consumer=entries.consumer,
    resume=delivery.watch,
)
