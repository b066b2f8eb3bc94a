"""Cloud Routers with their NAT gateways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.call import Call
from sandbox.services.compute.links import link, path, shown
from sandbox.services.compute.resource import ComputeResource

Document = dict[str, Any]

#: https://docs.cloud.google.com/nat/docs/gce-example (read 2026-08).
NAT_DEFAULTS = {
    "endpointTypes": ["ENDPOINT_TYPE_VM"],
    "enableEndpointIndependentMapping": False,
    "type": "PUBLIC",
    "autoNetworkTier": "PREMIUM",
}


class Router(ComputeResource):
    """A router of one network in one region."""

    kind = "compute.routers"
    noun = "router"
    references: ClassVar[Mapping[str, str]] = {"network": "global/networks"}
    required: ClassVar[Mapping[str, str]] = {"network": "compute.networks"}
    immutable = ("network",)

    def prepare(self, call: Call, document: Document) -> None:
        """Defaults of its gateways."""
        document.setdefault("encryptedInterconnectRouter", False)
        if not document["encryptedInterconnectRouter"]:
            del document["encryptedInterconnectRouter"]
        self.complete(call, document)

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """Defaults of new gateways."""
        self.complete(call, after)

    @staticmethod
    def complete(call: Call, document: Document) -> None:
        """NAT gateways with defaults and links; BGP with its defaults."""
        scope = "/".join(call.name.split("/")[2:4])
        for nat in document.get("nats", []):
            for key, value in NAT_DEFAULTS.items():
                nat.setdefault(key, value)
            nat["natIps"] = [link(path(ip, call.project or "", f"{scope}/addresses")) for ip in nat.get("natIps", [])]
            if not nat["natIps"]:
                del nat["natIps"]
            for entry in nat.get("subnetworks", []):
                entry["name"] = link(path(entry["name"], call.project or "", f"{scope}/subnetworks"))
        if "nats" in document and not document["nats"]:
            del document["nats"]
        if bgp := document.get("bgp"):
            bgp.setdefault("advertiseMode", "DEFAULT")
            bgp.setdefault("keepaliveInterval", 20)

    def status(self, call: Call) -> Document:
        """Nothing is connected, so the status is the router's network and its gateways."""
        call.name = call.name.removesuffix("/getRouterStatus")
        document = self.read(call)
        nats = [{"name": nat["name"], "minExtraNatIpsNeeded": 0} for nat in document.get("nats", [])]
        result = {"network": document["network"], **({"natStatus": nats} if nats else {})}
        return dict(shown({"kind": "compute#routerStatusResponse", "result": result}, call.method.version))
