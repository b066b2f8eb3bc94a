"""Names that pulumi draws anew at each update: which one an earlier update drew for what exists by now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plantain.recovery.import_ids import PROJECT, Inputs

if TYPE_CHECKING:
    from plantain.google_cloud import GoogleCloud


def under_earlier_names(
    resources: Iterable[dict[str, Any]], cloud: GoogleCloud, export: dict[str, Any]
) -> list[dict[str, Any]]:
    """Creations, in their order, with the names drawn earlier; what lies in a project so named is in that project.

    Raises:
        GoogleCloudError: a search was refused.
    """
    names: dict[str, str] = {}
    found = []
    for resource in resources:
        one = {**resource, "inputs": replaced(resource["inputs"], names)}
        earlier = named(one, cloud, export)
        if earlier is not one:
            field = DRAWN[one["type"]].field
            names[one["inputs"][field]] = earlier["inputs"][field]
        found.append(earlier)
    return found


def replaced(value: Any, names: Mapping[str, str]) -> Any:
    """Inputs with other names, wherever one stands in them; their drawn end makes each unlike any other text."""
    if isinstance(value, dict):
        return {key: replaced(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [replaced(inner, names) for inner in value]
    if isinstance(value, str):
        for drawn, earlier in names.items():
            value = value.replace(drawn, earlier)
    return value


def named(resource: dict[str, Any], cloud: GoogleCloud, export: dict[str, Any]) -> dict[str, Any]:
    """A creation with the name that an earlier update drew for it, where pulumi draws names anew at each update.

    Raises:
        GoogleCloudError: the search was refused.
    """
    inputs: Inputs = resource["inputs"]
    drawn = DRAWN.get(resource["type"])
    if drawn is None or drawn.field not in inputs.get("__defaults", ()):
        return resource
    known = {str(one.get("id")) for one in export["deployment"].get("resources") or ()}
    found = drawn.search(cloud, inputs, known)
    return resource if found is None else {**resource, "inputs": {**inputs, drawn.field: found}}


@dataclass(frozen=True)
class Drawn:
    """A type of which pulumi draws the end of the name.

    Attributes:
        field: the input that holds the name.
    """

    field: str

    def search(self, cloud: GoogleCloud, inputs: Inputs, known: set[str]) -> str | None:
        """The name under which a resource with these inputs exists that the state lacks; None when there is none."""
        raise NotImplementedError


class DrawnProject(Drawn):
    """A project: same parent, same display name, and every label that was asked for."""

    def search(self, cloud: GoogleCloud, inputs: Inputs, known: set[str]) -> str | None:
        """As ``Drawn.search``; without labels there is no telling whose it is."""
        kind = "organization" if "orgId" in inputs else "folder"
        parent = str(inputs.get("orgId") or inputs.get("folderId") or "").rpartition("/")[2]
        labels = (inputs.get("labels") or {}).items()
        if not (parent and labels):
            return None
        for item in cloud.pages("cloudresourcemanager", "v1/projects", "projects", filter=f"parent.id:{parent}"):
            same = item.get("name") == inputs.get("name") and labels <= (item.get("labels") or {}).items()
            alive = item.get("lifecycleState") == "ACTIVE" and item.get("parent") == {"type": kind, "id": parent}
            if same and alive and f"projects/{item['projectId']}" not in known:
                return str(item["projectId"])
        return None


class DrawnSubnetwork(Drawn):
    """A subnetwork: same range in the same network."""

    def search(self, cloud: GoogleCloud, inputs: Inputs, known: set[str]) -> str | None:
        """As ``Drawn.search``."""
        if not {"project", "region", "network", "ipCidrRange"} <= inputs.keys():
            return None
        path = f"compute/v1/projects/{inputs['project']}/regions/{inputs['region']}/subnetworks"
        for item in cloud.pages("compute", path, "items"):
            same = item.get("ipCidrRange") == inputs["ipCidrRange"]
            if same and str(item.get("network", "")).endswith(f"/{inputs['network'].rpartition('/')[2]}"):
                identifier = f"projects/{inputs['project']}/regions/{inputs['region']}/subnetworks/{item['name']}"
                if identifier not in known:
                    return str(item["name"])
        return None


DRAWN: dict[str, Drawn] = {
    "gcp:compute/subnetwork:Subnetwork": DrawnSubnetwork("name"),
    PROJECT: DrawnProject("projectId"),
}
