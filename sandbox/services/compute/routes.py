"""Routes: those that callers write, and those that networks and subnetworks bring with them."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.call import Call
from sandbox.services.compute import operations
from sandbox.services.compute.failures import Invalid
from sandbox.services.compute.links import link
from sandbox.services.compute.resource import ComputeResource

Document = dict[str, Any]

KIND = "compute.routes"
NEXT_HOPS = ("nextHopGateway", "nextHopIp", "nextHopInstance", "nextHopVpnTunnel", "nextHopIlb")
DEFAULT_PRIORITY = 1000


class Route(ComputeResource):
    """A static route."""

    kind = KIND
    noun = "route"
    references: ClassVar[Mapping[str, str]] = {
        "network": "global/networks",
        "nextHopGateway": "global/gateways",
        "nextHopNetwork": "global/networks",
        "nextHopVpnTunnel": "",
        "nextHopInstance": "",
    }
    required: ClassVar[Mapping[str, str]] = {"network": "compute.networks"}

    def prepare(self, call: Call, document: Document) -> None:
        """One next hop, a valid range, the default priority."""
        try:
            ipaddress.ip_network(document.get("destRange", ""))
        except ValueError:
            raise Invalid.value("destRange", document.get("destRange", ""), "Must be a valid CIDR range.") from None
        if not document.get("network"):
            raise Invalid.value("network", "", "The network must be given.")
        if sum(hop in document for hop in NEXT_HOPS) != 1:
            raise Invalid("Exactly one next hop must be specified: " + ", ".join(NEXT_HOPS) + ".")
        document.setdefault("priority", DEFAULT_PRIORITY)

    def deleting(self, call: Call, document: Document) -> None:
        """Routes of subnetworks go with their subnetwork."""
        if document.get("_subnetwork"):
            raise Invalid("The local route cannot be deleted.")


def put(call: Call, network: str, fields: Document) -> None:
    """Add a route that comes with a network (``projects/p/global/networks/n``)."""
    project = "/".join(network.split("/")[:2])
    identity = call.cloud.identifiers.hexadecimal("compute.routes", 16)
    name = f"default-route-{'r-' if '_subnetwork' in fields else ''}{identity}"
    full = f"{project}/global/routes/{name}"
    document = {
        "kind": "compute#route",
        "id": call.cloud.identifiers.number("compute.id", 19),
        "creationTimestamp": operations.timestamp(call),
        "name": name,
        "network": link(network),
        "selfLink": link(full),
        "_owned": True,
        **fields,
    }
    call.cloud.store.put(KIND, full, document)


def add_default(call: Call, network: str) -> None:
    """The way to the internet that every new network has."""
    gateway = f"{'/'.join(network.split('/')[:2])}/global/gateways/default-internet-gateway"
    put(
        call,
        network,
        {
            "description": "Default route to the Internet.",
            "destRange": "0.0.0.0/0",
            "priority": DEFAULT_PRIORITY,
            "nextHopGateway": link(gateway),
        },
    )


def add_local(call: Call, network: str, subnetwork: str, cidr: str) -> None:
    """The way to a subnetwork's range, which exists as long as the subnetwork."""
    put(
        call,
        network,
        {
            "description": f"Default local route to the subnetwork {cidr}.",
            "destRange": cidr,
            "priority": 0,
            "nextHopNetwork": link(network),
            "_subnetwork": subnetwork,
        },
    )


def remove(call: Call, key: str, value: str) -> None:
    """Remove the routes that came with a network or subnetwork."""
    for name, document in call.cloud.store.items(KIND):
        if document.get("_owned") and document.get(key) == value:
            call.cloud.store.delete(KIND, name)
