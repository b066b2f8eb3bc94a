"""Networks, routes, firewalls, names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from plantain.audit.live.reader import Reader, last, live, only, path_of
from policies.catalogue import Resource

ANYWHERE = "0.0.0.0/0"
INTERNET = "default-internet-gateway"


def networks(reader: Reader, project: str) -> list[dict[str, Any]]:
    """The project's networks, as Compute answers them."""
    return reader.all("compute", f"compute/v1/projects/{project}/global/networks", "items")


def read(reader: Reader, project: str, found: list[dict[str, Any]]) -> Iterator[Resource]:
    """What belongs to a project's networks."""
    root = f"compute/v1/projects/{project}/global"
    routes = reader.all("compute", f"{root}/routes", "items")
    for network in found:
        open_ = any(_leads_out(route) and path_of(route["network"]) == path_of(network["selfLink"]) for route in routes)
        yield live(
            "gcp:compute/network:Network",
            f"projects/{project}/global/networks/{network['name']}",
            "compute",
            {
                "name": network["name"],
                "project": project,
                "autoCreateSubnetworks": network.get("autoCreateSubnetworks", False),
                # What was asked for at creation is not told; whether a way out is there, is.
                "deleteDefaultRoutesOnCreate": not open_,
                "selfLink": network.get("selfLink", ""),
            },
        )
    for route in routes:
        yield live(
            "gcp:compute/route:Route",
            f"projects/{project}/global/routes/{route['name']}",
            "compute",
            {
                "name": route["name"],
                "project": project,
                "network": route.get("network", ""),
                "destRange": route.get("destRange", ""),
                "nextHopGateway": route.get("nextHopGateway", ""),
                "tags": route.get("tags") or [],
            },
        )
    for rule in reader.all("compute", f"{root}/firewalls", "items"):
        yield _firewall(project, rule)
    for rule in reader.all("compute", f"{root}/forwardingRules", "items"):
        id_ = f"projects/{project}/global/forwardingRules/{rule['name']}"
        properties = {"name": rule["name"], "project": project, "target": rule.get("target", "")}
        yield live("gcp:compute/globalForwardingRule:GlobalForwardingRule", id_, "compute", properties)
    yield from _subnets(reader, project)
    yield from _names(reader, project)


def _leads_out(route: Mapping[str, Any]) -> bool:
    return route.get("destRange") == ANYWHERE and last(route.get("nextHopGateway")) == INTERNET


def _firewall(project: str, rule: Mapping[str, Any]) -> Resource:
    properties: dict[str, Any] = {
        "name": rule["name"],
        "project": project,
        "network": rule.get("network", ""),
        "direction": rule.get("direction", "INGRESS"),
        "disabled": rule.get("disabled", False),
        "priority": rule.get("priority", 1000),
        "allows": [_ports(entry) for entry in rule.get("allowed") or ()],
        "denies": [_ports(entry) for entry in rule.get("denied") or ()],
    }
    for name in ("sourceRanges", "sourceTags", "sourceServiceAccounts", "destinationRanges", "targetTags"):
        if rule.get(name):
            properties[name] = rule[name]
    log = rule.get("logConfig") or {}
    if log.get("enable"):
        properties["logConfig"] = {"metadata": log.get("metadata", "")}
    id_ = f"projects/{project}/global/firewalls/{rule['name']}"
    return live("gcp:compute/firewall:Firewall", id_, "compute", properties)


def _ports(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {"protocol": entry.get("IPProtocol", ""), "ports": entry.get("ports") or []}


def _subnets(reader: Reader, project: str) -> Iterator[Resource]:
    page = reader.one("GET", "compute", f"compute/v1/projects/{project}/aggregated/subnetworks", "subnetworks") or {}
    for scope in (page.get("items") or {}).values():
        for subnet in scope.get("subnetworks") or ():
            region = last(subnet.get("region"))
            properties = {
                "name": subnet["name"],
                "project": project,
                "region": region,
                "network": subnet.get("network", ""),
                "ipCidrRange": subnet.get("ipCidrRange", ""),
                "privateIpGoogleAccess": subnet.get("privateIpGoogleAccess", False),
                "purpose": subnet.get("purpose", "PRIVATE"),
            }
            log = subnet.get("logConfig") or {}
            if log.get("enable", bool(log)):
                properties["logConfig"] = {key: value for key, value in log.items() if key != "enable"}
            id_ = f"projects/{project}/regions/{region}/subnetworks/{subnet['name']}"
            yield live("gcp:compute/subnetwork:Subnetwork", id_, "compute", properties)


def _names(reader: Reader, project: str) -> Iterator[Resource]:
    root = f"dns/v1/projects/{project}"
    for zone in reader.all("dns", f"{root}/managedZones", "managedZones"):
        id_ = f"projects/{project}/managedZones/{zone['name']}"
        kept = only(zone, "dnsName", "visibility", "labels")
        seen_from = (zone.get("privateVisibilityConfig") or {}).get("networks") or []
        kept["privateVisibilityConfig"] = {
            "networks": [{"networkUrl": entry.get("networkUrl", "")} for entry in seen_from]
        }
        yield live("gcp:dns/managedZone:ManagedZone", id_, "dns", {"name": zone["name"], "project": project, **kept})
        for record in reader.all("dns", f"{root}/managedZones/{zone['name']}/rrsets", "rrsets"):
            properties = {
                "name": record["name"],
                "type": record["type"],
                "ttl": record.get("ttl", 0),
                "rrdatas": record.get("rrdatas") or [],
                "managedZone": zone["name"],
                "project": project,
            }
            yield live(
                "gcp:dns/recordSet:RecordSet", f"{id_}/rrsets/{record['name']}/{record['type']}", "dns", properties
            )
    for policy in reader.all("dns", f"{root}/policies", "policies"):
        properties = {
            "name": policy["name"],
            "project": project,
            "enableLogging": policy.get("enableLogging", False),
            "networks": [{"networkUrl": entry.get("networkUrl", "")} for entry in policy.get("networks") or ()],
        }
        yield live("gcp:dns/policy:Policy", f"projects/{project}/policies/{policy['name']}", "dns", properties)
