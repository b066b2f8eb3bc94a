"""Regions and zones, and the compute view of a project."""

from __future__ import annotations

import json
import zlib
from functools import cache
from importlib import resources
from typing import Any

from sandbox.call import Call
from sandbox.paging import page
from sandbox.services.compute import operations
from sandbox.services.compute.failures import Missing
from sandbox.services.compute.filters import matching
from sandbox.services.compute.links import link, shown

Document = dict[str, Any]

FOUNDED = "1969-12-31T16:00:00.000-08:00"


@cache
def table() -> dict[str, Document]:
    """Zones and auto mode range of each region, by name."""
    text = resources.files("sandbox.services.compute").joinpath("regions.json").read_text()
    regions: dict[str, Document] = json.loads(text)["regions"]
    return regions


def number(name: str) -> str:
    """A stable numeric id for what Google created."""
    return str(1000 + zlib.crc32(name.encode()) % 1000)


def region(call: Call, name: str) -> Document:
    """One region as a project sees it."""
    project = f"projects/{call.project}"
    document = {
        "kind": "compute#region",
        "id": number(name),
        "creationTimestamp": FOUNDED,
        "name": name,
        "description": name,
        "status": "UP",
        "zones": [link(f"{project}/zones/{zone}") for zone in table()[name]["zones"]],
        "quotas": [
            {"metric": "NETWORKS", "limit": 50.0, "usage": 0.0},
            {"metric": "STATIC_ADDRESSES", "limit": 700.0, "usage": 0.0},
        ],
        "selfLink": link(f"{project}/regions/{name}"),
        "supportsPzs": False,
    }
    return dict(shown(document, call.method.version))


def zone(call: Call, name: str) -> Document:
    """One zone as a project sees it."""
    project = f"projects/{call.project}"
    document = {
        "kind": "compute#zone",
        "id": number(name),
        "creationTimestamp": FOUNDED,
        "name": name,
        "description": name,
        "status": "UP",
        "region": link(f"{project}/regions/{name.rpartition('-')[0]}"),
        "selfLink": link(f"{project}/zones/{name}"),
        "supportsPzs": False,
    }
    return dict(shown(document, call.method.version))


def get_region(call: Call) -> Document:
    """A region by name."""
    name = call.segment("regions")
    if name not in table():
        raise Missing(call.name)
    return region(call, name)


def get_zone(call: Call) -> Document:
    """A zone by name."""
    name = call.segment("zones")
    if name not in table().get(name.rpartition("-")[0], {}).get("zones", []):
        raise Missing(call.name)
    return zone(call, name)


def page_of(call: Call, noun: str, documents: list[Document]) -> Document:
    """One page of regions or zones."""
    items, following = page(matching(call, documents), call.query, default=500)
    return {
        "kind": f"compute#{noun}List",
        "id": call.name,
        **({"items": items} if items else {}),
        **({"nextPageToken": following} if following else {}),
        "selfLink": shown(link(call.name), call.method.version),
    }


def list_regions(call: Call) -> Document:
    """All regions."""
    return page_of(call, "region", [region(call, name) for name in table()])


def list_zones(call: Call) -> Document:
    """All zones."""
    return page_of(call, "zone", [zone(call, name) for entry in table().values() for name in entry["zones"]])


SETTINGS = "compute.projects"


def get_project(call: Call) -> Document:
    """The called project's compute settings."""
    return project_view(call, call.project or "")


def project_view(call: Call, identity: str) -> Document:
    """A project's compute settings."""
    project = call.cloud.hierarchy.project(identity)
    if project is None:
        raise Missing(call.name)
    name = f"projects/{project['projectId']}"
    changes = call.cloud.store.get(SETTINGS, name) or {}
    document = {
        "kind": "compute#project",
        "id": project["projectNumber"],
        "creationTimestamp": project["createTime"],
        "name": project["projectId"],
        "commonInstanceMetadata": {"kind": "compute#metadata", "fingerprint": "q4kYm2QeSXk="},
        "selfLink": link(name),
        "defaultServiceAccount": f"{project['projectNumber']}-compute@developer.gserviceaccount.com",
        "xpnProjectStatus": "UNSPECIFIED_XPN_PROJECT_STATUS",
        "defaultNetworkTier": "PREMIUM",
        "vmDnsSetting": "ZONAL_ONLY",
        "cloudArmorTier": "CA_STANDARD",
        **changes,
    }
    return dict(shown(document, call.method.version))


def change_project(call: Call, changes: Document) -> Document:
    """Keep changed settings; answers with the operation."""
    name = f"projects/{call.project}"
    call.cloud.store.put(SETTINGS, name, {**(call.cloud.store.get(SETTINGS, name) or {}), **changes})
    return operations.finished(call, name, call.cloud.hierarchy.project_number(call.project or ""))


def set_metadata(call: Call) -> Document:
    """Replace the metadata that all instances share."""
    fingerprint = call.cloud.identifiers.hexadecimal("metadata", 11) + "="
    return change_project(
        call,
        {"commonInstanceMetadata": {"kind": "compute#metadata", **call.body, "fingerprint": fingerprint}},
    )


def set_tier(call: Call) -> Document:
    """Change the default network tier."""
    return change_project(call, {"defaultNetworkTier": call.body.get("networkTier", "PREMIUM")})


HANDLERS = {
    "compute.regions.get": get_region,
    "compute.regions.list": list_regions,
    "compute.zones.get": get_zone,
    "compute.zones.list": list_zones,
    "compute.projects.get": get_project,
    "compute.projects.setCommonInstanceMetadata": set_metadata,
    "compute.projects.setDefaultNetworkTier": set_tier,
}
