"""After a creation was cut off: what the provider would have deleted next, and is there still.

A network without a way to the internet is made with one, and then the provider deletes Google's default route; a
project without the default network gets it with Compute Engine, and the provider deletes it and its firewall rules.
Whoever takes over such a network or project from Google Cloud gets what was to be deleted as well, and no later update
looks for it.

Sources: resource_compute_network.go and resource_google_project.go of hashicorp/terraform-provider-google 7.39 (read
2026-11).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from plantain.errors import GoogleCloudError
from plantain.recovery.import_ids import PROJECT
from plantain.recovery.leftovers import Leftover

if TYPE_CHECKING:
    from plantain.google_cloud import GoogleCloud

NETWORK = "gcp:compute/network:Network"
ANYWHERE, INTERNET = "0.0.0.0/0", "/default-internet-gateway"
#: What of Compute Engine cannot be asked for yet: no API, no network.
UNASKABLE = {403, 404}


def unfinished(export: Mapping[str, Any], cloud: GoogleCloud) -> Iterator[Leftover]:
    """Default routes and default networks that a state's networks and projects are not to have.

    Raises:
        GoogleCloudError: a list was refused, of a project that has Compute Engine.
        CredentialsError: there is nobody to ask as.
    """
    for resource in export["deployment"].get("resources") or ():
        inputs, identifier = resource.get("inputs", {}), str(resource.get("id", ""))
        if resource["type"] == NETWORK and inputs.get("deleteDefaultRoutesOnCreate") is True:
            yield from _routes(resource["urn"], identifier, cloud)
        if resource["type"] == PROJECT and inputs.get("autoCreateNetwork") is False and not resource.get("external"):
            yield from _network(resource["urn"], identifier.rpartition("/")[2], cloud)


def _routes(urn: str, network: str, cloud: GoogleCloud) -> Iterator[Leftover]:
    project = network.split("/")[1]
    for route in cloud.pages("compute", f"compute/v1/projects/{project}/global/routes", "items"):
        leads_out = route.get("destRange") == ANYWHERE and str(route.get("nextHopGateway")).endswith(INTERNET)
        if leads_out and str(route.get("network")).endswith(f"/{network}"):
            yield _leftover(urn, NETWORK, f"projects/{project}/global/routes/{route['name']}", "default route")


def _network(urn: str, project: str, cloud: GoogleCloud) -> Iterator[Leftover]:
    name = f"projects/{project}/global/networks/default"
    try:
        network = cloud.call("GET", "compute", f"compute/v1/{name}")
    except GoogleCloudError as error:
        if error.status in UNASKABLE:
            return
        raise
    for rule in cloud.pages("compute", f"compute/v1/projects/{project}/global/firewalls", "items"):
        if rule.get("network") == network.get("selfLink"):
            yield _leftover(urn, PROJECT, f"projects/{project}/global/firewalls/{rule['name']}", "default network's")
    yield _leftover(urn, PROJECT, name, "default network")


def _leftover(urn: str, kind: str, name: str, what: str) -> Leftover:
    return Leftover(urn, kind, name, "compute", f"compute/v1/{name}", what)
