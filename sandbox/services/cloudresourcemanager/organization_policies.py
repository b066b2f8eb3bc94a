"""Organisation policies by Resource Manager's v1 methods: the policies that ``orgpolicy`` v2 keeps, in the old shape.

Source: https://docs.cloud.google.com/resource-manager/reference/rest/v1/Policy (read 2026-11). A policy of v2 with
several rules, or conditions, has no equal in v1: its first rule without a condition is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.errors import Aborted, InvalidArgument
from sandbox.etags import stamped
from sandbox.paging import page
from sandbox.services.orgpolicy.constraints import table
from sandbox.services.orgpolicy.effective import POLICIES, merged
from sandbox.services.orgpolicy.policies import Policy

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]

PREFIX = "constraints/"
KINDS = ("booleanPolicy", "listPolicy", "restoreDefault")


def constraint_of(text: Any) -> str:
    """A constraint's name without ``constraints/``.

    Raises:
        InvalidArgument: it is none.
    """
    name = str(text or "")
    if not name.startswith(PREFIX) or "." not in name:
        raise InvalidArgument(f"Invalid constraint {name!r}: constraints/SERVICE.NAME.")
    return name.removeprefix(PREFIX)


def old(constraint: str, spec: Document) -> Document:
    """A spec of v2 as a policy of v1."""
    shape: Document = {"constraint": PREFIX + constraint, "version": 1}
    shape |= {field: spec[field] for field in ("etag", "updateTime") if field in spec}
    rule: Document = next((rule for rule in spec.get("rules", []) if "condition" not in rule), {})
    if spec.get("reset"):
        return {**shape, "restoreDefault": {}}
    if "enforce" in rule:
        return {**shape, "booleanPolicy": {"enforced": True} if rule["enforce"] else {}}
    listed: Document = dict(rule.get("values", {}))
    if rule.get("allowAll") or rule.get("denyAll"):
        listed["allValues"] = "ALLOW" if rule.get("allowAll") else "DENY"
    if spec.get("inheritFromParent"):
        listed["inheritFromParent"] = True
    return {**shape, "listPolicy": listed} if rule else shape


def new(policy: Document) -> Document:
    """A policy of v1 as a spec of v2.

    Raises:
        InvalidArgument: it says not exactly one thing.
    """
    said = [kind for kind in KINDS if kind in policy]
    if len(said) != 1:
        raise InvalidArgument(f"A policy says exactly one of {', '.join(KINDS)}.")
    if said[0] == "restoreDefault":
        return {"reset": True}
    if said[0] == "booleanPolicy":
        return {"rules": [{"enforce": bool(policy["booleanPolicy"].get("enforced"))}]}
    listed = policy["listPolicy"]
    every = {"ALLOW": {"allowAll": True}, "DENY": {"denyAll": True}}.get(listed.get("allValues", ""))
    values = {field: listed[field] for field in ("allowedValues", "deniedValues") if listed.get(field)}
    if every and values:
        raise InvalidArgument("listPolicy: allValues excludes allowedValues and deniedValues.")
    inherits = {"inheritFromParent": True} if listed.get("inheritFromParent") else {}
    return {"rules": [every or {"values": values}] if every or values else [], **inherits}


def name_of(call: Call, constraint: str) -> str:
    """The policy's name in the store."""
    return f"{call.name}/policies/{constraint}"


def get(call: Call) -> Document:
    """The policy of this resource alone; one that says nothing when there is none."""
    constraint = constraint_of(call.body.get("constraint"))
    policy = call.cloud.store.get(POLICIES, name_of(call, constraint)) or {}
    return old(constraint, policy.get("spec", {"etag": stamped(bytes(8))}))


def put(call: Call) -> Document:
    """Replace the policy for one constraint.

    Raises:
        Aborted: somebody changed it since it was read.
        InvalidArgument: it makes no sense.
    """
    asked = call.body.get("policy", {})
    constraint = constraint_of(asked.get("constraint"))
    name = name_of(call, constraint)
    before = call.cloud.store.get(POLICIES, name) or {}
    etag = before.get("spec", {}).get("etag")
    if etag and asked.get("etag") not in (None, etag):
        raise Aborted("There were concurrent policy changes. Please retry the whole read-modify-write.")
    document = {**before, "name": name, "spec": new(asked)}
    Policy().prepare(call, document)
    document["etag"] = document["spec"]["etag"]
    call.cloud.store.put(POLICIES, name, document)
    return old(constraint, document["spec"])


def clear(call: Call) -> Document:
    """Take the policy away."""
    call.cloud.store.delete(POLICIES, name_of(call, constraint_of(call.body.get("constraint"))))
    return {}


def effective(call: Call) -> Document:
    """What holds after inheritance; the constraint's default when nothing was set."""
    constraint = constraint_of(call.body.get("constraint"))
    listed = table().get(constraint, {}).get("type") == "list"
    rules = merged(call.cloud, call.name, constraint)
    return old(constraint, {"rules": rules or [{"allowAll": True} if listed else {"enforce": False}]})


def policies(call: Call) -> Document:
    """Every policy of this resource alone."""
    prefix = f"{call.name}/policies/"
    found = [
        old(policy["name"].removeprefix(prefix), policy["spec"])
        for policy in call.cloud.store.documents(POLICIES)
        if policy["name"].startswith(prefix) and "spec" in policy
    ]
    shown, following = page(found, call.body)
    return {**({"policies": shown} if shown else {}), **({"nextPageToken": following} if following else {})}


def constraints(call: Call) -> Document:
    """Every constraint that the sandbox knows."""
    found = [
        {
            "name": PREFIX + name,
            "displayName": facts["title"],
            "constraintDefault": "ALLOW",
            **({"listConstraint": {}} if facts["type"] == "list" else {"booleanConstraint": {}}),
        }
        for name, facts in sorted(table().items())
    ]
    shown, following = page(found, call.body)
    return {"constraints": shown, **({"nextPageToken": following} if following else {})}


HANDLERS = {
    f"cloudresourcemanager.{kind}.{method}": handler
    for kind in ("folders", "organizations", "projects")
    for method, handler in {
        "clearOrgPolicy": clear,
        "getEffectiveOrgPolicy": effective,
        "getOrgPolicy": get,
        "listAvailableOrgPolicyConstraints": constraints,
        "listOrgPolicies": policies,
        "setOrgPolicy": put,
    }.items()
}
