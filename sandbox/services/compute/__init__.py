"""Compute Engine, v1 and beta: the network family."""

from __future__ import annotations

from sandbox.services.compute import (
    addresses,
    firewall_policies,
    firewalls,
    forwarding_rules,
    health_checks,
    hierarchical_firewalls,
    network_attachments,
    networks,
    operations,
    policies,
    regions,
    routers,
    routes,
    shared_vpc,
    subnetworks,
)
from sandbox.services.compute.resource import ComputeResource
from sandbox.services.registry import Handler, Service

RESOURCES: tuple[type[ComputeResource], ...] = (
    addresses.Address,
    addresses.GlobalAddress,
    firewall_policies.NetworkFirewallPolicy,
    firewalls.Firewall,
    forwarding_rules.ForwardingRule,
    forwarding_rules.GlobalForwardingRule,
    health_checks.HealthCheck,
    hierarchical_firewalls.FirewallPolicy,
    network_attachments.NetworkAttachment,
    networks.Network,
    routers.Router,
    routes.Route,
    subnetworks.Subnetwork,
)


def shared_handlers() -> dict[str, Handler]:
    """What every collection answers in the same way."""
    found: dict[str, Handler] = {}
    for resource in RESOURCES:
        answering = resource()
        found[f"{resource.kind}.aggregatedList"] = answering.aggregated
        if resource.labelled:
            found[f"{resource.kind}.setLabels"] = answering.set_labels
        found |= policies.handlers(resource.kind)
    return found


SERVICE = Service(
    name="compute",
    title="Compute Engine API",
    resources=RESOURCES,
    handlers={
        **shared_handlers(),
        **firewall_policies.HANDLERS,
        **hierarchical_firewalls.HANDLERS,
        **networks.HANDLERS,
        **operations.HANDLERS,
        **regions.HANDLERS,
        **shared_vpc.HANDLERS,
        **subnetworks.HANDLERS,
        "compute.forwardingRules.setTarget": forwarding_rules.ForwardingRule().set_target,
        "compute.globalForwardingRules.setTarget": forwarding_rules.GlobalForwardingRule().set_target,
        "compute.routers.getRouterStatus": routers.Router().status,
    },
    targets=hierarchical_firewalls.TARGETS,
)
