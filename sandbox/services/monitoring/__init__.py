"""Cloud Monitoring, v1 (dashboards, metrics scopes) and v3."""

from __future__ import annotations

from sandbox.services.monitoring import (
    alert_policies,
    alerts,
    dashboards,
    descriptors,
    groups,
    notification_channels,
    scopes,
    series_methods,
    services,
    verification,
)
from sandbox.services.registry import Service

SERVICE = Service(
    name="monitoring",
    title="Cloud Monitoring API",
    prefix="google.monitoring.v3",
    resources=(
        alert_policies.AlertPolicy,
        dashboards.Dashboard,
        groups.Group,
        groups.UptimeCheck,
        notification_channels.NotificationChannel,
        services.Objective,
        services.Service,
    ),
    handlers={
        **alerts.HANDLERS,
        **descriptors.HANDLERS,
        **groups.HANDLERS,
        **notification_channels.HANDLERS,
        **scopes.HANDLERS,
        **series_methods.HANDLERS,
        **verification.HANDLERS,
    },
    targets=scopes.TARGETS,
    tick=alerts.evaluate_all,
    resume=alerts.watch,
)
