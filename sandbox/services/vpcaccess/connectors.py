"""Connectors: limits from https://docs.cloud.google.com/vpc/docs/configure-serverless-vpc-access (read 2026-08)."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any

from sandbox.errors import InvalidArgument, NotFound
from sandbox.resources import Resource

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]

NAME = re.compile(r"[a-z][-a-z0-9]{0,23}[a-z0-9]")
#: Mbit/s that one instance carries, by machine type.
THROUGHPUT = {"f1-micro": 100, "e2-micro": 100, "e2-standard-4": 320}
MOST_INSTANCES, FEWEST_INSTANCES = 10, 2
PREFIX = 28


class Connector(Resource):
    """A connector between serverless services and a network."""

    kind = "vpcaccess.connectors"
    package = "google.cloud.vpcaccess.v1"
    message = "Connector"
    immutable = ("network", "ipCidrRange", "subnet")

    def prepare(self, call: Call, document: Document) -> None:
        """Name, network or subnetwork, size."""
        if not NAME.fullmatch(document["name"].rpartition("/")[2]):
            raise InvalidArgument("The connector id must match ^[a-z][-a-z0-9]{0,23}[a-z0-9]$.")
        if bool(document.get("subnet")) == bool(document.get("network")):
            raise InvalidArgument("A connector has either a network with an ipCidrRange, or a subnet.")
        if subnet := document.get("subnet", {}).get("name"):
            owner = document["subnet"].get("projectId") or call.project
            region = call.segment("locations")
            require(call, "compute.subnetworks", f"projects/{owner}/regions/{region}/subnetworks/{subnet}")
        else:
            require(call, "compute.networks", f"projects/{call.project}/global/networks/{document['network']}")
            check_range(document.get("ipCidrRange", ""))
        size(document)
        document["state"] = "READY"
        document["connectedProjects"] = [call.project]

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """Only the size changes."""
        del call, before
        size(after)


def require(call: Call, kind: str, name: str) -> None:
    """Refuse a connector whose network is not there."""
    if call.cloud.store.get(kind, name) is None:
        raise NotFound(f"The resource '{name}' was not found")


def check_range(text: str) -> None:
    """An unused /28."""
    try:
        found = ipaddress.ip_network(text)
    except ValueError:
        raise InvalidArgument(f"Invalid IP CIDR range {text!r}: a /28 is needed, as 10.8.0.0/28.") from None
    if found.prefixlen != PREFIX:
        raise InvalidArgument(f"Invalid IP CIDR range {text}: a /28 is needed, not a /{found.prefixlen}.")


def size(document: Document) -> None:
    """Instances and throughput, one from the other."""
    machine = document.setdefault("machineType", "e2-micro")
    if machine not in THROUGHPUT:
        raise InvalidArgument(f"Invalid machine type {machine!r}: {', '.join(THROUGHPUT)}.")
    each = THROUGHPUT[machine]
    least = document.setdefault("minInstances", document.get("minThroughput", 0) // each or FEWEST_INSTANCES)
    most = document.setdefault("maxInstances", document.get("maxThroughput", 0) // each or MOST_INSTANCES)
    if not FEWEST_INSTANCES <= least < most <= MOST_INSTANCES:
        raise InvalidArgument(
            f"A connector has {FEWEST_INSTANCES} to {MOST_INSTANCES} instances, and fewer at least than at most: "
            f"minInstances is {least}, maxInstances {most}."
        )
    document["minThroughput"], document["maxThroughput"] = least * each, most * each
