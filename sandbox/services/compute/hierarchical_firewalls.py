"""Hierarchical firewall policies: of an organisation or a folder, with the nodes they are associated with.

https://docs.cloud.google.com/firewall/docs/firewall-policies (read 2026-08).
"""

from __future__ import annotations

import re
from typing import Any

from sandbox.call import Call
from sandbox.enforcement.permissions import subject_of
from sandbox.hierarchy import FOLDERS
from sandbox.services.compute import operations
from sandbox.services.compute.failures import InUse, Invalid, Missing, Taken
from sandbox.services.compute.firewall_policies import RULE_HANDLERS, AnyFirewallPolicy, change, current
from sandbox.services.compute.links import shown

Document = dict[str, Any]

SHORT_NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
ASSOCIATE = "compute.organizations.setFirewallPolicy"


class FirewallPolicy(AnyFirewallPolicy):
    """A policy below an organisation or a folder, named by a number; people know it by its short name."""

    kind = "compute.firewallPolicies"
    immutable = ("shortName",)

    def identifier(self, call: Call) -> str:
        """A number, the same for the whole creation."""
        if "newPolicy" not in call.parameters:
            call.parameters["newPolicy"] = call.cloud.identifiers.number("compute.id", 12)
        return call.parameters["newPolicy"]

    def resolve(self, call: Call, body: Document) -> None:
        """Nothing in it refers to a project's resources."""

    def stamp(self, call: Call, document: Document, *, created: bool) -> None:
        """Its id is its name."""
        super().stamp(call, document, created=created)
        if created:
            document["id"] = self.identifier(call)

    def prepare(self, call: Call, document: Document) -> None:
        """A short name that is free below the parent."""
        parent = document["parent"] = parent_of(call, call.query.get("parentId") or document.get("parent", ""))
        short = document.get("shortName", "")
        if not SHORT_NAME.fullmatch(short):
            raise Invalid.value("shortName", short, f"Must be a match of regex '{SHORT_NAME.pattern}'")
        for other in call.cloud.store.documents(self.kind):
            if (other["parent"], other["shortName"]) == (parent, short):
                raise Taken(f"{parent}/firewallPolicies/{short}")
        document["displayName"] = short
        super().prepare(call, document)

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """Only a move changes where it lies."""
        if call.method.action != "move":
            after["parent"] = before["parent"]
        super().changed(call, before, after)

    def select(self, call: Call, documents: list[Document]) -> list[Document]:
        """Those of the asked parent; a list shows no rules."""
        parent = parent_of(call, call.query.get("parentId", ""))
        found = super().select(call, [policy for policy in documents if policy["parent"] == parent])
        return [{key: value for key, value in policy.items() if key != "rules"} for policy in found]

    def deleting(self, call: Call, document: Document) -> None:
        """No node may still follow it."""
        for association in document.get("associations", []):
            raise InUse("firewall_policy", call.name, association["attachmentTarget"])


def parent_of(call: Call, given: str) -> str:
    """An organisation or a folder that is there.

    Raises:
        Invalid: it is not.
    """
    if given == call.cloud.hierarchy.organization or call.cloud.store.get(FOLDERS, given):
        return given
    raise Invalid.value("parent", given, "Must be an existing organization or folder: organizations/123, folders/123.")


def governing(call: Call) -> tuple[str, str]:
    """A policy is governed by the organisation or folder that it lies in."""
    policy = call.cloud.store.get(FirewallPolicy.kind, "/".join(call.name.split("/")[:4]))
    asked = call.query.get("parentId") or call.body.get("parent") or call.query.get("targetResource")
    return "cloudresourcemanager", str((policy or {}).get("parent") or asked or call.cloud.hierarchy.organization)


def own_policy(call: Call) -> tuple[str, str]:
    """Its own allow policy, and those above it."""
    return "compute", "/".join(call.name.split("/")[:4])


