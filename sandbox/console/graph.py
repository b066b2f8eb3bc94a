"""The graph of resources: what each project holds, and what refers to what."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.asset_types import asset_type_of_kind, asset_types
from sandbox.hierarchy import ACCOUNTS, RESOURCE_MANAGER

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]

POLICIES = "iam.policies"
PERIMETERS = "accesscontextmanager.servicePerimeters"
BUCKETS = "storage.buckets"

#: Columns of a project's picture, by service.
CATEGORIES = {
    "Identity": ("iam", "orgpolicy", "essentialcontacts", "cloudresourcemanager"),
    "Keys and data": ("cloudkms", "storage", "secretmanager", "bigquery", "artifactregistry"),
    "Code and model": ("cloudfunctions", "run", "cloudbuild", "aiplatform", "cloudtasks", "pubsub", "eventarc"),
    "Network": ("compute", "dns", "vpcaccess"),
    "Observability": ("logging", "monitoring", "billingbudgets", "cloudquotas"),
}
OTHER = "Observability"

#: Kinds that would hide the others by their number, and say little by themselves.
LEFT_OUT = {
    "cloudbilling.billingAccounts",
    "cloudbilling.projects",
    "cloudkms.cryptoKeyVersions",
    "cloudresourcemanager.folders",
    "cloudresourcemanager.organizations",
    "cloudresourcemanager.projects",
    "compute.routes",
    "dns.resourceRecordSets",
    "run.revisions",
    "secretmanager.versions",
    "serviceusage.services",
}


@dataclass(frozen=True)
class Collection:
    """All resources of one kind in one project."""

    project: str
    kind: str
    names: tuple[str, ...]

    @property
    def title(self) -> str:
        """The kind for people: ``cloudkms.googleapis.com/CryptoKey`` as "crypto keys"."""
        noun = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", asset_type_of_kind(self.kind).rpartition("/")[2]).lower()
        if noun.endswith("y") and noun[-2] not in "aeiou":
            return f"{noun[:-1]}ies"
        if noun.endswith("ss"):
            return f"{noun}es"
        return noun if noun.endswith("s") else f"{noun}s"

    @property
    def category(self) -> str:
        """The column that it stands in."""
        service = self.kind.partition(".")[0]
        return next((name for name, services in CATEGORIES.items() if service in services), OTHER)


@dataclass(frozen=True, order=True)
class Connection:
    """References from the resources of one collection to those of another; both by project and kind."""

    source: tuple[str, str]
    target: tuple[str, str]
    how: str
    count: int = 1


@dataclass
class Graph:
    """What there is.

    Attributes:
        projects: collections by project id.
        perimeters: title, enforcement and member ids of each perimeter.
        connections: between collections.
    """

    projects: dict[str, list[Collection]] = field(default_factory=dict)
    perimeters: list[Document] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)


def read(cloud: Cloud) -> Graph:
    """The graph as it stands."""
    graph = Graph()
    graph.projects = {p["projectId"]: [] for p in cloud.projects() if p["state"] == "ACTIVE"}
    places: dict[str, tuple[str, str]] = {}
    held: list[tuple[tuple[str, str], Document]] = []
    by_collection: dict[tuple[str, str], list[str]] = defaultdict(list)
    for kind in (row.kind for row in asset_types() if row.kind not in LEFT_OUT):
        for name, document in cloud.store.items(kind):
            project = project_of(cloud, name, document)
            if project not in graph.projects:
                continue
            place = (project, kind)
            by_collection[place].append(name)
            held.append((place, document))
            for known in (name, document.get("email"), document.get("selfLink")):
                if known:
                    places[plain(cloud, str(known))] = place
            if kind == BUCKETS:
                places[str(document["name"])] = place
    for (project, kind), names in sorted(by_collection.items()):
        graph.projects[project].append(Collection(project, kind, tuple(names)))
    graph.perimeters = perimeters(cloud, set(graph.projects))
    graph.connections = sorted(connections(cloud, places, held))
    return graph


def project_of(cloud: Cloud, name: str, document: Document) -> str:
    """Id of the project that a resource lies in; empty for none."""
    parts = cloud.hierarchy.canonical(name).split("/")
    if parts[0] == "projects" and len(parts) > 1:
        return parts[1]
    number = document.get("projectNumber")
    return cloud.hierarchy.canonical(f"projects/{number}").partition("/")[2] if number else ""


def perimeters(cloud: Cloud, projects: set[str]) -> list[Document]:
    """Each perimeter with its members, in force or in dry-run."""
    found = []
    for document in cloud.store.documents(PERIMETERS):
        enforced, dry = members(cloud, document.get("status", {})), members(cloud, document.get("spec", {}))
        chosen = enforced or dry
        found.append(
            {
                "title": document.get("title", document["name"]),
                "enforced": bool(enforced),
                "members": sorted(chosen & projects),
                "services": len(document.get("status" if enforced else "spec", {}).get("restrictedServices", [])),
            }
        )
    return found


def members(cloud: Cloud, configuration: Document) -> set[str]:
    """Ids of the member projects of a configuration."""
    resources = configuration.get("resources", [])
    return {cloud.hierarchy.canonical(name).partition("/")[2] for name in resources if name.startswith("projects/")}


def plain(cloud: Cloud, text: str) -> str:
    """A reference as a resource's own name: without its host, its key version, its member type."""
    for prefix in ("serviceAccount:", "https://www.googleapis.com/compute/v1/", "https://storage.googleapis.com/"):
        text = text.removeprefix(prefix)
    if text.startswith("//"):
        text = text[2:].partition("/")[2]
    return cloud.hierarchy.canonical(text.partition("/cryptoKeyVersions/")[0])


def connections(
    cloud: Cloud, places: dict[str, tuple[str, str]], held: list[tuple[tuple[str, str], Document]]
) -> Iterator[Connection]:
    """References among the resources, and grants of their policies, counted."""
    counts: dict[tuple[tuple[str, str], tuple[str, str], str], int] = defaultdict(int)
    for place, document in held:
        for text in texts(document):
            target = places.get(plain(cloud, text)) if "/" in text or "@" in text else None
            if target and target != place:
                counts[place, target, "refers to"] += 1
    for resource, policy in cloud.store.items(POLICIES):
        target = places.get(plain(cloud, resource)) or places.get(resource.rpartition("/")[2])
        if target is None or resource.startswith(RESOURCE_MANAGER):
            continue
        for binding in policy.get("bindings", []):
            for member in binding["members"]:
                if (source := places.get(plain(cloud, member))) and source[1] == ACCOUNTS and source != target:
                    counts[source, target, "may use"] += 1
    for (source, target, how), count in counts.items():
        yield Connection(source, target, how, count)


def texts(value: Any) -> Iterator[str]:
    """Every text inside a document, but its own name."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in {"name", "selfLink", "labels"}:
                yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value
