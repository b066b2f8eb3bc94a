"""Forwarding rules, regional and global. Global ones also make Private Service Connect endpoints for Google's APIs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.call import Call
from sandbox.services.compute.addresses import reserved
from sandbox.services.compute.links import link, name_of, path
from sandbox.services.compute.resource import ComputeResource

Document = dict[str, Any]

#: Targets that are bundles of Google's APIs:
#: https://docs.cloud.google.com/vpc/docs/configure-private-service-connect-apis (read 2026-08).
BUNDLES = {"all-apis", "vpc-sc"}


class ForwardingRule(ComputeResource):
    """A regional forwarding rule."""

    kind = "compute.forwardingRules"
    noun = "forwardingRule"
    labelled = True
    fingerprinted = True
    references: ClassVar[Mapping[str, str]] = {
        "network": "global/networks",
        "subnetwork": "{scope}/subnetworks",
        "backendService": "{scope}/backendServices",
    }

    def prepare(self, call: Call, document: Document) -> None:
        """Address, tier, and the connection's state."""
        target = document.get("target", "")
        bundle = target in BUNDLES
        service = "/serviceAttachments/" in target
        if target and not bundle:
            document["target"] = link(path(target, call.project or "", ""))
        if not bundle and not service:
            document.setdefault("loadBalancingScheme", "EXTERNAL")
            document.setdefault("IPProtocol", "TCP")
            document.setdefault("networkTier", "PREMIUM")
        given = document.get("IPAddress", "")
        if given:
            reference = given if given[:1].isdigit() else link(path(given, call.project or "", self.collection(call)))
            document["_address"] = reserved(call, reference) or ""
            if document["_address"]:
                document["IPAddress"] = self.address(call, document["_address"])
        else:
            number = call.cloud.store.next("compute.externalAddress")
            document["IPAddress"] = f"34.120.{number // 250 % 250}.{number % 250 + 1}"
        if bundle or service:
            document["pscConnectionId"] = call.cloud.identifiers.number("pscConnectionId", 17)
            document["pscConnectionStatus"] = "ACCEPTED"
            document["serviceDirectoryRegistrations"] = document.get("serviceDirectoryRegistrations") or [
                {"namespace": "goog-psc-default"}
            ]
        if (
            document.get("ports")
            and not document.get("portRange")
            and document.get("loadBalancingScheme") == "EXTERNAL"
        ):
            document["portRange"] = f"{document['ports'][0]}-{document['ports'][-1]}"

    @staticmethod
    def collection(call: Call) -> str:
        """Where bare address names lie."""
        return call.name.split("/", 2)[2].rpartition("/")[0] + "/addresses"

    @staticmethod
    def address(call: Call, reservation: str) -> str:
        """The reserved address."""
        for kind in ("compute.addresses", "compute.globalAddresses"):
            if found := call.cloud.store.get(kind, name_of(reservation)):
                return str(found["address"])
        return ""

    def set_target(self, call: Call) -> Document:
        """Point the rule elsewhere."""
        call.name = call.name.removesuffix("/setTarget")
        before = self.read(call)
        return self.change(
            call, before, {**before, "target": link(path(call.body.get("target", ""), call.project or ""))}
        )


class GlobalForwardingRule(ForwardingRule):
    """A global forwarding rule."""

    kind = "compute.globalForwardingRules"
