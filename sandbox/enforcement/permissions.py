"""Which permission a method needs, and which roles hold it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sandbox.call import Call, Principal
from sandbox.clock import Clock
from sandbox.description import Method
from sandbox.enforcement.access_levels import Caller
from sandbox.enforcement.conditions import LIST_PREFIX, MODIFIED_GRANTS, Subject
from sandbox.enforcement.delegation import last_delegate
from sandbox.enforcement.deny import Denial, DenyPolicies
from sandbox.enforcement.principals import members
from sandbox.enforcement.role_table import NAMESPACES, holds, included, methods, roles
from sandbox.enforcement.usage import Grant, Usage
from sandbox.errors import ERROR_INFO, PermissionDenied
from sandbox.policies import Policies
from sandbox.store import Store

ROLES = "iam.roles"

#: Method actions whose permission is spelled otherwise.
ACTIONS = {"insert": "create", "patch": "update", "search": "list"}


def permission(method: Method) -> str | None:
    """The IAM permission a method needs; None when any known caller may call it."""
    exceptions = methods()
    for key in (method.short, f"{method.kind}.*", f"*.{method.collection}.{method.action}", f"*.{method.action}"):
        if key in exceptions:
            return exceptions[key]
    namespace = NAMESPACES.get(method.service, method.service)
    return f"{namespace}.{method.collection}.{ACTIONS.get(method.action, method.action)}"


@dataclass(frozen=True, slots=True)
class Unmet:
    """A binding that would grant, if its condition held."""

    grant: Grant
    expression: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """The whole answer to one permission check.

    Attributes:
        grant: the binding that grants, None when nothing does.
        denial: the deny rule that outweighs every grant, None when there is none.
        unmet: bindings that would grant but for their condition.
    """

    grant: Grant | None
    denial: Denial | None
    unmet: tuple[Unmet, ...] = ()


class Permissions:
    """Answers whether a member holds a permission on a resource.

    Attributes:
        usage: which grants were used, while somebody wants to know.
    """

    def __init__(self, store: Store, policies: Policies, deny_policies: DenyPolicies, clock: Clock) -> None:
        self.usage = Usage()
        self._store = store
        self._policies = policies
        self._deny_policies = deny_policies
        self._clock = clock

    def listed(self, role: str) -> list[str]:
        """The permissions of a role one by one, as IAM lists them."""
        return list(included(role)) if role in roles() else self.of_role(role)

    def of_role(self, role: str) -> list[str]:
        """Permission patterns of a predefined or custom role; unknown roles hold nothing."""
        if role.startswith("roles/"):
            return roles().get(role, [])
        custom = self._store.get(ROLES, role)
        return list(custom.get("includedPermissions", [])) if custom and not custom.get("deleted") else []

    def members(self, principal: Principal) -> set[str]:
        """All member strings that stand for the caller: itself, its groups and domain, everybody."""
        return members(self._store, principal)

    def explain(
        self, principal: Principal, needed: str, service: str, name: str, subject: Subject | None = None
    ) -> Explanation:
        """Why the caller does or does not hold ``needed`` on the resource.

        Args:
            principal: who asks.
            needed: the permission.
            service: API of the resource, as ``storage``.
            name: the name under which the sandbox keeps it.
            subject: what conditions may ask; without it only who and when are known.
        """
        names = self.members(principal)
        subject = subject or Subject(service, name, Caller(principal.member, "", moment=self._clock.now()))
        if denial := self._deny_policies.denial(principal, names, needed, subject):
            return Explanation(None, denial)
        unmet, met = [], []
        for role, member, resource, condition in self._policies.bindings(service, name, names):
            if not holds(self.of_role(role), needed):
                continue
            grant = Grant(role, member, resource, (condition or {}).get("title", ""))
            if condition is None or self._deny_policies.conditions.hold(condition, subject, principal):
                met.append(grant)
                if not self.usage.recording:
                    break
            else:
                unmet.append(Unmet(grant, condition.get("expression", "")))
        if not met:
            return Explanation(None, None, tuple(unmet))
        if self.usage.recording:
            self.usage.add(principal.member, needed, f"//{service}.googleapis.com/{name}", met)
        return Explanation(met[0], None)

    def grant(
        self, principal: Principal, needed: str, service: str, name: str, subject: Subject | None = None
    ) -> Grant | None:
        """The binding by which the caller holds ``needed`` on the resource, or None."""
        return self.explain(principal, needed, service, name, subject).grant

    def require(
        self, principal: Principal, needed: str, service: str, name: str, subject: Subject | None = None
    ) -> Grant:
        """As ``grant``, or Google's denial.

        Raises:
            PermissionDenied: with an ``IAM_PERMISSION_DENIED`` ErrorInfo.
        """
        found = self.grant(principal, needed, service, name, subject)
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
        subject, principal = subject_of(call, service, name), last_delegate(call)
        found = self.grant(principal, needed, service, name, subject)
        if found is None and (refusal := call.cloud.services.denied(service, principal, needed, name)):
            refusal.facts = {"permission": needed, "resource": name}
            raise refusal
        return found or self.require(principal, needed, service, name, subject)


def subject_of(call: Call, service: str, name: str) -> Subject:
    """What conditions may ask about a call."""
    attributes: dict[str, Any] = {}
    if call.method.action == "setIamPolicy":
        current = call.cloud.policies.get(f"//{service}.googleapis.com/{name}")
        attributes[MODIFIED_GRANTS] = changed_roles(current, call.body.get("policy", call.body))
    if call.method.short == "storage.objects.list":
        attributes[LIST_PREFIX] = call.query.get("prefix", "")
    path = urlsplit(call.url).path
    return Subject(service, name, caller_of(call), attributes, path)


def caller_of(call: Call) -> Caller:
    """Who calls, from where, when, as access levels and conditions see it."""
    origin = call.origin
    return Caller(
        call.principal.member,
        origin.address,
        origin.region,
        origin.device,
        f"//compute.googleapis.com/{origin.network}" if origin.network else None,
        call.cloud.clock.now(),
    )


def changed_roles(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Roles whose members a policy change adds or removes."""

    def members_of(policy: dict[str, Any]) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for binding in policy.get("bindings", []):
            found.setdefault(binding.get("role", ""), set()).update(binding.get("members", []))
        return found

    old, new = members_of(before), members_of(after)
    return sorted(role for role in old.keys() | new.keys() if old.get(role, set()) != new.get(role, set()))
