"""Service Usage, v1 and v1beta1: which APIs a project has enabled, and its service agents."""

from __future__ import annotations

from sandbox.services.registry import Service
from sandbox.services.serviceusage import methods, quota_metrics

SERVICE = Service(
    name="serviceusage",
    title="Service Usage API",
    prefix="google.api.serviceusage.v1",
    resources=(quota_metrics.AdminOverride, quota_metrics.ConsumerOverride),
    handlers={**methods.HANDLERS, **quota_metrics.HANDLERS},
)
