"""Ingress and egress rules of a service perimeter: what in a rule does not fit a request.

Rules: https://docs.cloud.google.com/vpc-service-controls/docs/ingress-egress-rules (read 2026-08).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.enforcement.access_levels import meets
from sandbox.enforcement.crossing import Crossing

Document = dict[str, Any]
Levels = Mapping[str, Document]


def ingress_misses(rule: Document, crossing: Crossing, levels: Levels) -> Iterator[str]:
    """What keeps an ingress rule from admitting a request, a sentence each; nothing: it admits."""
    source, target = rule.get("ingressFrom", {}), rule.get("ingressTo", {})
    yield from _identity(source, crossing)
    sources = source.get("sources", [])
    if not any(_source_fits(item, crossing, levels) for item in sources):
        yield f"sources: {_listed([_source_name(s) for s in sources])} does not hold {whence(crossing)}"
    yield from _operation(target, crossing)
    yield from _resource(target, crossing)


def egress_misses(rule: Document, crossing: Crossing, levels: Levels) -> Iterator[str]:
    """As ``ingress_misses``, for an egress rule."""
    source, target = rule.get("egressFrom", {}), rule.get("egressTo", {})
    yield from _identity(source, crossing)
    sources = source.get("sources", [])
    restricted = source.get("sourceRestriction") == "SOURCE_RESTRICTION_ENABLED"
    if restricted and not any(_source_fits(item, crossing, levels) for item in sources):
        yield f"sources: {_listed([_source_name(s) for s in sources])} does not hold {whence(crossing)}"
    yield from _operation(target, crossing)
    yield from _resource(target, crossing)


def level_met(names: list[str], crossing: Crossing, levels: Levels) -> bool:
    """Whether the caller meets one of the named access levels."""
    return any(name in levels and meets(levels[name], levels, crossing.caller) for name in names)


def whence(crossing: Crossing) -> str:
    """Where a request comes from, for people."""
    if crossing.network:
        return f"{crossing.network.rpartition('googleapis.com/')[2]} ({crossing.source})"
    return crossing.source or f"the internet address {crossing.address}"


def _listed(values: list[str]) -> str:
    return ", ".join(values) or "an empty list"


def _source_name(source: Document) -> str:
    return str(source.get("accessLevel") or source.get("resource") or "an empty source")


def _source_fits(source: Document, crossing: Crossing, levels: Levels) -> bool:
    if level := source.get("accessLevel"):
        return level == "*" or level_met([level], crossing, levels)
    return source.get("resource") in {value for value in (crossing.source, crossing.network) if value}


def _identity(source: Document, crossing: Crossing) -> Iterator[str]:
    if identity_matches(source, crossing.member, crossing.identities):
        return
    kind = source.get("identityType")
    admitted = kind if kind and kind != "IDENTITY_TYPE_UNSPECIFIED" else _listed(source.get("identities", []))
    yield f"identities: {admitted} does not hold {crossing.member}"


def identity_matches(source: Document, member: str, identities: frozenset[str] = frozenset()) -> bool:
    """Whether ``ingressFrom`` or ``egressFrom`` admits the caller."""
    kind = source.get("identityType")
    if kind == "ANY_IDENTITY":
        return True
    if kind == "ANY_USER_ACCOUNT":
        return member.startswith("user:")
    if kind == "ANY_SERVICE_ACCOUNT":
        return member.startswith("serviceAccount:")
    return not {member, *identities}.isdisjoint(source.get("identities", []))


def _operation(target: Document, crossing: Crossing) -> Iterator[str]:
    """A rule names operations or roles; either is enough."""
    if operation_matches(target, crossing) or not crossing.roles.isdisjoint(target.get("roles", [])):
        return
    operations = target.get("operations", [])
    for operation in operations:
        if operation.get("serviceName") == crossing.service:
            admitted = [str(v) for selector in operation.get("methodSelectors", []) for v in selector.values()]
            yield f"methodSelectors of {crossing.service}: {_listed(admitted)} does not hold {spelled(crossing)}"
            return
    services = [str(operation.get("serviceName")) for operation in operations]
    yield f"operations: {_listed(services)} does not hold {crossing.service}"


def spelled(crossing: Crossing) -> str:
    """The shortest spelling of the request's method."""
    return min(filter(None, crossing.methods), key=lambda name: (len(name), name), default="the method")


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


def _resource(target: Document, crossing: Crossing) -> Iterator[str]:
    resources = target.get("resources", [])
    if "*" not in resources and crossing.target not in resources:
        yield f"resources: {_listed(resources)} does not hold {crossing.target}"
