"""VPC Service Controls: may this request cross the border of a service perimeter?

Rules: https://docs.cloud.google.com/vpc-service-controls/docs/ingress-egress-rules and
https://docs.cloud.google.com/vpc-service-controls/docs/vpc-accessible-services (read 2026-08).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.enforcement.access_levels import meets

Document = dict[str, Any]

RESTRICTED_SERVICES = "RESTRICTED-SERVICES"


@dataclass(frozen=True, slots=True)
class Crossing:
    """A request as a perimeter sees it.

    Attributes:
        service: API host, as ``storage.googleapis.com``.
        methods: every spelling by which a method selector may name the method, permission included.
        target: ``projects/<number>`` that owns the resource.
        source: ``projects/<number>`` of the caller's VPC network, None outside of every network.
        network: ``//compute.googleapis.com/projects/<id>/global/networks/<name>``, None outside.
    """

    service: str
    methods: frozenset[str]
    target: str
    member: str
    source: str | None = None
    network: str | None = None
    address: str = "203.0.113.1"


@dataclass(frozen=True, slots=True)
class Violation:
    """Why a perimeter refuses a request; field values are those of Google's audit log."""

    perimeter: str
    reason: str
    direction: str
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Perimeters:
    """All perimeters and access levels of an organisation.

    Attributes:
        perimeters: ``ServicePerimeter`` documents.
        levels: ``AccessLevel`` documents by full name.
    """

    perimeters: tuple[Document, ...]
    levels: Mapping[str, Document] = field(default_factory=dict)

    def violations(self, crossing: Crossing) -> Iterator[Violation]:
        """Every refusal, enforced ones and those of dry-run configurations."""
        for perimeter in self.perimeters:
            if perimeter.get("perimeterType") == "PERIMETER_TYPE_BRIDGE":
                continue
            name = perimeter.get("name", "")
            enforced = self._violation(perimeter.get("status", {}), crossing, name, dry_run=False)
            if enforced:
                yield enforced
            spec = perimeter.get("spec") if perimeter.get("useExplicitDryRunSpec") else None
            if spec is not None and enforced is None:
                tried = self._violation(spec, crossing, name, dry_run=True)
                if tried:
                    yield tried

    def _violation(self, config: Document, crossing: Crossing, name: str, *, dry_run: bool) -> Violation | None:
        members = set(config.get("resources", []))
        inside = crossing.target in members
        from_inside = crossing.source in members or crossing.network in members
        restricted = crossing.service in config.get("restrictedServices", [])
        if from_inside and not self._accessible(config, crossing.service):
            return Violation(name, "SERVICE_NOT_ALLOWED_FROM_VPC", "egress", dry_run)
        if not restricted or inside == from_inside:
            return None
        if inside:
            if self._level_met(config.get("accessLevels", []), crossing):
                return None
            if any(self._ingress(rule, crossing) for rule in config.get("ingressPolicies", [])):
                return None
            return Violation(name, "NO_MATCHING_ACCESS_LEVEL", "ingress", dry_run)
        if any(self._egress(rule, crossing) for rule in config.get("egressPolicies", [])):
            return None
        return Violation(name, "NETWORK_NOT_IN_SAME_SERVICE_PERIMETER", "egress", dry_run)

    @staticmethod
    def _accessible(config: Document, service: str) -> bool:
        rule = config.get("vpcAccessibleServices", {})
        if not rule.get("enableRestriction"):
            return True
        allowed = rule.get("allowedServices", [])
        return service in allowed or (
            RESTRICTED_SERVICES in allowed and service in config.get("restrictedServices", [])
        )

    def _level_met(self, names: list[str], crossing: Crossing) -> bool:
        return any(
            name in self.levels
            and meets(self.levels[name], self.levels, member=crossing.member, address=crossing.address)
            for name in names
        )

    def _ingress(self, rule: Document, crossing: Crossing) -> bool:
        source, target = rule.get("ingressFrom", {}), rule.get("ingressTo", {})
        return (
            identity_matches(source, crossing.member)
            and any(self._source_matches(item, crossing) for item in source.get("sources", []))
            and operation_matches(target, crossing)
            and resource_matches(target, crossing.target)
        )

    def _source_matches(self, source: Document, crossing: Crossing) -> bool:
        if level := source.get("accessLevel"):
            return level == "*" or self._level_met([level], crossing)
        return source.get("resource") in {crossing.source, crossing.network}

    @staticmethod
    def _egress(rule: Document, crossing: Crossing) -> bool:
        source, target = rule.get("egressFrom", {}), rule.get("egressTo", {})
        return (
            identity_matches(source, crossing.member)
            and operation_matches(target, crossing)
            and resource_matches(target, crossing.target)
        )


def identity_matches(source: Document, member: str) -> bool:
    """Whether ``ingressFrom`` or ``egressFrom`` admits the caller."""
    kind = source.get("identityType")
    if kind == "ANY_IDENTITY":
        return True
    if kind == "ANY_USER_ACCOUNT":
        return member.startswith("user:")
    if kind == "ANY_SERVICE_ACCOUNT":
        return member.startswith("serviceAccount:")
    return member in source.get("identities", [])


def operation_matches(target: Document, crossing: Crossing) -> bool:
    """Whether one of a rule's operations covers the method."""
    for operation in target.get("operations", []):
        if operation.get("serviceName") == "*":
            return True
        if operation.get("serviceName") == crossing.service:
            selectors = operation.get("methodSelectors", [])
            named = {value for selector in selectors for value in selector.values()}
            if "*" in named or named & crossing.methods:
                return True
    return False


def resource_matches(target: Document, project: str) -> bool:
    """Whether a rule speaks of the target project."""
    resources = target.get("resources", [])
    return "*" in resources or project in resources
