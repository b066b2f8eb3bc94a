"""VPC networks."""

from __future__ import annotations

from typing import Any

from sandbox.call import Call
from sandbox.services.compute import hierarchical_firewalls, operations, routes, subnetworks
from sandbox.services.compute.failures import Invalid, Missing
from sandbox.services.compute.links import link, path, shown
from sandbox.services.compute.resource import ComputeResource

Document = dict[str, Any]

KIND = "compute.networks"

#: What refers to a network, in the order in which Google names it.
USERS = {
    "compute.firewalls": "network",
    "compute.subnetworks": "network",
    "compute.routes": "network",
    "compute.routers": "network",
    "compute.addresses": "network",
    "compute.globalAddresses": "network",
    "compute.forwardingRules": "network",
    "compute.globalForwardingRules": "network",
}


class Network(ComputeResource):
    """A VPC network in custom or auto mode."""

    kind = KIND
    noun = "network"
    immutable = ("autoCreateSubnetworks", "IPv4Range", "internalIpv6Range")

    def prepare(self, call: Call, document: Document) -> None:
        """Defaults, and the link by id."""
        if "IPv4Range" in document:
            raise Invalid("Legacy networks are no longer supported: leave out IPv4Range.")
        document.setdefault("autoCreateSubnetworks", True)
        document.setdefault("networkFirewallPolicyEnforcementOrder", "AFTER_CLASSIC_FIREWALL")
        if document.get("enableUlaInternalIpv6") is False:
            del document["enableUlaInternalIpv6"]
        self.complete_routing(document)
        document["selfLinkWithId"] = link(f"{call.name}/{document['id']}")

    @staticmethod
    def complete_routing(document: Document) -> None:
        """A routing mode brings the way best paths are selected."""
        if document.get("routingConfig"):
            document["routingConfig"].setdefault("bgpBestPathSelectionMode", "LEGACY")

    def created(self, call: Call, document: Document) -> None:
        """A default route, and in auto mode a subnetwork in each region."""
        name = f"{call.name}/{document['name']}"
        routes.add_default(call, name)
        if document["autoCreateSubnetworks"]:
            subnetworks.add_everywhere(call, name)

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """A new routing mode keeps the rest of the routing settings."""
        self.complete_routing(after)

    def deleting(self, call: Call, document: Document) -> None:
        """Nothing of the caller's may be left in it; what came with it goes with it."""
        self.refuse_use(call, USERS)
        own = link(call.name)
        for name, other in call.cloud.store.items(subnetworks.KIND):
            if other["network"] == own:
                call.cloud.store.delete(subnetworks.KIND, name)
        routes.remove(call, "network", own)

    def view(self, call: Call, document: Document) -> Document:
        """With the links of its subnetworks."""
        own = document["selfLink"]
        below = sorted(
            other["selfLink"] for other in call.cloud.store.documents(subnetworks.KIND) if other["network"] == own
        )
        return super().view(call, {**document, **({"subnetworks": below} if below else {})})


NETWORK = Network()


def current(call: Call, suffix: str) -> Document:
    """The network that a ``.../networks/n/<suffix>`` call is about; ``call.name`` becomes its own."""
    call.name = call.name.removesuffix(f"/{suffix}")
    return NETWORK.read(call)


def switch_to_custom_mode(call: Call) -> Document:
    """Keep the subnetworks of an auto mode network, as the caller's own from now on."""
    before = current(call, "switchToCustomMode")
    for name, other in call.cloud.store.items(subnetworks.KIND):
        if other["network"] == before["selfLink"] and other.pop("_owned", None):
            call.cloud.store.put(subnetworks.KIND, name, other)
    after = {**before, "autoCreateSubnetworks": False}
    call.cloud.store.put(KIND, call.name, after)
    return operations.finished(call, call.name, after["id"])


