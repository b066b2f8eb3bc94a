"""Cloud Run v2: services, their revisions, jobs."""

from __future__ import annotations

from sandbox.services.registry import Service
from sandbox.services.run import jobs, services

SERVICE = Service(
    name="run",
    title="Cloud Run Admin API",
    prefix="google.cloud.run.v2",
    resources=(services.RunService, jobs.RunJob),
)
