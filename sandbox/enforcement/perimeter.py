"""VPC Service Controls: may this request cross the border of a service perimeter?

Pure: documents and a request in, decisions out; nothing here knows a server. Rules:
https://docs.cloud.google.com/vpc-service-controls/docs/ingress-egress-rules,
https://docs.cloud.google.com/vpc-service-controls/docs/vpc-accessible-services and
https://docs.cloud.google.com/vpc-service-controls/docs/share-across-perimeters (read 2026-08).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.enforcement.crossing import Crossing
from sandbox.enforcement.perimeter_rules import Levels, egress_misses, ingress_misses, level_met, whence

Document = dict[str, Any]

RESTRICTED_SERVICES = "RESTRICTED-SERVICES"
BRIDGE = "PERIMETER_TYPE_BRIDGE"
NETWORK_OUTSIDE = "NETWORK_NOT_IN_SAME_SERVICE_PERIMETER"

__all__ = ["Crossing", "Decision", "NearMiss", "Perimeters", "Violation"]


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A rule that was asked and did not admit.

    Attributes:
        rule: its place in the configuration, as ``ingressPolicies[0]``.
        title: the rule's own title; empty when it has none.
        misses: what does not fit, a sentence each.
    """

    rule: str
    title: str
    misses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What one configuration of one perimeter says to one request.

    Attributes:
        perimeter: full name.
        dry_run: it is the dry-run configuration, which never refuses.
        allowed: whether this configuration lets the request pass.
        direction: ``ingress``, ``egress``, or empty when the request does not cross this perimeter's border.
        reason: the ``violationReason`` of Google's audit log; empty when allowed.
        because: the same as one English sentence.
        rule: what admitted it: ``ingressPolicies[0]``, ``accessLevels``, ``bridge <name>``; empty otherwise.
        near_misses: every rule of that direction that did not admit, in order.
    """

    perimeter: str
    dry_run: bool
    allowed: bool
    direction: str
    reason: str
    because: str
    rule: str = ""
    near_misses: tuple[NearMiss, ...] = ()


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
        """Every refusal: enforced ones, and those that a dry-run configuration alone would bring."""
        refused = set()
        for decision in self.decisions(crossing):
            if decision.allowed:
                continue
            if not decision.dry_run:
                refused.add(decision.perimeter)
            elif decision.perimeter in refused:
                continue
            yield Violation(decision.perimeter, decision.reason, decision.direction, decision.dry_run)

    def decisions(self, crossing: Crossing) -> list[Decision]:
        """What every regular perimeter says, enforced configuration first, then its dry-run one if it has any."""
        found = []
        for perimeter in self.perimeters:
            if perimeter.get("perimeterType") == BRIDGE:
                continue
            found.append(self._decide(perimeter.get("status", {}), crossing, perimeter.get("name", ""), dry_run=False))
            if perimeter.get("useExplicitDryRunSpec"):
                spec = perimeter.get("spec", {})
                found.append(self._decide(spec, crossing, perimeter.get("name", ""), dry_run=True))
        return found

    def _decide(self, config: Document, crossing: Crossing, name: str, *, dry_run: bool) -> Decision:
        members = set(config.get("resources", []))
        inside = crossing.target in members
        from_inside = crossing.source in members or crossing.network in members
        restricted = crossing.service in config.get("restrictedServices", [])

        def verdict(direction: str, reason: str, because: str, **more: Any) -> Decision:
            return Decision(name, dry_run, not reason, direction, reason, because, **more)

        if from_inside and not accessible(config, crossing.service):
            because = f"{crossing.service} is not among the services accessible from networks of this perimeter"
            return verdict("egress", "SERVICE_NOT_ALLOWED_FROM_VPC", because)
        if not restricted:
            return verdict("", "", f"{crossing.service} is not restricted by this perimeter")
        if inside == from_inside:
            where = "inside" if inside else "outside of"
            return verdict("", "", f"caller and {crossing.target} are both {where} this perimeter")
        direction = "ingress" if inside else "egress"
        if bridge := self._bridge(crossing):
            return verdict(direction, "", f"{bridge} joins both projects", rule=f"bridge {bridge}")
        if inside and level_met(config.get("accessLevels", []), crossing, self.levels):
            because = "the caller meets an access level of the perimeter"
            return verdict(direction, "", because, rule="accessLevels")
        misses = ingress_misses if inside else egress_misses
        rule, near = first(
            config.get(f"{direction}Policies", []), f"{direction}Policies", crossing, misses, self.levels
        )
        if rule:
            return verdict(direction, "", f"{rule} admits it", rule=rule, near_misses=near)
        if inside:
            reason = NETWORK_OUTSIDE if crossing.source else "NO_MATCHING_ACCESS_LEVEL"
            because = f"{whence(crossing)} is outside of the perimeter that holds {crossing.target}"
        else:
            reason, because = (
                NETWORK_OUTSIDE,
                f"{whence(crossing)} is inside of the perimeter, {crossing.target} is not",
            )
        return verdict(direction, reason, because, near_misses=near)

    def _bridge(self, crossing: Crossing) -> str:
        """The bridge that holds both projects; empty when there is none."""
        for perimeter in self.perimeters:
            if perimeter.get("perimeterType") == BRIDGE:
                members = perimeter.get("status", {}).get("resources", [])
                if crossing.source in members and crossing.target in members:
                    return str(perimeter.get("name", ""))
        return ""


Misses = Callable[[Document, Crossing, Levels], Iterable[str]]


def first(
    rules: list[Document], place: str, crossing: Crossing, misses: Misses, levels: Levels
) -> tuple[str, tuple[NearMiss, ...]]:
    """The first rule that admits, and those before it that did not."""
    near: list[NearMiss] = []
    for number, rule in enumerate(rules):
        found = tuple(misses(rule, crossing, levels))
        if not found:
            return f"{place}[{number}]", tuple(near)
        near.append(NearMiss(f"{place}[{number}]", rule.get("title", ""), found))
    return "", tuple(near)


def accessible(config: Document, service: str) -> bool:
    """Whether networks of the perimeter may call a service at all."""
    rule = config.get("vpcAccessibleServices", {})
    if not rule.get("enableRestriction"):
        return True
    allowed = rule.get("allowedServices", [])
    return service in allowed or (RESTRICTED_SERVICES in allowed and service in config.get("restrictedServices", []))
