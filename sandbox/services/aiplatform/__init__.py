"""Vertex AI: publisher models that make images."""

from __future__ import annotations

from sandbox.services.aiplatform import batch, cache_config, generation
from sandbox.services.registry import Service

SERVICE = Service(
    name="aiplatform",
    title="Vertex AI API",
    prefix="google.cloud.aiplatform.v1",
    resources=(batch.BatchPredictionJob,),
    handlers={**generation.HANDLERS, **batch.HANDLERS, **cache_config.HANDLERS},
    targets=generation.TARGETS,
    resume=batch.resume,
)
