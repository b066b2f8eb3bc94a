"""Cloud Identity, v1: Google groups and who is in them."""

from __future__ import annotations

from sandbox.services.cloudidentity import groups, memberships
from sandbox.services.registry import Service

SERVICE = Service(
    name="cloudidentity",
    title="Cloud Identity API",
    resources=(groups.Group, memberships.Membership),
    handlers={**groups.HANDLERS, **memberships.HANDLERS},
    tick=memberships.expire,
    refused=frozenset(
        {
            "cloudidentity.groups.getSecuritySettings",
            "cloudidentity.groups.updateSecuritySettings",
            "cloudidentity.memberships.getMembershipGraph",
            "cloudidentity.memberships.searchDirectGroups",
        }
    ),
)
