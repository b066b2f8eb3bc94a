"""Cloud Run v2: services and their revisions."""

from __future__ import annotations

from sandbox.services.registry import Service
from sandbox.services.run import services

SERVICE = Service(
    name="run",
    title="Cloud Run Admin API",
    prefix="google.cloud.run.v2",
    resources=(services.RunService,),
)
