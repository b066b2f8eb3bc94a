"""Live grants and audit configurations: every policy becomes one resource for each role and member."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from plantain.audit.live.reader import Reader
from policies.catalogue import Resource

#: Version of the policy that has conditions.
WITH_CONDITIONS = 3


def members(
    type_: str, scope_id: str, service: str, where: Mapping[str, Any], policy: Mapping[str, Any] | None
) -> Iterator[Resource]:
    """The grants of one policy.

    Args:
        type_: such as gcp:projects/iAMMember:IAMMember.
        scope_id: what the policy is on, as the provider's ids begin.
        service: whose policy it is.
        where: properties that name the resource.
        policy: as Google answers it; None grants nothing.
    """
    for binding in (policy or {}).get("bindings") or ():
        for member in binding.get("members") or ():
            properties = {"role": binding["role"], "member": member, **where}
            title = ""
            if binding.get("condition"):
                properties["condition"] = binding["condition"]
                title = f"/{binding['condition'].get('title', '')}"
            id_ = f"{scope_id}/{binding['role']}/{member}{title}"
            urn = f"//{service}.googleapis.com/{id_}"
            yield Resource(urn, type_, f"{binding['role']} {member}", {"id": id_, **properties}, "live")


def audit_configs(
    type_: str, scope_id: str, where: Mapping[str, Any], policy: Mapping[str, Any] | None
) -> Iterator[Resource]:
    """The audit configurations in a policy."""
    for config in (policy or {}).get("auditConfigs") or ():
        id_ = f"{scope_id}/audit_config/{config['service']}"
        properties = {"service": config["service"], "auditLogConfigs": config.get("auditLogConfigs") or [], **where}
        urn = f"//cloudresourcemanager.googleapis.com/{id_}"
        yield Resource(urn, type_, config["service"], {"id": id_, **properties}, "live")


def policy(reader: Reader, verb: str, service: str, path: str, *, posts_options: bool = False) -> dict[str, Any] | None:
    """The policy on one resource, conditions included."""
    if posts_options:
        body = {"options": {"requestedPolicyVersion": WITH_CONDITIONS}}
        return reader.one(verb, service, path, "getIamPolicy", body=body)
    params = {"options.requestedPolicyVersion": WITH_CONDITIONS}
    if service == "storage":
        params = {"optionsRequestedPolicyVersion": WITH_CONDITIONS}
    return reader.one(verb, service, path, "getIamPolicy", params=params)
