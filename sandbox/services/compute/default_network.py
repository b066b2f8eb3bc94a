"""The network that a project gets with Compute Engine, unless an organisation policy keeps it away.

Source: "Default network" and "Pre-populated rules in the default network",
https://docs.cloud.google.com/vpc/docs/vpc and https://docs.cloud.google.com/firewall/docs/firewalls (read 2026-11).
"""

from __future__ import annotations

from typing import Any

from sandbox.call import Call
from sandbox.services.compute import firewalls, networks, operations, routes, subnetworks
from sandbox.services.compute.links import link
from sandbox.services.orgpolicy.effective import enforced
from sandbox.services.serviceusage import enablement

Document = dict[str, Any]

#: Projects that have used Compute Engine: a network that somebody deleted does not come again.
FIRST_USE = "compute.firstUse"
CONSTRAINT = "compute.skipDefaultNetworkCreation"
NAME = "default"
PRIORITY = 65534

INTERNAL, ANYWHERE = "10.128.0.0/9", "0.0.0.0/0"
RULES: dict[str, tuple[str, str, list[Document]]] = {
    "default-allow-internal": (
        "Allow internal traffic on the default network",
        INTERNAL,
        [
            {"IPProtocol": "tcp", "ports": ["0-65535"]},
            {"IPProtocol": "udp", "ports": ["0-65535"]},
            {"IPProtocol": "icmp"},
        ],
    ),
    "default-allow-ssh": ("Allow SSH from anywhere", ANYWHERE, [{"IPProtocol": "tcp", "ports": ["22"]}]),
    "default-allow-rdp": ("Allow RDP from anywhere", ANYWHERE, [{"IPProtocol": "tcp", "ports": ["3389"]}]),
    "default-allow-icmp": ("Allow ICMP from anywhere", ANYWHERE, [{"IPProtocol": "icmp"}]),
}


def appear(call: Call, project: str) -> None:
    """Make the network at a project's first use of Compute Engine: auto mode, open to the internet."""
    store = call.cloud.store
    enabled = store.get(enablement.KIND, f"projects/{project}/services/compute.googleapis.com")
    if not enabled or store.get(FIRST_USE, project):
        return
    store.put(FIRST_USE, project, {"project": project})
    if enforced(call.cloud, f"projects/{project}", CONSTRAINT):
        return
    name = f"projects/{project}/global/networks/{NAME}"
    if store.get(networks.KIND, name):
        return
    network = made(call, "network", name, "Default network for the project") | {
        "autoCreateSubnetworks": True,
        "networkFirewallPolicyEnforcementOrder": "AFTER_CLASSIC_FIREWALL",
        "routingConfig": {"routingMode": "REGIONAL"},
    }
    networks.Network.complete_routing(network)
    network["selfLinkWithId"] = link(f"projects/{project}/global/networks/{network['id']}")
    store.put(networks.KIND, name, network)
    routes.add_default(call, name)
    subnetworks.add_everywhere(call, name)
    for rule, (description, source, allowed) in RULES.items():
        place = f"projects/{project}/global/firewalls/{rule}"
        document = made(call, "firewall", place, description) | {
            "network": link(name),
            "direction": "INGRESS",
            "priority": PRIORITY,
            "sourceRanges": [source],
            "allowed": allowed,
            "disabled": False,
            "logConfig": {"enable": False},
        }
        store.put(firewalls.Firewall.kind, place, document)


def made(call: Call, noun: str, name: str, description: str) -> Document:
    """The fields that every resource of Compute Engine has."""
    return {
        "kind": f"compute#{noun}",
        "id": call.cloud.identifiers.number("compute.id", 19),
        "creationTimestamp": operations.timestamp(call),
        "name": name.rpartition("/")[2],
        "description": description,
        "selfLink": link(name),
    }
