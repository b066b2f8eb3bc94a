"""Vertex AI: publisher models that make images."""

from __future__ import annotations

from sandbox.services.aiplatform import generation
from sandbox.services.registry import Service

SERVICE = Service(
    name="aiplatform",
    title="Vertex AI API",
    prefix="google.cloud.aiplatform.v1",
    handlers=generation.HANDLERS,
    targets=generation.TARGETS,
)
