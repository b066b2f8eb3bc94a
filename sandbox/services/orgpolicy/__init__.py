"""Organization Policy, v2: policies, the constraints they set, custom constraints."""

from __future__ import annotations

from sandbox.services.orgpolicy import constraints, policies
from sandbox.services.registry import Service

SERVICE = Service(
    name="orgpolicy",
    title="Organization Policy API",
    resources=(constraints.CustomConstraint, policies.Policy),
    handlers={**constraints.HANDLERS, **policies.HANDLERS},
)
