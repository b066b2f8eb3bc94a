"""Cloud Quotas: what a project's limits are, and what it asks for."""

from __future__ import annotations

from sandbox.services.cloudquotas import adjuster, infos, preferences
from sandbox.services.registry import Service

SERVICE = Service(
    name="cloudquotas",
    title="Cloud Quotas API",
    prefix="google.api.cloudquotas.v1",
    resources=(preferences.Preference,),
    handlers={**adjuster.HANDLERS, **infos.HANDLERS},
)
