"""Which permission a method needs, and which roles hold it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from typing import Any

from sandbox.call import Call, Principal
from sandbox.description import Method
from sandbox.errors import ERROR_INFO, PermissionDenied
from sandbox.policies import Policies
from sandbox.store import Store

ROLES = "iam.roles"

#: Method actions whose permission is spelled otherwise.
ACTIONS = {"insert": "create", "patch": "update", "search": "list"}

#: IAM's name of a service, where it is not the API's.
NAMESPACES = {"cloudresourcemanager": "resourcemanager", "cloudbilling": "billing", "billingbudgets": "billing"}


@cache
def table() -> dict[str, Any]:
    """The role and permission table that ships with the sandbox."""
    document: dict[str, Any] = json.loads(resources.files("sandbox.enforcement").joinpath("roles.json").read_text())
    return document


def permission(method: Method) -> str | None:
    """The IAM permission a method needs; None when any known caller may call it."""
    exceptions: dict[str, str | None] = table()["methods"]
    for key in (method.short, f"{method.kind}.*", f"*.{method.collection}.{method.action}", f"*.{method.action}"):
        if key in exceptions:
            return exceptions[key]
    namespace = NAMESPACES.get(method.service, method.service)
    return f"{namespace}.{method.collection}.{ACTIONS.get(method.action, method.action)}"


def holds(patterns: list[str], needed: str) -> bool:
    """Whether patterns admit a permission; one that starts with an exclamation mark takes away."""
    taken = any(fnmatchcase(needed, pattern[1:]) for pattern in patterns if pattern.startswith("!"))
    return not taken and any(fnmatchcase(needed, pattern) for pattern in patterns)


@dataclass(frozen=True, slots=True)
class Grant:
    """Why a permission is held."""

    role: str
    member: str
    resource: str


class Permissions:
    """Answers whether a member holds a permission on a resource."""

    def __init__(self, store: Store, policies: Policies) -> None:
        self._store = store
        self._policies = policies

    def of_role(self, role: str) -> list[str]:
        """Permission patterns of a predefined or custom role; unknown roles hold nothing."""
        if role.startswith("roles/"):
            found: list[str] = table()["roles"].get(role, [])
            return found
        custom = self._store.get(ROLES, role)
        return list(custom.get("includedPermissions", [])) if custom and not custom.get("deleted") else []

    def members(self, principal: Principal) -> set[str]:
        """All member strings that stand for the caller: itself, its groups and domain, everybody."""
        names = {"allUsers"}
        if principal.member != "allUsers":
            names |= {principal.member, "allAuthenticatedUsers"}
        kind, _, address = principal.member.partition(":")
        if kind == "user":
            names.add(f"domain:{address.partition('@')[2]}")
        for group, document in self._store.items("cloudidentity.groups"):
            if principal.member in document.get("members", []):
                names.add(f"group:{group}")
        return names

    def grant(self, principal: Principal, needed: str, service: str, name: str) -> Grant | None:
        """The binding by which the caller holds ``needed`` on the resource, or None."""
        for role, member, resource in self._policies.roles(service, name, self.members(principal)):
            if holds(self.of_role(role), needed):
                return Grant(role, member, resource)
        return None

    def require(self, principal: Principal, needed: str, service: str, name: str) -> Grant:
        """As ``grant``, or Google's denial.

        Raises:
            PermissionDenied: with an ``IAM_PERMISSION_DENIED`` ErrorInfo.
        """
        found = self.grant(principal, needed, service, name)
        if found is None:
            resource = f"//{service}.googleapis.com/{name}"
            raise PermissionDenied(
                f"Permission '{needed}' denied on resource '{resource}' (or it may not exist).",
                details=[
                    {
                        "@type": ERROR_INFO,
                        "reason": "IAM_PERMISSION_DENIED",
                        "domain": f"{service}.googleapis.com",
                        "metadata": {"permission": needed, "resource": name},
                    }
                ],
            )
        return found

    def check(self, call: Call) -> Grant | None:
        """Refuse a call whose caller lacks the method's permission."""
        needed = permission(call.method)
        if needed is None:
            return None
        service, name = call.cloud.services.policy_target(call)
        found = self.grant(call.principal, needed, service, name)
        if found is None and (refusal := call.cloud.services.denied(service, call.principal, needed, name)):
            raise refusal
        return found or self.require(call.principal, needed, service, name)
