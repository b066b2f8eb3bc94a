"""Rows: streamed in with ``insertAll``, read back with ``tabledata.list``."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from sandbox.enforcement.encryption import require_key
from sandbox.errors import InvalidArgument, NotFound
from sandbox.paging import page
from sandbox.services.bigquery.datasets import AGENT, encryption
from sandbox.services.bigquery.resource import ROWS, TABLES, dotted
from sandbox.services.bigquery.schema import RECORDS, answer_row
from sandbox.services.serviceusage import agents

if TYPE_CHECKING:
    from sandbox.call import Call
    from sandbox.cloud import Cloud

Document = dict[str, Any]

#: https://docs.cloud.google.com/bigquery/quotas#streaming_inserts (read 2026-08).
MOST_ROWS = 50_000


def table_of(cloud: Cloud, name: str) -> Document:
    """A table whose contents may be touched.

    Raises:
        NotFound: there is none.
        ApiError: its key cannot be used.
    """
    table = cloud.store.get(TABLES, name)
    if table is None:
        raise NotFound(f"Not found: Table {dotted(name)}")
    if key := encryption(table):
        require_key(cloud, key, agents.ensure(cloud, AGENT, name.split("/")[1]), decrypt=True)
    return table


def insert(call: Call) -> Document:
    """Add rows; those that break the schema are told one by one, and stop all unless ``skipInvalidRows``."""
    name = "/".join(call.name.split("/")[:6])
    table, rows = table_of(call.cloud, name), call.body.get("rows", [])
    if not 0 < len(rows) <= MOST_ROWS:
        raise InvalidArgument(f"A request has 1 to {MOST_ROWS} rows, not {len(rows)}.", reason="invalid")
    fields = table.get("schema", {}).get("fields", [])
    lenient = bool(call.body.get("ignoreUnknownValues"))
    errors: list[Document] = []
    good: list[Document] = []
    for index, row in enumerate(rows):
        problems = list(faults(fields, row.get("json", {}), "", lenient=lenient))
        if problems:
            listed = [{"reason": "invalid", "location": at, "debugInfo": "", "message": text} for at, text in problems]
            errors.append({"index": index, "errors": listed})
        else:
            good.append(row)
    if errors and not call.body.get("skipInvalidRows"):
        stopped = [{"reason": "stopped", "location": "", "debugInfo": "", "message": ""}]
        wrong = {error["index"] for error in errors}
        errors += [{"index": index, "errors": stopped} for index in range(len(rows)) if index not in wrong]
        return {"kind": "bigquery#tableDataInsertAllResponse", "insertErrors": errors}
    for row in good:
        identity = row.get("insertId") or f"{call.cloud.store.next('bigquery.rows'):012d}"
        call.cloud.store.put(ROWS, f"{name}/rows/{identity}", row.get("json", {}))
    answer: Document = {"kind": "bigquery#tableDataInsertAllResponse"}
    return {**answer, "insertErrors": errors} if errors else answer


def faults(fields: list[Document], row: Any, path: str, *, lenient: bool) -> Any:
    """``(location, message)`` of what a row has wrong."""
    if not isinstance(row, dict):
        yield path, "This field is a record."
        return
    known = {field["name"].lower(): field for field in fields}
    for key, value in row.items():
        field = known.get(key.lower())
        if field is None:
            if not lenient:
                yield key, f"no such field: {path}{key}."
        elif field["type"].upper() in RECORDS and value is not None:
            many = field.get("mode", "").upper() == "REPEATED"
            for item in value if many and isinstance(value, list) else [value]:
                yield from faults(field["fields"], item, f"{path}{key}.", lenient=lenient)
    present = {key.lower() for key, value in row.items() if value is not None}
    for name, field in known.items():
        if field.get("mode", "").upper() == "REQUIRED" and name not in present:
            yield field["name"], f"Missing required field: {path}{field['name']}."


def listing(call: Call) -> Document:
    """A page of rows."""
    from sandbox.services.bigquery.engine import Engine  # noqa: PLC0415 -- the engine is loaded when one is needed

    name = "/".join(call.name.split("/")[:6])
    table = table_of(call.cloud, name)
    with Engine() as engine:
        fields, found = engine.read(table, call.cloud.store.documents(ROWS, f"{name}/rows"))
    shown, following = page(found, call.query)
    answer: Document = {
        "kind": "bigquery#tableDataList",
        "etag": base64.b64encode(json.dumps(len(found)).encode()).decode(),
        "totalRows": str(len(found)),
    }
    if shown:
        answer["rows"] = [answer_row(fields, row) for row in shown]
    return {**answer, "pageToken": following} if following else answer


def to_table(call: Call) -> tuple[str, str]:
    """The table's policy governs its rows."""
    return "bigquery", "/".join(call.name.split("/")[:6])


HANDLERS = {"bigquery.tabledata.insertAll": insert, "bigquery.tabledata.list": listing}
TARGETS = {"bigquery.tabledata": to_table}
