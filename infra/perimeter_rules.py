"""Ingress and egress rules of a perimeter, from the settings to what the provider takes.

Everything that is a list is sorted: the API answers in an order of its own, and an order is not a change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from infra.access_settings import EgressRule, IngressRule, Rule

EVERYTHING = "*"
READING = ("logging.googleapis.com", "monitoring.googleapis.com")
"""What auditors reach from outside. What they may do there is IAM's to say."""

if TYPE_CHECKING:  # the command line makes rules without pulumi, in a fraction of a second
    import pulumi

    Named = Callable[[str], pulumi.Input[str]]
    """From the name of an access level in the settings to its full name."""


def deployers(identities: Sequence[str], level: pulumi.Input[str]) -> dict[str, Any]:
    """Those who run pulumi reach every member: a campaign that is added must be reachable from its first call."""
    return {
        "title": "deployers",
        "ingress_from": {"identities": sorted(identities), "sources": [{"access_level": level}]},
        "ingress_to": {"resources": [EVERYTHING], "operations": [{"service_name": EVERYTHING}]},
    }


def auditors(identities: Sequence[str], levels: Sequence[pulumi.Input[str]]) -> dict[str, Any]:
    """Those who audit reach logs and metrics of every member."""
    return {
        "title": "auditors",
        "ingress_from": {
            "identities": sorted(identities),
            "sources": [{"access_level": level} for level in levels or [EVERYTHING]],
        },
        "ingress_to": {
            "resources": [EVERYTHING],
            "operations": [_operation(service, ()) for service in READING],
        },
    }


def sink_writers(identities: Sequence[pulumi.Input[str]], member: pulumi.Input[str]) -> dict[str, Any]:
    """Sinks of the folder or organisation, which write from outside, reach the log project."""
    return {
        "title": "audit log sinks",
        "ingress_from": {"identities": list(identities), "sources": [{"access_level": EVERYTHING}]},
        "ingress_to": {"resources": [member], "operations": [_operation("logging.googleapis.com", ())]},
    }


def ingress(rule: IngressRule, named: Named) -> dict[str, Any]:
    """A rule of the settings for calls from outside."""
    sources: list[dict[str, Any]] = [{"access_level": named(level)} for level in sorted(rule.access_levels)]
    sources += [{"resource": project} for project in sorted(rule.from_projects)]
    return {
        "title": rule.title,
        "ingress_from": {**_who(rule), "sources": sources or [{"access_level": EVERYTHING}]},
        "ingress_to": {"resources": sorted(rule.to_projects) or [EVERYTHING], "operations": operations(rule.services)},
    }


def egress(rule: EgressRule, named: Named) -> dict[str, Any]:
    """A rule of the settings for calls of members to what is outside."""
    source: dict[str, Any] = {}
    if rule.access_levels:
        source = {
            "sources": [{"access_level": named(level)} for level in sorted(rule.access_levels)],
            "source_restriction": "SOURCE_RESTRICTION_ENABLED",
        }
    return {
        "title": rule.title,
        "egress_from": {**_who(rule), **source},
        "egress_to": {"resources": sorted(rule.to_projects) or [EVERYTHING], "operations": operations(rule.services)},
    }


def operations(services: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """Services with their methods, in order."""
    return [_operation(service, methods) for service, methods in sorted(services.items())]


def _operation(service: str, methods: Sequence[str]) -> dict[str, Any]:
    if service == EVERYTHING:
        return {"service_name": EVERYTHING}
    return {
        "service_name": service,
        "method_selectors": [{"method": method} for method in sorted(methods) or [EVERYTHING]],
    }


def _who(rule: Rule) -> dict[str, Any]:
    if rule.identity_type is not None:
        return {"identity_type": str(rule.identity_type)}
    return {"identities": sorted(rule.identities)}
