"""Update masks and field shapes: which part of a body a write may change."""

from __future__ import annotations

import copy
import re
from typing import Any

Document = dict[str, Any]


def camel(path: str) -> str:
    """``display_name`` to ``displayName``; each segment of a dotted path by itself."""
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), path)


def mask_paths(text: str) -> list[str]:
    """The paths of an ``updateMask`` parameter in camelCase, in the order given."""
    return [camel(path.strip()) for path in text.split(",") if path.strip()]


def pick(document: Document, path: str) -> tuple[bool, Any]:
    """Whether a dotted path is present and not null, and its value."""
    value: Any = document
    for segment in path.split("."):
        if not isinstance(value, dict) or value.get(segment) is None:
            return False, None
        value = value[segment]
    return True, value


def assign(document: Document, path: str, value: Any) -> None:
    """Set a dotted path, making the objects on the way."""
    *parents, last = path.split(".")
    for segment in parents:
        below = document.get(segment)
        if not isinstance(below, dict):
            below = document[segment] = {}
        document = below
    document[last] = value


def remove(document: Document, path: str) -> None:
    """Clear a dotted path; a path that is not there is no error."""
    *parents, last = path.split(".")
    for segment in parents:
        below = document.get(segment)
        if not isinstance(below, dict):
            return
        document = below
    document.pop(last, None)


def apply_mask(current: Document, body: Document, paths: list[str]) -> Document:
    """A copy of ``current`` with the masked fields of ``body``; masked and absent means cleared.

    ``*`` replaces every field that the body names.
    """
    updated = copy.deepcopy(current)
    if paths == ["*"]:
        return merge(updated, body)
    for path in paths:
        present, value = pick(body, path)
        if present:
            assign(updated, path, copy.deepcopy(value))
        else:
            remove(updated, path)
    return updated


def merge(current: Document, body: Document) -> Document:
    """A copy of ``current`` with every top-level field of ``body``; null clears."""
    updated = {**copy.deepcopy(current), **copy.deepcopy(body)}
    return {key: value for key, value in updated.items() if value is not None}


def prune(value: Any) -> Any:
    """Without nulls, also inside lists: the provider sends ``[null]`` for an empty list."""
    if isinstance(value, dict):
        return {key: prune(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [prune(item) for item in value if item is not None]
    return value


def without_defaults(value: Any, kept: frozenset[str] = frozenset()) -> Any:
    """Without what protobuf's JSON leaves out: false, zero, empty text and empty lists, except in fields ``kept``."""
    if isinstance(value, dict):
        return {
            key: without_defaults(item, kept)
            for key, item in value.items()
            if key in kept or isinstance(item, dict) or item not in (False, 0, "", [])
        }
    if isinstance(value, list):
        return [without_defaults(item, kept) for item in value]
    return value
