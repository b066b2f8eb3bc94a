"""A request's JSON beside the message that its method takes: names and enum values that Google's parser refuses.

Every API behind Google's common front end parses JSON into a protocol buffer before the service sees it. Names may be
written as in JSON (``displayName``) or as in the proto file (``display_name``); any other is an error, and so is a
value that its enum does not have. Source: https://protobuf.dev/programming-guides/json (read 2026-08), and the answers
of the services themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from starlette.datastructures import QueryParams

from sandbox.description import Method, Shape
from sandbox.errors import BAD_REQUEST, InvalidArgument
from sandbox.fields import camel

#: Services whose JSON is not looked at here: they parse it themselves, with messages of their own.
OWN_PARSERS = frozenset({"bigquery", "compute", "dns", "oauth2", "openidconnect", "storage", "sts"})
MOST_VIOLATIONS = 10


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that cannot be parsed: where, as a path in the proto file's spelling, and Google's sentence on it."""

    field: str
    description: str


def query(method: Method, given: QueryParams) -> QueryParams:
    """The query with every parameter of the method as in JSON: ``crypto_key_id`` is ``cryptoKeyId``."""
    if method.service in OWN_PARSERS or not any("_" in key for key in given):
        return given
    return QueryParams([(camel(k) if camel(k) in method.query else k, v) for k, v in given.multi_items()])


def parsed(method: Method, body: Any) -> Any:
    """The body with every name as in JSON.

    Raises:
        InvalidArgument: it holds names or enum values that the message has not.
    """
    if not method.request or method.service in OWN_PARSERS or not method.described:
        return body
    shape: Shape = {"ref": method.request}
    body = renamed(body, shape, method.schemas)
    # What the path and the query name are fields of the same message, so a body may repeat them.
    own = {key: item for key, item in body.items() if key not in method.pattern.groupindex and key not in method.query}
    found = list(islice(violations(own, shape, method), MOST_VIOLATIONS))
    if found:
        raise InvalidArgument(
            "\n".join(violation.description for violation in found),
            details=[
                {
                    "@type": BAD_REQUEST,
                    "fieldViolations": [{"field": v.field, "description": v.description} for v in found],
                }
            ],
        )
    return body


def resolved(shape: Shape, schemas: dict[str, Shape]) -> Shape:
    """A shape without its reference."""
    return schemas.get(shape["ref"], {}) if "ref" in shape else shape


def renamed(value: Any, shape: Shape, schemas: dict[str, Shape]) -> Any:
    """A copy with names of the proto file's spelling in JSON's."""
    shape = resolved(shape, schemas)
    if isinstance(value, list):
        return [renamed(item, shape.get("items", {}), schemas) for item in value]
    if not isinstance(value, dict):
        return value
    shapes = shape.get("properties")
    if shapes is None:
        return {key: renamed(item, shape.get("values", {}), schemas) for key, item in value.items()}
    copy = {}
    for key, item in value.items():
        name = camel(key) if key not in shapes and camel(key) in shapes else key
        copy[name] = renamed(item, shapes.get(name, {}), schemas)
    return copy


def violations(value: Any, shape: Shape, method: Method, path: str = "") -> Iterator[Violation]:
    """Everything in a value that its shape does not have."""
    shape = resolved(shape, method.schemas)
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from violations(item, shape.get("items", {}), method, f"{path}[{index}]")
    elif isinstance(value, dict):
        shapes = shape.get("properties")
        for key, item in value.items():
            if shapes is None:
                yield from violations(item, shape.get("values", {}), method, f"{path}[{key}]")
            elif key in shapes:
                yield from violations(item, shapes[key], method, f"{path}.{snake(key)}".lstrip("."))
            elif not key.startswith("@"):
                place = f" at '{path}'" if path else ""
                text = f'Invalid JSON payload received. Unknown name "{key}"{place}: Cannot find field.'
                yield Violation(path, text)
    elif isinstance(value, str) and shape.get("enum") and value not in shape["enum"]:
        yield Violation(path, f"Invalid value at '{path}', \"{value}\"")


def snake(name: str) -> str:
    """``displayName`` as the proto file spells it."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
