"""Cloud Build, as far as functions need it: private worker pools, triggers, and the builds that deployments made."""

from __future__ import annotations

from sandbox.services.cloudbuild import builds, triggers, worker_pools
from sandbox.services.registry import Service

SERVICE = Service(
    name="cloudbuild",
    title="Cloud Build API",
    prefix="google.devtools.cloudbuild.v1",
    resources=(builds.Build, triggers.Trigger, worker_pools.WorkerPool),
    handlers=builds.HANDLERS,
    refused=frozenset({"cloudbuild.builds.create"}),
)
