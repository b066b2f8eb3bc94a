"""IAM policies: one for each resource, etags against lost updates, bindings inherited from above."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from sandbox.consistency import Consistency
from sandbox.enforcement.expressions import ExpressionError, compiled
from sandbox.errors import Aborted, InvalidArgument
from sandbox.etags import EMPTY_POLICY, of_policy, stale
from sandbox.hierarchy import Hierarchy
from sandbox.store import Store

Policy = dict[str, Any]

KIND = "iam.policies"
CONDITIONAL = 3

#: Never granted with a condition: https://docs.cloud.google.com/iam/docs/conditions-overview (read 2026-08).
BASIC_ROLES = {"roles/owner", "roles/editor", "roles/viewer"}


def check_condition(role: str, condition: Policy, version: int) -> None:
    """Refuse a condition that Google refuses.

    Raises:
        InvalidArgument: the policy's version is too low, the title is missing, the role takes no conditions, or the
            expression is no CEL.
    """
    if version < CONDITIONAL:
        raise InvalidArgument("Policies with conditional role bindings must specify a version of at least 3.")
    if not condition.get("title"):
        raise InvalidArgument("Condition title must not be empty.")
    if role in BASIC_ROLES:
        raise InvalidArgument(f"Basic roles cannot be granted with a condition: {role}.")
    try:
        compiled(condition.get("expression", ""))
    except ExpressionError as error:
        raise InvalidArgument(f"Condition expression compilation failed: {error}") from None


class Policies:
    """Allow policies by full resource name, ``//cloudkms.googleapis.com/projects/...``."""

    def __init__(self, store: Store, hierarchy: Hierarchy, consistency: Consistency, *, strict: bool) -> None:
        self._store = store
        self._strict = strict
        self._hierarchy = hierarchy
        self._consistency = consistency
        #: Whether any policy asks for data access to be logged.
        self.audits = any(policy.get("auditConfigs") for policy in store.documents(KIND))

    def get(self, resource: str) -> Policy:
        """The policy set on the resource itself; an empty one has the etag ``ACAB``."""
        return self._store.get(KIND, resource) or {"etag": EMPTY_POLICY}

    def replace(self, resource: str, policy: Policy, mask: list[str] | None = None) -> Policy:
        """Replace the policy; the stored one is returned.

        Raises:
            Aborted: the etag is not the current one.
            InvalidArgument: a member is malformed or does not exist, or a condition needs version 3.
        """
        current = self.get(resource)
        etag = policy.get("etag")
        if etag and stale(etag, current["etag"], strict=self._strict):
            raise Aborted(
                "There were concurrent policy changes. Please retry the whole read-modify-write with exponential "
                f"backoff. The request's ETag '{etag}' did not match the current policy's ETag '{current['etag']}'."
            )
        bindings = self._canonical(policy.get("bindings", []), int(policy.get("version", 0)))
        audit = policy.get("auditConfigs", []) if not mask or "auditConfigs" in mask else current.get("auditConfigs")
        stored: Policy = {"version": CONDITIONAL if any("condition" in b for b in bindings) else 1}
        if bindings:
            stored["bindings"] = bindings
        if audit:
            stored["auditConfigs"] = audit
            self.audits = True
        digest = hashlib.sha256(json.dumps([stored, current["etag"]]).encode()).digest()
        stored["etag"] = of_policy(digest)
        self._consistency.made_grant(resource, self._store.get(KIND, resource))
        self._store.put(KIND, resource, stored)
        return stored

    def grant(self, resource: str, role: str, member: str) -> None:
        """Add one member to a role's unconditional binding, as services do for their own agents."""
        policy = self.get(resource)
        bindings = [dict(binding) for binding in policy.get("bindings", [])]
        found = next((b for b in bindings if b["role"] == role and "condition" not in b), None)
        if found and member in found["members"]:
            return
        if found:
            found["members"] = [*found["members"], member]
        else:
            bindings.append({"role": role, "members": [member]})
        self.replace(resource, {**policy, "bindings": bindings})

    def _canonical(self, bindings: list[Policy], version: int) -> list[Policy]:
        merged: dict[tuple[str, str], Policy] = {}
        for binding in bindings:
            members = [self._member(member) for member in binding.get("members", [])]
            if not members:
                continue
            role = binding.get("role", "")
            if not role.startswith(("roles/", "projects/", "organizations/")):
                raise InvalidArgument(f"Invalid role {role!r}: roles start with roles/, projects/ or organizations/.")
            condition = binding.get("condition")
            if condition:
                check_condition(role, condition, version)
            entry = merged.setdefault((role, json.dumps(condition, sort_keys=True)), {"role": role, "members": []})
            entry["members"] = sorted({*entry["members"], *members})
            if condition:
                entry["condition"] = condition
        return [merged[key] for key in sorted(merged)]

    def _member(self, member: str) -> str:
        kind, _, address = member.partition(":")
        if member in {"allUsers", "allAuthenticatedUsers"} or kind in {"deleted", "principal", "principalSet"}:
            return member
        if not address:
            raise InvalidArgument(
                f"Invalid member {member!r}: expected TYPE:IDENTITY, for example user:jo@example.com."
            )
        if kind == "serviceAccount" and (
            not self._hierarchy.service_account_exists(address) or self._consistency.hides_identity(address)
        ):
            raise InvalidArgument(f"Service account {address} does not exist.")
        return f"{kind}:{address.lower()}" if kind in {"user", "group", "serviceAccount", "domain"} else member

    def inherited(self, service: str, name: str) -> Iterator[tuple[str, Policy]]:
        """The policies that govern a resource, nearest first: itself, its parents, project, folders, organisation."""
        for resource in self._hierarchy.lineage(service, name):
            held_back, policy = self._consistency.former_policy(resource)
            if not held_back:
                policy = self._store.get(KIND, resource)
            if policy:
                yield resource, policy

    def bindings(self, service: str, name: str, members: set[str]) -> Iterator[tuple[str, str, str, Policy | None]]:
        """``(role, member, resource, condition)`` of every binding that names one of ``members``, nearest first."""
        for resource, policy in self.inherited(service, name):
            for binding in policy.get("bindings", []):
                for member in members.intersection(binding["members"]):
                    yield binding["role"], member, resource, binding.get("condition")
