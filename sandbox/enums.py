"""Enum values as numbers, for clients that ask for ``$alt=json;enum-encoding=int``.

Google's generated REST clients do: they send and expect the number of an enum value instead of its name
(https://google.aip.dev/client-libraries/4221 and the ``rest`` transports of the Python clients, read 2026-08).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Any

from sandbox.description import Method, Shape

Convert = Callable[[Any, "list[str]"], Any]


@cache
def table() -> dict[str, dict[str, dict[str, int]]]:
    """Numbers that are not the value's place in its enum, by service and by the enum's first value."""
    text = resources.files("sandbox").joinpath("enum_numbers.json").read_text()
    numbers: dict[str, dict[str, dict[str, int]]] = json.loads(text)["numbers"]
    return numbers


def wanted(query: Mapping[str, str]) -> bool:
    """Whether the caller encodes enums as numbers."""
    return "enum-encoding=int" in (query.get("$alt") or query.get("alt") or "")


def number(service: str, values: list[str], name: str) -> int:
    """Number of one value."""
    exceptions = table().get(service, {}).get(values[0], {})
    return exceptions.get(name, values.index(name))


def names(method: Method, body: Any) -> Any:
    """A request body with names in place of numbers."""

    def convert(value: Any, values: list[str]) -> Any:
        if isinstance(value, bool) or not isinstance(value, int):
            return value
        return next((name for name in values if number(method.service, values, name) == value), value)

    return walk(body, {"ref": method.request}, method.schemas, convert)


def numbers(method: Method, document: Any) -> Any:
    """An answer with numbers in place of names."""

    def convert(value: Any, values: list[str]) -> Any:
        return number(method.service, values, value) if isinstance(value, str) and value in values else value

    return walk(document, {"ref": method.response}, method.schemas, convert)


def walk(value: Any, shape: Shape, schemas: dict[str, Shape], convert: Convert) -> Any:
    """A copy in which every enum field of the shape is converted."""
    if "ref" in shape:
        shape = schemas.get(shape["ref"], {})
    if "enum" in shape and not isinstance(value, list):
        return convert(value, shape["enum"])
    if isinstance(value, list):
        items = shape.get("items", {})
        return [walk(item, items, schemas, convert) for item in value]
    if isinstance(value, dict):
        shapes, values = shape.get("properties", {}), shape.get("values", {})
        return {key: walk(item, shapes.get(key, values), schemas, convert) for key, item in value.items()}
    return value
