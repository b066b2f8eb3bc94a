"""The inventory: every stored resource as an asset, with its ancestors, its place and its policy."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sandbox.asset_types import AssetType, asset_types
from sandbox.call import Call
from sandbox.errors import ApiError

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]

KEY = re.compile(r"projects/[\w:.-]+/locations/[\w-]+/keyRings/[\w-]+/cryptoKeys/[\w-]+(?:/cryptoKeyVersions/\d+)?")
PLACE = re.compile(r"/(?:locations|regions|zones)/([^/]+)/")
CONTAINERS = ("organizations/", "folders/", "projects/")


@dataclass(frozen=True, slots=True)
class Asset:
    """One resource.

    Attributes:
        type: its row in the table.
        stored: the name under which the sandbox keeps it.
        document: the stored document.
        ancestors: ``projects/<number>`` (if any), folders, organisation, nearest first.
    """

    type: AssetType
    stored: str
    document: Document
    ancestors: tuple[str, ...]

    @property
    def project(self) -> str:
        """``projects/<number>``; empty for what belongs to none."""
        return self.ancestors[0] if self.ancestors and self.ancestors[0].startswith("projects/") else ""


def assets(cloud: Cloud, scope: str, wanted: list[str]) -> Iterator[Asset]:
    """Every asset below a scope, by type and in order of creation.

    Args:
        cloud: the sandbox.
        scope: ``organizations/N``, ``folders/N``, ``projects/<id or number>``.
        wanted: asset types, regular expressions in RE2's notation allowed; empty means all.
    """
    scope = cloud.hierarchy.numbered(scope)
    for row in asset_types():
        if wanted and not any(re.fullmatch(pattern, row.asset_type) for pattern in wanted):
            continue
        for stored, document in cloud.store.items(row.kind):
            above = ancestors(cloud, stored, document)
            if scope in above:
                yield Asset(row, stored, document, above)


def ancestors(cloud: Cloud, stored: str, document: Document) -> tuple[str, ...]:
    """What a resource lies in, nearest first, itself included when it is a container."""
    root = "/".join(stored.split("/")[:2])
    if stored.startswith("b/"):
        root = f"projects/{document['_project']}"
    elif not root.startswith(CONTAINERS):
        parent = str(document.get("parent", ""))
        root = parent if parent.startswith(CONTAINERS) else cloud.hierarchy.organization
    return tuple(cloud.hierarchy.numbered(name) for name in cloud.hierarchy.ancestors(root))


def full_name(cloud: Cloud, asset: Asset) -> str:
    """The asset's full resource name."""
    kind, stored = asset.type.kind, asset.stored
    if kind == "storage.buckets":
        return f"//storage.googleapis.com/{stored.removeprefix('b/')}"
    if kind == "iam.serviceAccounts":
        stored = f"{stored.rpartition('/')[0]}/{asset.document['uniqueId']}"
    if kind == "cloudbilling.projects":
        stored = f"{stored}/billingInfo"
    if kind in {"cloudresourcemanager.projects", "serviceusage.services", "orgpolicy.policies"}:
        stored = cloud.hierarchy.numbered(stored)
    return f"//{asset.type.host}/{stored}"


def policy_name(asset: Asset) -> str:
    """The name under which the asset's own allow policy is kept."""
    return f"//{asset.type.host}/{asset.stored}"


def shown(call: Call, asset: Asset) -> Document:
    """The resource as its own API answers a read."""
    cloud, service = call.cloud, asset.type.kind.partition(".")[0]
    method = next(
        (
            m
            for m in cloud.description.methods(service)
            if m.kind == asset.type.kind and m.action == "get" and m.version == asset.type.version and not m.download
        ),
        None,
    )
    plain = {key: value for key, value in asset.document.items() if not key.startswith("_")}
    if method is None:
        return plain
    route = cloud.description.match(service, "GET", method.prefix + quote(asset.stored, safe="/@:.~-_"))
    if route is None:
        return plain
    read = Call(
        cloud=cloud,
        method=route.method,
        name=asset.stored,
        parameters=route.parameters,
        query={},
        body={},
        principal=call.principal,
        origin=call.origin,
        consumer=call.consumer,
    )
    try:
        answer = cloud.services.handler(route.method)(read)
    except ApiError:  # what has no read of its own is shown as it is stored
        return plain
    return answer if isinstance(answer, dict) else plain


def location(asset: Asset) -> str:
    """Region, zone, multi-region or ``global``."""
    if place := asset.document.get("location"):
        return str(place).lower()
    found = PLACE.search(f"{asset.stored}/")
    return found[1] if found else "global"


def keys(value: Any) -> list[str]:
    """Every customer-managed key that a document names, sorted."""
    return sorted(set(KEY.findall(json.dumps(value))))


def labels(document: Document) -> Document:
    """The resource's labels, whatever its API calls them."""
    found = document.get("labels") or document.get("userLabels") or {}
    return found if isinstance(found, dict) else {}


def first(document: Document, *names: str) -> str:
    """The first of several fields that is there."""
    return next((str(document[name]) for name in names if document.get(name)), "")
