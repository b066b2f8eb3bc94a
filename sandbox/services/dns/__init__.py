"""Cloud DNS, v1 and v1beta2."""

from __future__ import annotations

from sandbox.services.dns import policies, records, zones
from sandbox.services.registry import Service

SERVICE = Service(
    name="dns",
    title="Cloud DNS API",
    resources=(
        policies.Policy,
        policies.ResponsePolicy,
        policies.ResponsePolicyRule,
        records.RecordSet,
        zones.ManagedZone,
    ),
    handlers={**policies.HANDLERS, **records.HANDLERS},
)
