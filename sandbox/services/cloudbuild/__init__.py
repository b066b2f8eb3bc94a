"""Cloud Build, as far as functions need it: private worker pools, and the builds that deployments made."""

from __future__ import annotations

from sandbox.services.cloudbuild import builds, worker_pools
from sandbox.services.registry import Service

SERVICE = Service(
    name="cloudbuild",
    title="Cloud Build API",
    prefix="google.devtools.cloudbuild.v1",
    resources=(builds.Build, worker_pools.WorkerPool),
    handlers=builds.HANDLERS,
    refused=frozenset({"cloudbuild.builds.create"}),
)
