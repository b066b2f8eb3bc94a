"""Reserved addresses, regional and global."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.call import Call
from sandbox.services.compute.failures import Invalid
from sandbox.services.compute.links import link, name_of
from sandbox.services.compute.resource import ComputeResource
from sandbox.services.compute.subnetworks import ranges

Document = dict[str, Any]

KINDS = ("compute.addresses", "compute.globalAddresses")
EXTERNAL = ipaddress.IPv4Network("34.64.0.0/10")
#: What VPC peering ranges and Private Service Connect addresses are taken from when none is asked for.
INTERNAL = ipaddress.IPv4Network("10.0.0.0/8")


class Address(ComputeResource):
    """A regional address."""

    kind = "compute.addresses"
    noun = "address"
    labelled = True
    references: ClassVar[Mapping[str, str]] = {"network": "global/networks", "subnetwork": "{scope}/subnetworks"}

    def prepare(self, call: Call, document: Document) -> None:
        """Type, tier, and the address itself."""
        regional = "region" in document
        kind = document.setdefault("addressType", "EXTERNAL")
        if regional:
            document.setdefault("networkTier", "PREMIUM")
            if kind == "INTERNAL":
                document.setdefault("purpose", "GCE_ENDPOINT")
        elif kind == "EXTERNAL":
            document.setdefault("networkTier", "PREMIUM")
        document["status"] = "RESERVED"
        if not document.get("address"):
            document["address"] = str(self.free(call, document))
        elif self.taken(call, document, document["address"]):
            raise Invalid.value("address", document["address"], "The IP address is already in use.")

    def taken(self, call: Call, document: Document, address: str) -> bool:
        """Whether another reservation in the same network (or on the internet) has the address."""
        network = self.network(call, document)
        return any(
            other.get("address") == address and self.network(call, other) == network
            for kind in KINDS
            for other in call.cloud.store.documents(kind)
        )

    @staticmethod
    def network(call: Call, document: Document) -> str:
        """Link of the network an internal address belongs to; empty for external ones."""
        if document.get("subnetwork"):
            found = call.cloud.store.get("compute.subnetworks", name_of(document["subnetwork"]))
            return found["network"] if found else ""
        return str(document.get("network", ""))

    def free(self, call: Call, document: Document) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
        """The first address that nothing else holds."""
        if document["addressType"] == "EXTERNAL":
            number = call.cloud.store.next("compute.externalAddress")
            return EXTERNAL[number]
        subnetwork = call.cloud.store.get("compute.subnetworks", name_of(document.get("subnetwork", "")))
        if subnetwork:
            hosts = ranges(subnetwork)[0].hosts()
            next(hosts)  # the gateway
            return next(host for host in hosts if not self.taken(call, document, str(host)))
        length = int(document.get("prefixLength", 32))
        candidates = INTERNAL.subnets(new_prefix=length) if length > INTERNAL.prefixlen else iter([INTERNAL])
        occupied = self.occupied(call, document)
        for candidate in candidates:
            if not any(candidate.overlaps(other) for other in occupied):
                return candidate.network_address
        raise Invalid.value("prefixLength", length, "No free range of that size is left in the network.")

    def occupied(self, call: Call, document: Document) -> list[ipaddress.IPv4Network]:
        """IPv4 ranges of the network that subnetworks and other reservations hold."""
        network = document.get("network", "")
        found = [
            cidr
            for subnetwork in call.cloud.store.documents("compute.subnetworks")
            if subnetwork["network"] == network
            for cidr in ranges(subnetwork)
            if isinstance(cidr, ipaddress.IPv4Network)
        ]
        for kind in KINDS:
            for other in call.cloud.store.documents(kind):
                if other["addressType"] == "INTERNAL" and self.network(call, other) == network:
                    text = f"{other['address']}/{other.get('prefixLength', 32)}"
                    found.append(ipaddress.IPv4Network(text, strict=False))
        return found

    def deleting(self, call: Call, document: Document) -> None:
        """Forwarding rules let go of it first."""
        rules = dict.fromkeys(("compute.forwardingRules", "compute.globalForwardingRules"), "_address")
        self.refuse_use(call, rules)

    def view(self, call: Call, document: Document) -> Document:
        """Whether something uses it."""
        users = [
            rule["selfLink"]
            for kind in ("compute.forwardingRules", "compute.globalForwardingRules")
            for rule in call.cloud.store.documents(kind)
            if rule.get("_address") == document["selfLink"]
        ]
        in_use = {"status": "IN_USE", "users": users} if users else {}
        return super().view(call, {**document, **in_use})


class GlobalAddress(Address):
    """A global address: for load balancers, peering ranges and Private Service Connect."""

    kind = "compute.globalAddresses"

    def prepare(self, call: Call, document: Document) -> None:
        """Internal ones belong to a network."""
        if document.get("addressType") == "INTERNAL" and not document.get("network"):
            raise Invalid.value("network", "", "Global internal addresses need a network.")
        super().prepare(call, document)


def reserved(call: Call, reference: str) -> str | None:
    """The link of the reservation behind an address or a reference to one."""
    for kind in KINDS:
        for name, document in call.cloud.store.items(kind):
            if name.startswith(f"projects/{call.project}/") and reference in {document["address"], link(name)}:
                return str(document["selfLink"])
    return None
