"""Which organisation policy governs a resource, after inheritance.

Rules: https://docs.cloud.google.com/resource-manager/docs/organization-policy/understanding-hierarchy (read 2026-08).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.call import ANONYMOUS
from sandbox.enforcement.access_levels import Caller
from sandbox.enforcement.conditions import Subject

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]

POLICIES = "orgpolicy.policies"


def rules(cloud: Cloud, resource: str, constraint: str, spec: str = "spec") -> list[Document]:
    """The rules that hold on ``projects/p``, ``folders/n`` or ``organizations/n``.

    The nearest policy decides; a list policy that inherits adds the values of those above it. ``reset`` ends the
    search: the constraint's own default holds. Rules whose condition on tags holds come before those without one.
    """
    found: list[Document] = []
    for ancestor in cloud.hierarchy.ancestors(resource):
        policy = cloud.store.get(POLICIES, f"{ancestor}/policies/{constraint}")
        settled = (policy or {}).get(spec)
        if settled is None:
            continue
        if settled.get("reset"):
            break
        listed = settled.get("rules", [])
        found += [rule for rule in listed if "condition" in rule and holds(cloud, rule["condition"], resource)]
        found += [rule for rule in listed if "condition" not in rule]
        if not settled.get("inheritFromParent"):
            break
    return found


def holds(cloud: Cloud, condition: Document, resource: str) -> bool:
    """Whether a rule's condition on tags is met by a project, folder or organisation."""
    nobody = Caller("allUsers", "", moment=cloud.clock.now())
    subject = Subject("cloudresourcemanager", resource, nobody)
    return cloud.deny_policies.conditions.hold(condition, subject, ANONYMOUS)


def enforced(cloud: Cloud, resource: str, constraint: str) -> bool:
    """Whether a boolean constraint is enforced."""
    return any(rule.get("enforce") is True for rule in rules(cloud, resource, constraint)[:1])


def admits(cloud: Cloud, resource: str, constraint: str, value: str) -> bool:
    """Whether a list constraint admits a value: denied values win, and a list of allowed values excludes all others."""
    allowed: set[str] = set()
    for rule in rules(cloud, resource, constraint):
        if rule.get("denyAll"):
            return False
        values = rule.get("values", {})
        if value in plain(values.get("deniedValues", [])):
            return False
        allowed |= plain(values.get("allowedValues", []))
        if rule.get("allowAll"):
            allowed.add(value)
    return not allowed or value in allowed


def plain(values: list[str]) -> set[str]:
    """Values without the prefixes ``is:``, ``in:`` and ``under:``."""
    return {value.split(":", 1)[1] if value.startswith(("is:", "in:", "under:")) else value for value in values}


def merged(cloud: Cloud, resource: str, constraint: str) -> list[Document]:
    """The effective rules in the shape of a policy: one rule for a boolean, one with all values for a list."""
    found = rules(cloud, resource, constraint)
    if not found or "enforce" in found[0]:
        return found[:1]
    for decisive in ("denyAll", "allowAll"):
        if any(rule.get(decisive) for rule in found):
            return [{decisive: True}]
    values: Document = {}
    for field in ("allowedValues", "deniedValues"):
        collected = dict.fromkeys(value for rule in found for value in rule.get("values", {}).get(field, []))
        if collected:
            values[field] = list(collected)
    return [{"values": values}]
