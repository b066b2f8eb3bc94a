"""IAM deny policies: rules on organisation, folders and projects that no role outweighs.

Source: https://docs.cloud.google.com/iam/docs/deny-overview (read 2026-08).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import quote

from sandbox.call import Principal
from sandbox.enforcement.conditions import Conditions, Subject
from sandbox.enforcement.principals import account_project, deny_principals
from sandbox.hierarchy import RESOURCE_MANAGER, Hierarchy
from sandbox.store import Store

Document = dict[str, Any]

POLICIES = "iam.denyPolicies"

#: IAM's name of a service, where it is not the API's.
APIS = {"resourcemanager": "cloudresourcemanager", "billing": "cloudbilling"}


@dataclass(frozen=True, slots=True)
class Denial:
    """The rule that takes a permission away.

    Attributes:
        policy: name of the deny policy.
        rule: the rule's place in it, from 0.
        description: the rule's own words; empty when it has none.
    """

    policy: str
    rule: int
    description: str


def qualified(permission: str) -> str:
    """``storage.objects.get`` as deny policies spell it: ``storage.googleapis.com/objects.get``."""
    service, _, rest = permission.partition(".")
    return f"{APIS.get(service, service)}.googleapis.com/{rest}"


@dataclass(frozen=True, slots=True)
class DenyPolicies:
    """All deny policies of a sandbox."""

    store: Store
    hierarchy: Hierarchy
    conditions: Conditions
    customer: str

    def denial(self, principal: Principal, names: set[str], permission: str, subject: Subject) -> Denial | None:
        """The rule that denies a permission on a resource, or None.

        Args:
            principal: who asks.
            names: all member strings of the caller.
            permission: as roles spell it.
            subject: the resource and the request.
        """
        if not self.store.any(POLICIES):
            return None
        number = self.hierarchy.project_number(account_project(principal))
        callers = deny_principals(names, number, self.customer)
        wanted = qualified(permission)
        for policy in self._governing(subject):
            for place, rule in enumerate(policy.get("rules", [])):
                if self._applies(rule.get("denyRule", {}), callers, wanted, subject, principal):
                    return Denial(policy["name"], place, rule.get("description", ""))
        return None

    def _governing(self, subject: Subject) -> Iterator[Document]:
        """Policies attached to what the resource lies in, nearest first."""
        for resource in self.hierarchy.lineage(subject.service, subject.name):
            if resource.startswith(RESOURCE_MANAGER):
                point = attachment(self.hierarchy.numbered(resource.removeprefix(RESOURCE_MANAGER)))
                yield from self.store.documents(POLICIES, f"{point}/denypolicies")

    def _applies(self, rule: Document, callers: set[str], wanted: str, subject: Subject, principal: Principal) -> bool:
        if callers.isdisjoint(rule.get("deniedPrincipals", [])):
            return False
        if not callers.isdisjoint(rule.get("exceptionPrincipals", [])):
            return False
        if not covers(rule.get("deniedPermissions", []), wanted):
            return False
        if covers(rule.get("exceptionPermissions", []), wanted):
            return False
        condition = rule.get("denialCondition")
        return condition is None or self.conditions.hold(condition, subject, principal)


def covers(patterns: list[str], wanted: str) -> bool:
    """Whether a permission is listed, by name or by a group with a star."""
    return any(fnmatchcase(wanted, pattern) for pattern in patterns)


def attachment(container: str) -> str:
    """The attachment point of a container: ``policies/cloudresourcemanager.googleapis.com%2Fprojects%2F123``."""
    return f"policies/{quote(f'cloudresourcemanager.googleapis.com/{container}', safe='')}"
