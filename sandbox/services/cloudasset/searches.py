"""Searches over resources and allow policies, and the plain list."""

from __future__ import annotations

from functools import partial
from typing import Any

from sandbox.asset_types import asset_types as known_types
from sandbox.call import Call
from sandbox.enforcement.permissions import Permissions
from sandbox.errors import InvalidArgument
from sandbox.paging import page
from sandbox.services.cloudasset import inventory
from sandbox.services.cloudasset.inventory import Asset
from sandbox.services.cloudasset.queries import compile_query

Document = dict[str, Any]

#: Largest pages: https://docs.cloud.google.com/asset-inventory/docs/reference/rest/v1/TopLevel (read 2026-08).
SEARCH_PAGE = 500
LIST_PAGE = 1000


def scope(call: Call) -> str:
    """The container that the call is about."""
    return call.parameters.get("scope") or call.parameters["parent"]


def asset_types(call: Call) -> list[str]:
    """The repeated ``assetTypes`` parameter; one value may hold several, separated by commas.

    Raises:
        InvalidArgument: an asset type that the inventory does not know.
    """
    listed = getattr(call.query, "getlist", None)
    given = listed("assetTypes") if listed else [call.query.get("assetTypes", "")]
    wanted = [name for text in given for name in text.split(",") if name]
    known(wanted)
    return wanted


def known(wanted: list[str]) -> None:
    """Refuse asset types that the inventory does not know; patterns pass.

    Raises:
        InvalidArgument: with the first of them.
    """
    types = {row.asset_type for row in known_types()}
    for name in wanted:
        if name not in types and not set(name) & set("*+[(|"):
            raise InvalidArgument(f"Invalid asset type: {name}.")


def result(call: Call, asset: Asset) -> Document:
    """A ``ResourceSearchResult``."""
    cloud, data = call.cloud, inventory.shown(call, asset)
    name = inventory.full_name(cloud, asset)
    keys = [] if asset.type.kind.startswith("cloudkms.") else inventory.keys(data)
    mask = call.query.get("readMask", "")
    found = {
        "name": name,
        "assetType": asset.type.asset_type,
        **place(call, asset),
        "displayName": inventory.first(data, "displayName", "title") or name.rpartition("/")[2],
        "description": inventory.first(data, "description"),
        "location": inventory.location(asset),
        "labels": inventory.labels(data),
        "kmsKey": keys[0] if keys else "",
        "kmsKeys": keys,
        "createTime": inventory.first(data, "createTime", "creationTimestamp", "timeCreated"),
        "updateTime": inventory.first(data, "updateTime", "updated"),
        "state": inventory.first(data, "state", "lifecycleState", "status"),
        **parent(asset, name),
    }
    if mask == "*" or "versionedResources" in mask:
        found["versionedResources"] = [{"version": asset.type.version, "resource": data}]
    return {key: value for key, value in found.items() if value}


def place(call: Call, asset: Asset) -> Document:
    """Project, folders and organisation of an asset."""
    return {
        "project": asset.project,
        "folders": [ancestor for ancestor in asset.ancestors if ancestor.startswith("folders/")],
        "organization": call.cloud.hierarchy.organization,
    }


def parent(asset: Asset, name: str) -> Document:
    """The container right above an asset; nothing for the organisation."""
    above = [ancestor for ancestor in asset.ancestors if ancestor != name.partition("googleapis.com/")[2]]
    if not above:
        return {}
    kind = above[0].partition("/")[0].removesuffix("s").capitalize()
    return {
        "parentFullResourceName": f"//cloudresourcemanager.googleapis.com/{above[0]}",
        "parentAssetType": f"cloudresourcemanager.googleapis.com/{kind}",
    }


def ordered_by(field: str, item: Document) -> str:
    """The text by which results are ordered."""
    return str(item.get(field, ""))


def search_resources(call: Call) -> Document:
    """``searchAllResources``."""
    test = compile_query(call.query.get("query", ""))
    found = [result(call, asset) for asset in inventory.assets(call.cloud, scope(call), asset_types(call))]
    chosen = [item for item in found if test(item)]
    for clause in reversed([part.strip() for part in call.query.get("orderBy", "").split(",") if part.strip()]):
        field, _, direction = clause.partition(" ")
        chosen.sort(key=partial(ordered_by, field), reverse=direction.strip().upper() == "DESC")
    return paged(call, "results", chosen, SEARCH_PAGE)