def add_association(call: Call) -> Document:
    """Let an organisation or folder follow the policy; each follows one."""
    policy = current(call)
    target = parent_of(call, re.sub(r"^.*/(?=(?:folders|organizations)/)", "", call.body.get("attachmentTarget", "")))
    if policy["parent"] not in call.cloud.hierarchy.ancestors(target):
        raise Invalid.value("attachmentTarget", target, "A policy is for what lies below its own parent.")
    permissions, service = call.cloud.permissions, "cloudresourcemanager"
    permissions.require(call.principal, ASSOCIATE, service, target, subject_of(call, service, target))
    for name, other in call.cloud.store.items(FirewallPolicy.kind):
        kept = [entry for entry in other.get("associations", []) if entry["attachmentTarget"] != target]
        if len(kept) == len(other.get("associations", [])):
            continue
        if call.query.get("replaceExistingAssociation") != "true":
            raise Invalid(f"An association with '{target}' already exists in '{name}'.")
        call.cloud.store.put(FirewallPolicy.kind, name, {**other, "associations": kept})
    policy = current(call)
    entry = {
        "name": call.body.get("name") or target.replace("s/", "-"),
        "attachmentTarget": target,
        "firewallPolicyId": policy["id"],
        "displayName": policy["shortName"],
        "shortName": policy["shortName"],
    }
    return change(call, policy, associations=[*policy.get("associations", []), entry])


def list_associations(call: Call) -> Document:
    """What an organisation or folder follows, perhaps with what it inherits."""
    target = parent_of(call, call.query.get("targetResource", ""))
    nodes = list(call.cloud.hierarchy.ancestors(target))
    followed = set(nodes if call.query.get("includeInheritedPolicies") == "true" else nodes[:1])
    found = [
        entry
        for policy in call.cloud.store.documents(FirewallPolicy.kind)
        for entry in policy.get("associations", [])
        if entry["attachmentTarget"] in followed
    ]
    kind = "compute#firewallPoliciesListAssociationsResponse"
    return {"kind": kind, **({"associations": found} if found else {})}


def move(call: Call) -> Document:
    """To another folder, or to the organisation."""
    policy = current(call)
    return change(call, policy, parent=parent_of(call, call.query.get("parentId", "")))


def clone_rules(call: Call) -> Document:
    """Replace the rules by those of another policy."""
    policy = current(call)
    source = call.query.get("sourceFirewallPolicy", "").rpartition("/")[2]
    found = call.cloud.store.get(FirewallPolicy.kind, f"locations/global/firewallPolicies/{source}")
    if found is None:
        raise Missing(f"locations/global/firewallPolicies/{source}")
    return change(call, policy, rules=found["rules"])


def effective(call: Call, project: str) -> list[Document]:
    """The policies that a project inherits, those of the organisation first."""
    nodes = list(call.cloud.hierarchy.ancestors(f"projects/{project}"))[::-1]
    found = [
        (nodes.index(entry["attachmentTarget"]), policy)
        for policy in call.cloud.store.documents(FirewallPolicy.kind)
        for entry in policy.get("associations", [])
        if entry["attachmentTarget"] in nodes
    ]
    return [
        {
            "name": policy["name"],
            "displayName": policy["shortName"],
            "shortName": policy["shortName"],
            "type": "HIERARCHY",
            "rules": policy["rules"],
        }
        for _, policy in sorted(found, key=lambda pair: pair[0])
    ]


def operation(call: Call) -> Document:
    """One operation above projects."""
    found = call.cloud.store.get(operations.KIND, call.name)
    if found is None:
        raise Missing(call.name)
    call.cloud.operations.slots.collected(found["name"])
    return dict(shown(found, call.method.version))


HANDLERS = {
    **{f"{FirewallPolicy.kind}.{action}": handler for action, handler in RULE_HANDLERS.items()},
    f"{FirewallPolicy.kind}.addAssociation": add_association,
    f"{FirewallPolicy.kind}.cloneRules": clone_rules,
    f"{FirewallPolicy.kind}.listAssociations": list_associations,
    f"{FirewallPolicy.kind}.move": move,
    "compute.globalOrganizationOperations.get": operation,
    "compute.globalOrganizationOperations.list": operations.listing,
    "compute.globalOrganizationOperations.delete": operations.delete,
}
TARGETS = {
    FirewallPolicy.kind: governing,
    **{f"{FirewallPolicy.kind}.{action}": own_policy for action in ("getIamPolicy", "setIamPolicy")},
}
