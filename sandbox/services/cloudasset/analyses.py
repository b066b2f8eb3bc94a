"""Who has which access to what, and what would be in the way of a move.

Source: https://docs.cloud.google.com/asset-inventory/docs/reference/rest/v1/TopLevel/analyzeIamPolicy and
``.../v1/TopLevel/analyzeMove`` (read 2026-11). Groups are seen through as the permission check does it; resources below
the one that is asked about, and impersonation, are not expanded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sandbox.call import Call, Principal
from sandbox.enforcement.role_table import holds
from sandbox.errors import InvalidArgument
from sandbox.services.cloudasset import inventory
from sandbox.services.cloudasset.inventory import Asset
from sandbox.services.cloudasset.searches import scope

Document = dict[str, Any]

QUERY = "analysisQuery."
IDENTITY = f"{QUERY}identitySelector.identity"
RESOURCE = f"{QUERY}resourceSelector.fullResourceName"
ROLES, PERMISSIONS = f"{QUERY}accessSelector.roles", f"{QUERY}accessSelector.permissions"
EXPAND_ROLES = f"{QUERY}options.expandRoles"
PARENTS = ("folders/", "organizations/")


def several(call: Call, name: str) -> list[str]:
    """The values of a repeated parameter."""
    listed = getattr(call.query, "getlist", None)
    return list(listed(name)) if listed else [call.query[name]] if name in call.query else []


def analyze(call: Call) -> Document:
    """``analyzeIamPolicy``: every binding that gives an identity an access on a resource, as far as these are named.

    Raises:
        InvalidArgument: nothing is named, or the resource is not in the inventory of the scope.
    """
    identity, resource = call.query.get(IDENTITY, ""), call.query.get(RESOURCE, "")
    if not (identity or resource or several(call, ROLES) or several(call, PERMISSIONS)):
        raise InvalidArgument("At least one of resourceSelector, identitySelector and accessSelector is needed.")
    names = call.cloud.permissions.members(Principal(identity)) if identity else set()
    found = []
    for attached, binding in sorted(attachments(call, resource), key=lambda pair: pair[0]):
        members = [member for member in binding["members"] if not identity or member in names]
        accesses = granted(call, binding["role"])
        if members and accesses:
            lists = {"resources": [{"fullResourceName": resource or attached}], "accesses": accesses}
            found.append(
                {
                    "attachedResourceFullName": attached,
                    "iamBinding": binding,
                    "accessControlLists": [lists],
                    "identityList": {"identities": [{"name": name} for name in members]},
                    "fullyExplored": True,
                }
            )
    results = {"analysisResults": found} if found else {}
    return {"mainAnalysis": {"analysisQuery": asked(call), **results, "fullyExplored": True}, "fullyExplored": True}


def asked(call: Call) -> Document:
    """The query as the answer repeats it."""
    repeated: Document = {"scope": call.cloud.hierarchy.numbered(scope(call))}
    if call.query.get(IDENTITY):
        repeated["identitySelector"] = {"identity": call.query[IDENTITY]}
    if call.query.get(RESOURCE):
        repeated["resourceSelector"] = {"fullResourceName": call.query[RESOURCE]}
    selector = {"roles": several(call, ROLES), "permissions": several(call, PERMISSIONS)}
    if any(selector.values()):
        repeated["accessSelector"] = {key: value for key, value in selector.items() if value}
    return repeated


def attachments(call: Call, resource: str) -> Iterator[tuple[str, Document]]:
    """Bindings with the full names of what they are attached to: all of the scope, or those that govern a resource."""
    cloud = call.cloud
    assets = list(inventory.assets(cloud, scope(call), []))
    governing: set[str] | None = None
    if resource:
        chosen = next((one for one in assets if resource in names_of(call, one)), None)
        if chosen is None:
            raise InvalidArgument(f"Resource {resource} is not found in scope {scope(call)}.")
        service = chosen.type.kind.partition(".")[0]
        governing = {name for name, _ in cloud.policies.inherited(service, chosen.stored)}
    for asset in assets:
        name = inventory.policy_name(asset)
        if governing is None or name in governing:
            for binding in cloud.policies.get(name).get("bindings", []):
                yield inventory.full_name(cloud, asset), binding


def names_of(call: Call, asset: Asset) -> set[str]:
    """Full names of an asset: with the project's number, and with its id."""
    return {inventory.full_name(call.cloud, asset), inventory.policy_name(asset)}


def granted(call: Call, role: str) -> list[Document]:
    """What of the accesses that are asked for a role gives; without any the role itself, or its permissions."""
    roles, permissions = several(call, ROLES), several(call, PERMISSIONS)
    held = call.cloud.permissions.of_role(role)
    found: list[Document] = [{"role": role}] if role in roles else []
    found += [{"permission": name} for name in permissions if holds(held, name)]
    if roles or permissions:
        return found
    if call.query.get(EXPAND_ROLES) == "true":
        return [{"permission": name} for name in call.cloud.permissions.listed(role)]
    return [{"role": role}]


def analyze_move(call: Call) -> Document:
    """``analyzeMove``: what keeps the caller from moving a project, and which policies it would lose and get.

    Raises:
        InvalidArgument: the destination is no folder and no organisation.
    """
    cloud, wanted = call.cloud, call.query.get("destinationParent", "")
    kind = f"cloudresourcemanager.{wanted.partition('/')[0]}"
    if not wanted.startswith(PARENTS) or cloud.store.get(kind, wanted) is None:
        raise InvalidArgument(f"Invalid destination parent: {wanted!r}.")
    name = cloud.hierarchy.canonical(call.parameters["resource"])
    above, then = list(cloud.hierarchy.ancestors(name))[1:], list(cloud.hierarchy.ancestors(wanted))
    blockers = [
        f"{call.principal.email} is missing resourcemanager.projects.move on {parent}."
        for parent in (above[0], wanted)
        if cloud.permissions.grant(call.principal, "resourcemanager.projects.move", "cloudresourcemanager", parent)
        is None
    ]
    warnings = [f"Policies of {gone} no longer apply." for gone in above if gone not in then]
    warnings += [f"Policies of {new} will apply." for new in then if new not in above]
    warnings = [] if call.query.get("view") == "BASIC" else warnings
    analysis = {
        **({"blockers": [{"detail": text} for text in blockers]} if blockers else {}),
        **({"warnings": [{"detail": text} for text in warnings]} if warnings else {}),
    }
    return {"moveAnalysis": [{"displayName": "IAM and organization policies", "analysis": analysis}]}


HANDLERS = {"cloudasset.analyzeIamPolicy": analyze, "cloudasset.analyzeMove": analyze_move}