def add_peering(call: Call) -> Document:
    """Peer with another network; active once both sides have done so."""
    before = current(call, "addPeering")
    asked = call.body.get("networkPeering", {})
    name = asked.get("name") or call.body.get("name", "")
    peer = call.cloud.hierarchy.canonical(
        path(asked.get("network") or call.body.get("peerNetwork", ""), call.project or "", "global/networks")
    )
    peerings = before.setdefault("peerings", [])
    if any(peering["name"] == name for peering in peerings):
        raise Invalid.value("networkPeering.name", name, "There is already a peering of that name in the network.")
    other = call.cloud.store.get(KIND, peer)
    back = next((p for p in (other or {}).get("peerings", []) if p["network"] == before["selfLink"]), None)
    state = ("ACTIVE", "Connected.") if back else ("INACTIVE", "Waiting for peer network to connect.")
    peerings.append(
        {
            "autoCreateRoutes": True,
            "exchangeSubnetRoutes": True,
            "exportSubnetRoutesWithPublicIp": True,
            "importSubnetRoutesWithPublicIp": False,
            "exportCustomRoutes": False,
            "importCustomRoutes": False,
            "stackType": "IPV4_ONLY",
            **asked,
            "name": name,
            "network": link(peer),
            "state": state[0],
            "stateDetails": f"[{call.cloud.clock.timestamp_millis()}]: {state[1]}",
        }
    )
    call.cloud.store.put(KIND, call.name, before)
    if other and back:
        back |= {"state": "ACTIVE", "stateDetails": f"[{call.cloud.clock.timestamp_millis()}]: Connected."}
        call.cloud.store.put(KIND, peer, other)
    return operations.finished(call, call.name, before["id"])


def update_peering(call: Call) -> Document:
    """Change the options of a peering."""
    before = current(call, "updatePeering")
    asked = call.body.get("networkPeering", {})
    for peering in before.get("peerings", []):
        if peering["name"] == asked.get("name"):
            peering.update({key: value for key, value in asked.items() if key != "network"})
            call.cloud.store.put(KIND, call.name, before)
            return operations.finished(call, call.name, before["id"])
    raise Missing(f"{call.name}/peerings/{asked.get('name', '')}")


def remove_peering(call: Call) -> Document:
    """End a peering; the other side waits again."""
    before = current(call, "removePeering")
    peerings = before.get("peerings", [])
    gone = next((p for p in peerings if p["name"] == call.body.get("name")), None)
    if gone is None:
        raise Invalid.value("name", call.body.get("name", ""), "There is no peering of that name in the network.")
    before["peerings"] = [p for p in peerings if p is not gone]
    if not before["peerings"]:
        del before["peerings"]
    call.cloud.store.put(KIND, call.name, before)
    peer = path(gone["network"], call.project or "")
    if other := call.cloud.store.get(KIND, peer):
        for back in other.get("peerings", []):
            if back["network"] == before["selfLink"]:
                back |= {"state": "INACTIVE", "stateDetails": "The peering was removed from the other side."}
        call.cloud.store.put(KIND, peer, other)
    return operations.finished(call, call.name, before["id"])


def effective_firewalls(call: Call) -> Document:
    """The rules that hold in a network: its own and those of the policies associated with it."""
    network = current(call, "getEffectiveFirewalls")
    own = [f for f in call.cloud.store.documents("compute.firewalls") if f["network"] == network["selfLink"]]
    policies = hierarchical_firewalls.effective(call, call.project or "") + [
        {
            "name": policy["name"],
            "type": "NETWORK",
            "priority": 1000,
            "rules": policy.get("rules", []),
        }
        for policy in call.cloud.store.documents("compute.networkFirewallPolicies")
        if any(a["attachmentTarget"] == network["selfLink"] for a in policy.get("associations", []))
    ]
    answer: Document = {}
    if own:
        answer["firewalls"] = [{k: v for k, v in rule.items() if not k.startswith("_")} for rule in own]
    if policies:
        answer["firewallPolicys"] = policies
    return dict(shown(answer, call.method.version))


def peering_routes(call: Call) -> Document:
    """Routes exchanged over a peering: the subnetworks' of the side that exports."""
    network = current(call, "listPeeringRoutes")
    wanted, direction = call.query.get("peeringName"), call.query.get("direction", "INCOMING")
    found = []
    for peering in network.get("peerings", []):
        if peering["state"] != "ACTIVE" or (wanted and peering["name"] != wanted):
            continue
        source = peering["network"] if direction == "INCOMING" else network["selfLink"]
        found += [
            {
                "destRange": subnetwork["ipCidrRange"],
                "type": "SUBNET_PEERING_ROUTE",
                "nextHopRegion": subnetwork["region"].rpartition("/")[2],
                "priority": 0,
                "imported": True,
            }
            for subnetwork in call.cloud.store.documents(subnetworks.KIND)
            if subnetwork["network"] == source
        ]
    return {"kind": "compute#exchangedPeeringRoutesList", "id": call.name, **({"items": found} if found else {})}


HANDLERS = {
    "compute.networks.switchToCustomMode": switch_to_custom_mode,
    "compute.networks.addPeering": add_peering,
    "compute.networks.updatePeering": update_peering,
    "compute.networks.removePeering": remove_peering,
    "compute.networks.getEffectiveFirewalls": effective_firewalls,
    "compute.networks.listPeeringRoutes": peering_routes,
}
