"""What a recording of used grants says: which of them nothing could replace."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]


@dataclass(frozen=True, order=True)
class Binding:
    """One member of one binding.

    Attributes:
        role: the role.
        member: the member.
        resource: full name of the resource.
        condition: title of its condition; empty without one.
    """

    role: str
    member: str
    resource: str
    condition: str = ""


@dataclass(frozen=True)
class Need:
    """Why a binding is needed.

    Attributes:
        step: the method during which it was.
        permission: what it gave and no other binding did.
        resource: on what.
    """

    step: str
    permission: str
    resource: str


def used_alone(checks: Iterable[Document], principal: str = "") -> dict[Binding, Need]:
    """The bindings that were at least once the only one that gave what was needed, with the first such need."""
    found: dict[Binding, Need] = {}
    for check in checks:
        if principal and check["principal"] != principal:
            continue
        if len(check["grants"]) == 1:
            need = Need(check["step"], check["permission"], check["resource"])
            found.setdefault(Binding(**check["grants"][0]), need)
    return found


def permissions_used(checks: Iterable[Document], principal: str) -> dict[Binding, set[str]]:
    """Of each binding, the permissions that a principal used through it."""
    found: dict[Binding, set[str]] = defaultdict(set)
    for check in checks:
        if check["principal"] == principal:
            for grant in check["grants"]:
                found[Binding(**grant)].add(check["permission"])
    return dict(found)
