"""Self links: what callers may write for a reference, and what is stored and shown."""

from __future__ import annotations

import re
from typing import Any

BASE = "https://www.googleapis.com/compute/v1/"
ANY_LINK = re.compile(r"^(?:https?://[^/]+/)?/?(?:compute/)?(?:v1|beta|alpha)/(projects/.+)$")
STORED = re.compile(r"https://www\.googleapis\.com/compute/v1/")


def path(reference: str, project: str, collection: str = "") -> str:
    """``projects/p/...`` of a link, a partial path or, below ``collection``, a bare name.

    Args:
        reference: any host's link, ``projects/p/global/networks/n``, ``global/networks/n`` or ``n``.
        project: the project that a shorter reference belongs to.
        collection: ``global/networks`` or ``regions/r/subnetworks``, for bare names.
    """
    if found := ANY_LINK.match(reference):
        return found[1]
    reference = reference.lstrip("/")
    if reference.startswith("projects/"):
        return reference
    if reference.startswith(("global/", "regions/", "zones/")):
        return f"projects/{project}/{reference}"
    return f"projects/{project}/{collection}/{reference}" if collection else reference


def link(name: str) -> str:
    """The stored link of ``projects/p/...``."""
    return BASE + name


def name_of(stored: str) -> str:
    """``projects/p/...`` of a stored link."""
    return stored.removeprefix(BASE)


def shown(value: Any, version: str) -> Any:
    """A stored document with its links in the version that was called."""
    if version == "v1":
        return value
    if isinstance(value, dict):
        return {key: shown(item, version) for key, item in value.items()}
    if isinstance(value, list):
        return [shown(item, version) for item in value]
    if isinstance(value, str) and value.startswith(BASE):
        return STORED.sub(f"https://www.googleapis.com/compute/{version}/", value, count=1)
    return value
