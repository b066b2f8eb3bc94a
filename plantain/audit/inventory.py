"""The population of an audit: which projects there are, what was read of each, and what could not be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from plantain.audit.live import (
    datasets,
    federation,
    groups,
    hierarchy,
    keys,
    logs,
    network,
    organization,
    project,
    serverless,
    storage,
)
from plantain.audit.live.reader import Reader
from plantain.audit.unit import Unread
from plantain.errors import GoogleCloudError
from plantain.google_cloud import GoogleCloud
from policies.catalogue import Resource

PARALLEL = 16
GLOBAL = "global"
ACTIVE = "ACTIVE"


@dataclass(frozen=True)
class Reading:
    """What one project, or the organisation, said.

    Attributes:
        project: its id, or organizations/N.
        resources: what is there.
        unread: what it refused to say.
        asked: lists that answered, with how many items each had.
        assets: how many resources of each kind Cloud Asset Inventory counts; None where it cannot be asked.
    """

    project: str
    resources: Sequence[Resource] = ()
    unread: Sequence[Unread] = ()
    asked: Mapping[str, int] = field(default_factory=dict)
    assets: Mapping[str, int] | None = None


def read_projects(cloud: GoogleCloud, projects: Iterable[str], locations: Iterable[str]) -> list[Reading]:
    """Every project, several at a time, in the order given."""
    places = frozenset(locations) | {GLOBAL}
    with ThreadPoolExecutor(PARALLEL) as pool:
        return list(pool.map(lambda name: read_project(cloud, name, places), projects))


def read_project(cloud: GoogleCloud, name: str, locations: frozenset[str]) -> Reading:
    """One project. Places where Cloud Asset Inventory knows of something are asked, too."""
    reader = Reader(cloud, name)
    found = reader.one("GET", "cloudresourcemanager", f"v3/projects/{name}", "projects")
    if found is None or found.get("state", ACTIVE) != ACTIVE:
        return Reading(name, (), reader.unread, reader.asked)
    assets, places = _assets(cloud, name)
    everywhere = sorted(locations | places)
    networks = network.networks(reader, name)
    has_default = any(entry["name"] == "default" for entry in networks)
    resources = [
        *project.read(reader, found, has_default_network=has_default),
        *federation.read(reader, name),
        *hierarchy.deny_policies(reader, f"projects/{name}"),
        *organization.policies(reader, f"projects/{name}"),
        *organization.contacts(reader, f"projects/{name}"),
        *keys.read(reader, name, everywhere),
        *storage.read(reader, name),
        *datasets.read(reader, name),
        *network.read(reader, name, networks),
        *logs.read(reader, name),
        *serverless.read(reader, name, everywhere),
    ]
    return Reading(name, resources, reader.unread, reader.asked, assets)


def read_organization(
    cloud: GoogleCloud, number: str, billing_accounts: set[str], folders: Iterable[str] = ()
) -> Reading:
    """What lies above all projects, with the folders that are named and all above them."""
    reader = Reader(cloud, f"organizations/{number}")
    resources = list(organization.read(reader, number, billing_accounts))
    for found in hierarchy.folders(reader, folders):
        folder = found["name"]
        resources += [
            *hierarchy.folder(reader, found),
            *organization.policies(reader, folder),
            *organization.contacts(reader, folder),
            *hierarchy.firewall_policies(reader, folder),
        ]
    return Reading(reader.project, resources, reader.unread, reader.asked)


def read_groups(cloud: GoogleCloud, addresses: Sequence[str]) -> Reading:
    """Groups and who is in them."""
    reader = Reader(cloud, "groups")
    resources = list(groups.read(reader, addresses))
    return Reading(reader.project, resources, reader.unread, reader.asked)


def campaign_projects(cloud: GoogleCloud) -> tuple[list[str], Unread | None]:
    """Ids of all active projects with a campaign label that the caller may see, and why they could not be listed."""
    query = {"query": "state:ACTIVE labels.campaign:*"}
    try:
        found = list(cloud.pages("cloudresourcemanager", "v3/projects:search", "projects", **query))
    except GoogleCloudError as error:
        reason = f"{error.reason} {error.explanation}".strip()
        return [], Unread("organization", "cloudresourcemanager projects", error.status, reason)
    return sorted(entry["projectId"] for entry in found if (entry.get("labels") or {}).get("campaign")), None


def folder_projects(cloud: GoogleCloud, folder: str) -> tuple[list[str], Unread | None]:
    """Ids of all active projects directly in a folder, labelled or not, and why they could not be listed."""
    try:
        found = list(cloud.pages("cloudresourcemanager", "v3/projects", "projects", parent=folder))
    except GoogleCloudError as error:
        reason = f"{error.reason} {error.explanation}".strip()
        return [], Unread(folder, "cloudresourcemanager projects", error.status, reason)
    return sorted(entry["projectId"] for entry in found if entry.get("state", ACTIVE) == ACTIVE), None


def _assets(cloud: GoogleCloud, name: str) -> tuple[dict[str, int] | None, frozenset[str]]:
    """Counts by kind, and places, of what Cloud Asset Inventory knows; nothing where it is not enabled."""
    counts: dict[str, int] = {}
    places: set[str] = set()
    try:
        for asset in cloud.pages("cloudasset", f"v1/projects/{name}:searchAllResources", "results", pageSize=500):
            counts[asset["assetType"]] = counts.get(asset["assetType"], 0) + 1
            places.add(str(asset.get("location", "")).lower())
    except GoogleCloudError:
        return None, frozenset()
    return counts, frozenset(places - {"", GLOBAL})


def located(resources: Iterable[Resource]) -> set[str]:
    """The places that declared resources name."""
    found: set[str] = set()
    for resource in resources:
        for name in ("location", "region"):
            value: Any = resource.properties.get(name)
            if isinstance(value, str) and value:
                found.add(value.lower())
    return found
