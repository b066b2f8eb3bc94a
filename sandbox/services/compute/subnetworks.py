"""Subnetworks: ranges, secondary ranges, Private Google Access."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.call import Call
from sandbox.services.compute import operations, routes
from sandbox.services.compute.failures import Invalid
from sandbox.services.compute.links import link, name_of
from sandbox.services.compute.regions import table
from sandbox.services.compute.resource import ComputeResource, digest

Document = dict[str, Any]
Range = ipaddress.IPv4Network | ipaddress.IPv6Network

KIND = "compute.subnetworks"
SMALLEST = 29

DEFAULTS = {
    "privateIpGoogleAccess": False,
    "privateIpv6GoogleAccess": "DISABLE_GOOGLE_ACCESS",
    "purpose": "PRIVATE",
    "stackType": "IPV4_ONLY",
}
PROXY_PURPOSES = {"REGIONAL_MANAGED_PROXY", "GLOBAL_MANAGED_PROXY", "PRIVATE_SERVICE_CONNECT"}


class Subnetwork(ComputeResource):
    """A range of a network in one region."""

    kind = KIND
    noun = "subnetwork"
    fingerprinted = True
    references: ClassVar[Mapping[str, str]] = {"network": "global/networks", "region": "regions"}
    required: ClassVar[Mapping[str, str]] = {"network": "compute.networks"}
    immutable = ("network", "name")

    def prepare(self, call: Call, document: Document) -> None:
        """A free range, its gateway, defaults."""
        if call.segment("regions") not in table():
            raise Invalid.value("region", call.segment("regions"), "The referenced region does not exist.")
        if not document.get("network"):
            raise Invalid.value("network", "", "The network must be given.")
        proxy = document.get("purpose") in PROXY_PURPOSES
        for key, value in DEFAULTS.items():
            if not (proxy and key.startswith("private")):
                document.setdefault(key, value)
        self.check_ranges(call, document)
        if not proxy:
            document["gatewayAddress"] = str(next(parse("ipCidrRange", document["ipCidrRange"]).hosts()))
        document["state"] = "READY"
        tell_flow_logs(document)

    def check_ranges(self, call: Call, document: Document) -> None:
        """Ranges are well formed and overlap nothing in their network."""
        taken: list[tuple[str, Range]] = []
        for name, other in call.cloud.store.items(KIND):
            if other["network"] == document["network"] and other["selfLink"] != document["selfLink"]:
                taken += [(name, cidr) for cidr in ranges(other)]
        for own in ranges(document):
            for name, other_range in taken:
                if own.version == other_range.version and own.overlaps(other_range):
                    raise Invalid(
                        f"Invalid IPCidrRange: {own} conflicts with existing subnetwork '{name.rpartition('/')[2]}' in "
                        f"region '{name.split('/')[3]}'."
                    )

    def created(self, call: Call, document: Document) -> None:
        """Its network gets a route to it."""
        name = f"{call.name}/{document['name']}"
        routes.add_local(call, name_of(document["network"]), name, document["ipCidrRange"])

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """New secondary ranges overlap nothing."""
        self.check_ranges(call, after)
        if before.get("enableFlowLogs") != after.get("enableFlowLogs"):
            after["logConfig"] = {**after.get("logConfig", {}), "enable": bool(after.get("enableFlowLogs"))}
        tell_flow_logs(after)

    def deleting(self, call: Call, document: Document) -> None:
        """Nothing may lie in it."""
        if document.get("_owned"):
            raise Invalid(
                "Cannot delete a subnetwork of an auto mode network: switch the network to custom mode first."
            )
        self.refuse_use(call, dict.fromkeys(("compute.addresses", "compute.forwardingRules"), "subnetwork"))
        routes.remove(call, "_subnetwork", call.name)


def tell_flow_logs(document: Document) -> None:
    """Flow logs have two fields: the older one says whether they are on, and is told once they were."""
    enabled = document.get("logConfig", {}).get("enable")
    if enabled or (enabled is False and "enableFlowLogs" in document):
        document["enableFlowLogs"] = enabled


def parse(field: str, text: str) -> Range:
    """A network range.

    Raises:
        Invalid: it is malformed or too small.
    """
    try:
        cidr = ipaddress.ip_network(text)
    except ValueError:
        raise Invalid.value(field, text, "Must be a valid CIDR range.") from None
    if cidr.version == 4 and cidr.prefixlen > SMALLEST:  # noqa: PLR2004 -- IPv4
        raise Invalid.value(field, text, f"The prefix must be /{SMALLEST} or shorter.")
    return cidr


def ranges(document: Document) -> list[Range]:
    """All ranges of a subnetwork."""
    secondary = document.get("secondaryIpRanges", [])
    found = [parse("secondaryIpRanges", entry["ipCidrRange"]) for entry in secondary if entry.get("ipCidrRange")]
    return [parse("ipCidrRange", document.get("ipCidrRange", "")), *found]


def add_everywhere(call: Call, network: str) -> None:
    """One subnetwork in each region, in the range that auto mode reserves for it."""
    project = "/".join(network.split("/")[:2])
    short = network.rpartition("/")[2]
    for region, facts in table().items():
        if "autoRange" not in facts:
            continue
        name = f"{project}/regions/{region}/subnetworks/{short}"
        document = {
            "kind": "compute#subnetwork",
            "id": call.cloud.identifiers.number("compute.id", 19),
            "creationTimestamp": operations.timestamp(call),
            "name": short,
            "network": link(network),
            "ipCidrRange": facts["autoRange"],
            "gatewayAddress": str(next(parse("ipCidrRange", facts["autoRange"]).hosts())),
            "region": link(f"{project}/regions/{region}"),
            "selfLink": link(name),
            "fingerprint": digest([name, call.cloud.store.next("fingerprint")]),
            "state": "READY",
            **DEFAULTS,
            "_owned": True,
        }
        call.cloud.store.put(KIND, name, document)
        routes.add_local(call, network, name, facts["autoRange"])


SUBNETWORK = Subnetwork()


def expand(call: Call) -> Document:
    """Widen the primary range; it may not shrink."""
    call.name = call.name.removesuffix("/expandIpCidrRange")
    before = SUBNETWORK.read(call)
    wider, current = parse("ipCidrRange", call.body.get("ipCidrRange", "")), parse("", before["ipCidrRange"])
    if wider == current or not wider.overlaps(current) or wider.prefixlen > current.prefixlen:
        raise Invalid.value("ipCidrRange", wider, f"The new range must contain the current one, {current}.")
    after = {**before, "ipCidrRange": str(wider), "gatewayAddress": str(next(wider.hosts()))}
    answer = SUBNETWORK.change(call, before, after)
    routes.remove(call, "_subnetwork", call.name)
    routes.add_local(call, name_of(after["network"]), call.name, str(wider))
    return answer


def set_private_access(call: Call) -> Document:
    """Let instances without external address reach Google's APIs, or not."""
    call.name = call.name.removesuffix("/setPrivateIpGoogleAccess")
    before = SUBNETWORK.read(call)
    return SUBNETWORK.change(
        call, before, {**before, "privateIpGoogleAccess": bool(call.body.get("privateIpGoogleAccess"))}
    )


def usable(call: Call) -> Document:
    """Subnetworks that the project may use."""
    found = [
        {
            "subnetwork": document["selfLink"],
            "network": document["network"],
            "ipCidrRange": document["ipCidrRange"],
            "purpose": document["purpose"],
            "stackType": document["stackType"],
        }
        for name, document in call.cloud.store.items(KIND)
        if name.startswith(f"projects/{call.project}/")
    ]
    return {"kind": "compute#usableSubnetworksAggregatedList", "id": call.name, "items": found}


HANDLERS = {
    "compute.subnetworks.expandIpCidrRange": expand,
    "compute.subnetworks.setPrivateIpGoogleAccess": set_private_access,
    "compute.subnetworks.listUsable": usable,
}
