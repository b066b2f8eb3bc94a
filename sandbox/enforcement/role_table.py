"""Predefined roles and the permissions of methods, as data.

``roles.json`` is made from Google's own definitions by ``sandbox.enforcement.generate_roles`` and names its source and
date. ``overlay.json`` holds what differs from it on purpose, and the permissions of methods whose names do not tell.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from fnmatch import translate
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

Document = dict[str, Any]

FILE = Path(__file__).with_name("roles.json")
OVERLAY = Path(__file__).with_name("overlay.json")

#: IAM's name of a service, where it is not the API's.
NAMESPACES = {"cloudresourcemanager": "resourcemanager", "cloudbilling": "billing", "billingbudgets": "billing"}


@cache
def generated() -> Document:
    """The table as it was made."""
    document: Document = json.loads(FILE.read_text())
    return document


@cache
def overlay() -> Document:
    """What differs on purpose."""
    document: Document = json.loads(OVERLAY.read_text())
    return document


@cache
def roles() -> dict[str, list[str]]:
    """Permission patterns by role. A star stands for any run of characters, an exclamation mark takes away."""
    found = {role: list(facts["permissions"]) for role, facts in generated()["roles"].items()}
    return found | {role: list(facts["patterns"]) for role, facts in overlay()["roles"].items()}


@cache
def methods() -> dict[str, str | None]:
    """The permission of a method, where its name does not tell; None where any known caller may call it."""
    found: dict[str, str | None] = overlay()["methods"]["permissions"]
    return found


@cache
def permissions() -> tuple[str, ...]:
    """Every permission of the covered services that a predefined role of Google's holds."""
    return tuple(
        f"{service}.{collection}.{action}"
        for service, collections in generated()["permissions"].items()
        for collection, actions in collections.items()
        for action in actions
    )


@cache
def included(role: str) -> tuple[str, ...]:
    """A predefined role's permissions one by one, as Google lists them."""
    patterns = roles()[role]
    return tuple(name for name in permissions() if holds(patterns, name))


def title(role: str) -> str:
    """A predefined role's title."""
    return str(generated()["roles"].get(role, {}).get("title", role))


def holds(patterns: Sequence[str], needed: str) -> bool:
    """Whether patterns admit a permission; one that starts with an exclamation mark takes away."""
    granted, taken = compiled(tuple(patterns))
    return granted(needed) and not taken(needed)


@lru_cache(maxsize=4096)
def compiled(patterns: tuple[str, ...]) -> tuple[Matcher, Matcher]:
    """What patterns grant, and what they take away."""
    return (
        Matcher([pattern for pattern in patterns if not pattern.startswith("!")]),
        Matcher([pattern[1:] for pattern in patterns if pattern.startswith("!")]),
    )


class Matcher:
    """Names and patterns in one."""

    def __init__(self, patterns: list[str]) -> None:
        starred = [pattern for pattern in patterns if "*" in pattern]
        self._names = frozenset(patterns) - frozenset(starred)
        self._pattern = re.compile("|".join(map(translate, starred))) if starred else None

    def __call__(self, name: str) -> bool:
        """Whether one of them is the name, or stands for it."""
        return name in self._names or (self._pattern is not None and self._pattern.match(name) is not None)
