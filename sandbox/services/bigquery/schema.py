"""Column types of GoogleSQL, and the same in DuckDB, which answers the queries."""

from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from sandbox.errors import InvalidArgument

Document = dict[str, Any]

#: https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/data-types (read 2026-08).
ENGINE_TYPES = {
    "STRING": "VARCHAR",
    "BYTES": "BLOB",
    "INTEGER": "BIGINT",
    "INT64": "BIGINT",
    "FLOAT": "DOUBLE",
    "FLOAT64": "DOUBLE",
    "NUMERIC": "DECIMAL(38,9)",
    "BIGNUMERIC": "DECIMAL(38,18)",
    "BOOLEAN": "BOOLEAN",
    "BOOL": "BOOLEAN",
    "TIMESTAMP": "TIMESTAMPTZ",
    "DATETIME": "TIMESTAMP",
    "DATE": "DATE",
    "TIME": "TIME",
    "JSON": "JSON",
}
RECORDS = {"RECORD", "STRUCT"}
#: What the engine answers with, by the first word of its type.
ANSWER_TYPES = {
    "VARCHAR": "STRING",
    "BLOB": "BYTES",
    "TINYINT": "INTEGER",
    "SMALLINT": "INTEGER",
    "INTEGER": "INTEGER",
    "BIGINT": "INTEGER",
    "HUGEINT": "INTEGER",
    "UBIGINT": "INTEGER",
    "FLOAT": "FLOAT",
    "DOUBLE": "FLOAT",
    "DECIMAL": "NUMERIC",
    "BOOLEAN": "BOOLEAN",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
    "TIMESTAMP": "DATETIME",
    "DATE": "DATE",
    "TIME": "TIME",
    "JSON": "JSON",
}


def check_fields(fields: list[Document]) -> None:
    """Refuse a schema with an unknown type, a field twice, or a record without fields.

    Raises:
        InvalidArgument: with the field's name.
    """
    seen: set[str] = set()
    for field in fields:
        name, kind = str(field.get("name", "")), str(field.get("type", "")).upper()
        if not name or name.lower() in seen:
            raise InvalidArgument(f"Field {name or '(without a name)'} already exists in schema", reason="invalid")
        seen.add(name.lower())
        if kind in RECORDS:
            if not field.get("fields"):
                raise InvalidArgument(f"Field {name} is type RECORD but has no schema", reason="invalid")
            check_fields(field["fields"])
        elif kind not in ENGINE_TYPES:
            raise InvalidArgument(f"Invalid value for type: {kind} is not a valid value", reason="invalid")


def structure(fields: list[Document]) -> Any:
    """The schema as DuckDB's ``from_json`` takes it."""
    return {field["name"]: field_structure(field) for field in fields}


def field_structure(field: Document) -> Any:
    """One column's type, nested where the column is."""
    kind = field["type"].upper()
    inner = structure(field["fields"]) if kind in RECORDS else ENGINE_TYPES[kind]
    return [inner] if field.get("mode", "").upper() == "REPEATED" else inner


def column_type(field: Document) -> str:
    """One column's type in a ``CREATE TABLE``."""
    kind = field["type"].upper()
    if kind in RECORDS:
        columns = ", ".join(f'"{inner["name"]}" {column_type(inner)}' for inner in field["fields"])
        name = f"STRUCT({columns})"
    else:
        name = ENGINE_TYPES[kind]
    return f"{name}[]" if field.get("mode", "").upper() == "REPEATED" else name


def answer_field(name: str, kind: Any) -> Document:
    """A result column's field from the engine's type."""
    mode, text = "NULLABLE", str(kind)
    if kind.id == "list":
        mode, kind = "REPEATED", kind.children[0][1]
        text = str(kind)
    if kind.id == "struct":
        inner = [answer_field(child, below) for child, below in kind.children]
        return {"name": name, "type": "RECORD", "mode": mode, "fields": inner}
    return {"name": name, "type": ANSWER_TYPES.get(text.partition("(")[0].upper(), "STRING"), "mode": mode}


def answer_row(fields: list[Document], values: Any) -> Document:
    """A row as BigQuery writes it: ``{"f": [{"v": ...}]}``."""
    return {"f": [{"v": answer_value(field, value)} for field, value in zip(fields, values, strict=True)]}


def answer_value(field: Document, value: Any) -> Any:
    """One value; everything plain is text."""
    if field.get("mode") == "REPEATED":
        single = {**field, "mode": "NULLABLE"}
        return [{"v": answer_value(single, item)} for item in value or []]
    if value is None:
        return None
    if field["type"].upper() in RECORDS:
        return answer_row(field["fields"], [value.get(inner["name"]) for inner in field["fields"]])
    return plain(value)


def plain(value: Any) -> str:
    """A plain value as text; times with a zone in microseconds since 1970."""
    match value:
        case bool():
            return "true" if value else "false"
        case datetime() if value.tzinfo:
            since = value - datetime(1970, 1, 1, tzinfo=UTC)
            return str((since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds)
        case datetime() | date() | time():
            return value.isoformat()
        case bytes():
            return base64.b64encode(value).decode()
        case Decimal():
            return format(value.normalize(), "f")
        case dict() | list():
            return json.dumps(value)
        case _:
            return str(value)
