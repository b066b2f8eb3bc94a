"""Partial answers: ``items(name,metadata/a),nextPageToken``.

Grammar: https://docs.cloud.google.com/storage/docs/json_api#partial-response (read 2026-11).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sandbox.errors import InvalidArgument

TOKEN = re.compile(r"[^\s,/()]+|[,/()]")


@dataclass(frozen=True, slots=True)
class Selection:
    """Chosen fields, each with the choice below it; an empty one takes everything, ``*`` stands for any name."""

    fields: tuple[tuple[str, Selection], ...] = ()

    @classmethod
    def read(cls, text: str) -> Selection:
        """The selection that a parameter means.

        Raises:
            InvalidArgument: it cannot be read.
        """
        tokens = TOKEN.findall(text)
        found, rest = fields(tokens, text)
        if rest:
            raise failure(text)
        return found


def failure(text: str) -> InvalidArgument:
    """The refusal of a selection."""
    return InvalidArgument(f"Invalid field selection {text}", reason="invalidParameter")


def fields(tokens: list[str], text: str) -> tuple[Selection, list[str]]:
    """A list of fields, and what follows it.

    Raises:
        InvalidArgument: there is no field.
    """
    found: list[tuple[str, Selection]] = []
    while True:
        one, tokens = step(tokens, text)
        found += one.fields
        if tokens[:1] != [","]:
            return Selection(tuple(found)), tokens
        tokens = tokens[1:]


def step(tokens: list[str], text: str) -> tuple[Selection, list[str]]:
    """One field with what is chosen below it, and what follows.

    Raises:
        InvalidArgument: there is no field, or a parenthesis stays open.
    """
    if not tokens or tokens[0] in ",/()":
        raise failure(text)
    name, tokens = tokens[0], tokens[1:]
    inner = Selection()
    if tokens[:1] == ["/"]:
        inner, tokens = step(tokens[1:], text)
    elif tokens[:1] == ["("]:
        inner, tokens = fields(tokens[1:], text)
        if tokens[:1] != [")"]:
            raise failure(text)
        tokens = tokens[1:]
    return Selection(((name, inner),)), tokens


def select(document: Any, selection: Selection) -> Any:
    """The chosen part of a document; of each item, where it is a list."""
    if not selection.fields:
        return document
    if isinstance(document, list):
        return [select(item, selection) for item in document]
    if not isinstance(document, dict):
        return document
    found: dict[str, Any] = {}
    for name, inner in selection.fields:
        for key in document if name == "*" else (name,):
            if key in document:
                found[key] = merged(found.get(key), select(document[key], inner))
    return found


def merged(before: Any, after: Any) -> Any:
    """Two choices of the same field as one."""
    if isinstance(before, dict) and isinstance(after, dict):
        return {**before, **{key: merged(before.get(key), value) for key, value in after.items()}}
    if isinstance(before, list) and isinstance(after, list):
        return [merged(old, new) for old, new in zip(before, after, strict=True)]
    return after