def search_policies(call: Call) -> Document:
    """``searchAllIamPolicies``: one result for each policy, with the bindings that the query hits."""
    query = call.query.get("query", "")
    test = compile_query(query)
    permissions = call.cloud.permissions
    found = []
    for asset in inventory.assets(call.cloud, scope(call), asset_types(call)):
        bindings = call.cloud.policies.get(inventory.policy_name(asset)).get("bindings", [])
        item = {
            "resource": inventory.full_name(call.cloud, asset),
            "assetType": asset.type.asset_type,
            **{key: value for key, value in place(call, asset).items() if value},
        }
        hit = [b for b in bindings if test({**item, "policy": searched(permissions, query, [b])})]
        if hit:
            found.append({**item, "policy": {"bindings": hit}})
    return paged(call, "results", found, SEARCH_PAGE)


def searched(permissions: Permissions, query: str, bindings: list[Document]) -> Document:
    """What a query over policies may ask: roles, members, and the permissions of the roles."""
    found: Document = {"bindings": bindings, "role": {}}
    if "permissions" in query:
        found["role"] = {"permissions": [p for binding in bindings for p in permissions.listed(binding["role"])]}
    return found


def listing(call: Call) -> Document:
    """``assets.list`` with a content type."""
    content = call.query.get("contentType") or "CONTENT_TYPE_UNSPECIFIED"
    found = []
    for asset in inventory.assets(call.cloud, scope(call), asset_types(call)):
        item = exported(call, asset, content)
        if item is not None:
            found.append(item)
    answer = paged(call, "assets", found, LIST_PAGE, default=100)
    return {"readTime": call.cloud.clock.timestamp(), **answer}


def exported(call: Call, asset: Asset, content: str) -> Document | None:
    """An ``Asset`` with one kind of content; None when it has nothing of that kind."""
    cloud = call.cloud
    found: Document = {
        "name": inventory.full_name(cloud, asset),
        "assetType": asset.type.asset_type,
        "ancestors": list(asset.ancestors),
        "updateTime": inventory.first(asset.document, "updateTime", "updated", "createTime", "timeCreated")
        or cloud.clock.timestamp(),
    }
    if content == "RESOURCE":
        parent = asset.ancestors[0] if asset.ancestors else cloud.hierarchy.organization
        service = asset.type.host
        found["resource"] = {
            "version": asset.type.version,
            "discoveryDocumentUri": f"https://{service}/$discovery/rest?version={asset.type.version}",
            "discoveryName": asset.type.asset_type.rpartition("/")[2],
            "parent": f"//cloudresourcemanager.googleapis.com/{parent}",
            "location": inventory.location(asset),
            "data": inventory.shown(call, asset),
        }
    elif content == "IAM_POLICY":
        policy = cloud.policies.get(inventory.policy_name(asset))
        if not policy.get("bindings"):
            return None
        found["iamPolicy"] = policy
    elif content == "ORG_POLICY":
        name = asset.stored
        policies = cloud.store.documents("orgpolicy.policies", f"{name}/policies")
        if not asset.type.kind.startswith("cloudresourcemanager.") or not policies:
            return None
        found["orgPolicy"] = [first_version(policy) for policy in policies]
    elif content == "ACCESS_POLICY":
        field = {
            "accesscontextmanager.accessPolicies": "accessPolicy",
            "accesscontextmanager.accessLevels": "accessLevel",
            "accesscontextmanager.servicePerimeters": "servicePerimeter",
        }.get(asset.type.kind)
        if field is None:
            return None
        found[field] = inventory.shown(call, asset)
    elif content not in {"CONTENT_TYPE_UNSPECIFIED", ""}:
        raise InvalidArgument(f"The sandbox lists no content of the type {content}.")
    return found


def first_version(policy: Document) -> Document:
    """An organisation policy in the older shape that the inventory shows."""
    constraint = policy["name"].rpartition("/")[2]
    spec = policy.get("spec", {})
    older: Document = {"constraint": f"constraints/{constraint}"}
    for rule in spec.get("rules", []):
        if "enforce" in rule:
            older["booleanPolicy"] = {"enforced": rule["enforce"]} if rule["enforce"] else {}
        elif rule.get("denyAll"):
            older["listPolicy"] = {"allValues": "DENY"}
        elif rule.get("allowAll"):
            older["listPolicy"] = {"allValues": "ALLOW"}
        elif "values" in rule:
            older["listPolicy"] = rule["values"]
    return older


def paged(call: Call, field: str, items: list[Document], largest: int, *, default: int = 0) -> Document:
    """One page of an answer."""
    query = dict(call.query)
    size = int(query.get("pageSize") or 0)
    query["pageSize"] = str(min(size or default or largest, largest))
    shown, following = page(items, query)
    answer: Document = {field: shown} if shown else {}
    return {**answer, "nextPageToken": following} if following else answer


HANDLERS = {
    "cloudasset.assets.list": listing,
    "cloudasset.searchAllIamPolicies": search_policies,
    "cloudasset.searchAllResources": search_resources,
}
