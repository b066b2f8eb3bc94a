"""The smallest rules that would let refused calls pass, as settings of ``plantain:perimeter``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from plantain.perimeters.denials import Denial

Document = dict[str, Any]


def rules(denials: Iterable[Denial]) -> dict[str, list[Document]]:
    """Rules by direction. Callers with the same needs share a rule; nothing is opened that was not refused.

    A denial without an identity gives no rule: a rule for everybody is nobody's to propose.
    """
    needs: dict[tuple[str, str, str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for one in denials:
        if one.identity and one.service:
            source = one.source if one.direction == "ingress" else ""
            needs[one.direction, one.identity, source, one.target][one.service].add(one.method or "*")
    shared: dict[tuple[str, str, str, str], set[str]] = defaultdict(set)
    for (direction, identity, source, target), services in needs.items():
        key = repr(sorted((service, sorted(methods)) for service, methods in services.items()))
        shared[direction, source, target, key].add(identity)
    found: dict[str, list[Document]] = {"ingress": [], "egress": []}
    for (direction, source, target, _), identities in sorted(shared.items()):
        services = needs[direction, min(identities), source, target]
        rule: Document = {
            "title": title(direction, sorted(identities), sorted(services)),
            "identities": sorted(identities),
            "services": {service: sorted(methods) for service, methods in sorted(services.items())},
        }
        if source:
            rule["fromProjects"] = [source]
        if target:
            rule["toProjects"] = [target]
        found[direction].append(rule)
    return {direction: _distinct(listed) for direction, listed in found.items() if listed}


def title(direction: str, identities: list[str], services: list[str]) -> str:
    """What a rule is for: who, and which APIs, within the hundred characters a title may have."""
    who = identities[0].partition(":")[2].partition("@")[0] + (
        f" and {len(identities) - 1} more" if identities[1:] else ""
    )
    what = services[0].removesuffix(".googleapis.com") + (f" and {len(services) - 1} more" if services[1:] else "")
    return f"{who} {'to' if direction == 'ingress' else 'out to'} {what}"[:100]


def merged(settings: Document, proposed: dict[str, list[Document]]) -> Document:
    """The perimeter's settings with proposed rules added; titles that are taken get a number."""
    result = dict(settings)
    taken = {rule["title"] for direction in ("ingress", "egress") for rule in settings.get(direction, ())}
    for direction, listed in proposed.items():
        added = []
        for rule in listed:
            name, number = rule["title"], 2
            while name in taken:
                name, number = f"{rule['title'][:96]} {number}", number + 1
            taken.add(name)
            added.append({**rule, "title": name})
        result[direction] = [*settings.get(direction, ()), *added]
    return result


def _distinct(listed: list[Document]) -> list[Document]:
    seen: dict[str, int] = defaultdict(int)
    for rule in listed:
        seen[rule["title"]] += 1
        if seen[rule["title"]] > 1:
            rule["title"] = f"{rule['title'][:96]} {seen[rule['title']]}"
    return listed
