"""Log entries as rows of BigQuery: names of tables, and a schema that grows with what arrives.

Source: https://docs.cloud.google.com/logging/docs/export/bigquery (read 2026-11). A log has a table a day, or one
partitioned table; names of labels and payload fields are in lower case, and other signs than letters, digits and ``_``
become ``_``. An entry whose field has another type than its column goes to the table ``export_errors``.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]

HOST = "https://bigquery.googleapis.com/bigquery/v2/"
AUDIT_LOG = "type.googleapis.com/google.cloud.audit.AuditLog"
TIMES = {"timestamp", "receiveTimestamp"}
ERROR_FIELDS: list[Document] = [
    {"name": "logEntry", "type": "STRING", "mode": "NULLABLE"},
    {"name": "schemaErrorDetail", "type": "STRING", "mode": "NULLABLE"},
]


class MismatchError(Exception):
    """An entry's field has another type than its column."""


def table_name(entry: Document, *, partitioned: bool) -> str:
    """The table of an entry: its log's name, with the day unless the table is partitioned."""
    log = re.sub(r"[^A-Za-z0-9_]", "_", unquote(entry["logName"].partition("/logs/")[2]))
    return log if partitioned else f"{log}_{entry['timestamp'][:10].replace('-', '')}"


def row_of(entry: Document) -> Document:
    """The columns of an entry."""
    row: Document = {}
    for key, value in entry.items():
        if key == "protoPayload":
            name = "protopayload_auditlog" if value.get("@type") == AUDIT_LOG else "protopayload"
            row[name] = plain({k: v for k, v in value.items() if k != "@type"}, lower=False)
        else:
            row[key] = plain(value, lower=key in {"jsonPayload", "labels", "resource"})
    return row


def plain(value: Any, *, lower: bool) -> Any:
    """A value with names that BigQuery takes, and without what has no type: empty objects, lists, nulls."""
    if isinstance(value, dict):
        named = {re.sub(r"\W", "_", k.lower() if lower else k): plain(v, lower=lower) for k, v in value.items()}
        kept = {key: item for key, item in named.items() if item not in (None, {}, [])}
        return kept or None
    if isinstance(value, list):
        items = [item for item in (plain(one, lower=lower) for one in value) if item is not None]
        if items and not all(type(item) is type(items[0]) for item in items):
            return [json.dumps(item) for item in items]
        return items or None
    return value


def column(name: str, value: Any) -> Document:
    """The column that a value asks for."""
    mode = "REPEATED" if isinstance(value, list) else "NULLABLE"
    first = value[0] if isinstance(value, list) else value
    if isinstance(first, dict):
        members = value if isinstance(value, list) else [value]
        fields: list[Document] = []
        for member in members:
            fields = widened(fields, member, f"{name}.")
        return {"name": name, "type": "RECORD", "mode": mode, "fields": fields}
    kinds = {bool: "BOOLEAN", int: "FLOAT", float: "FLOAT"}
    kind = "TIMESTAMP" if name in TIMES else kinds.get(type(first), "STRING")
    return {"name": name, "type": kind, "mode": mode}


def widened(fields: list[Document], row: Document, path: str = "") -> list[Document]:
    """A schema with what a row needs besides.

    Raises:
        MismatchError: a column has another type than the row's value.
    """
    known = {field["name"].lower(): field for field in fields}
    for name, value in row.items():
        if value is None:
            continue
        wanted, found = column(name, value), known.get(name.lower())
        if found is None:
            known[name.lower()] = wanted
        elif (found["type"], found["mode"]) != (wanted["type"], wanted["mode"]):
            raise MismatchError(f"{path}{name}: {wanted['mode']} {wanted['type']} instead of {found['type']}")
        elif found["type"] == "RECORD":
            inner = found["fields"]
            for member in value if isinstance(value, list) else [value]:
                inner = widened(inner, member, f"{path}{name}.")
            known[name.lower()] = {**found, "fields": inner}
    return list(known.values())


class Writer:
    """Writes the entries of one sink with the token of its writer, through BigQuery's own API."""

    def __init__(self, cloud: Cloud, sink: Document) -> None:
        self._cloud = cloud
        self._dataset = cloud.hierarchy.canonical(sink["destination"].partition("/")[2])
        self._project = self._dataset.split("/")[1]
        self._token = cloud.agents.token(sink.get("writerIdentity", "").partition(":")[2])
        self._partitioned = bool(sink.get("bigqueryOptions", {}).get("usePartitionedTables"))

    async def _call(self, verb: str, path: str, body: Document | None = None) -> tuple[int, Document]:
        reply = await self._cloud.agents.request(
            verb, f"{HOST}{self._dataset}{path}", project=self._project, token=self._token, json=body
        )
        document: Document = reply.json() if reply.content else {}
        return reply.status_code, document

    async def write(self, entries: list[Document]) -> bool:
        """Add a row for each entry; whether the writer was let in."""
        by_table: dict[str, list[Document]] = {}
        for entry in entries:
            by_table.setdefault(table_name(entry, partitioned=self._partitioned), []).append(entry)
        for table, members in by_table.items():
            if not await self._write(table, members):
                return False
        return True

    async def _write(self, table: str, entries: list[Document]) -> bool:
        status, found = await self._call("GET", f"/tables/{table}")
        if status not in {200, 404}:
            return False
        fields: list[Document] = found.get("schema", {}).get("fields", [])
        rows: list[Document] = []
        wrong: list[Document] = []
        for entry in entries:
            row = row_of(entry)
            try:
                fields = widened(fields, row)
            except MismatchError as error:
                wrong.append({"json": {"logEntry": json.dumps(entry), "schemaErrorDetail": str(error)}})
            else:
                rows.append({"insertId": entry["insertId"], "json": row})
        done = not rows or await self._add(table, fields, rows, exists=status == 200)  # noqa: PLR2004 -- it was found
        if wrong:
            errors = "export_errors" + ("" if self._partitioned else table[-9:])
            exists = (await self._call("GET", f"/tables/{errors}"))[0] == 200  # noqa: PLR2004 -- as above
            done = await self._add(errors, ERROR_FIELDS, wrong, exists=exists) and done
        return done

    async def _add(self, table: str, fields: list[Document], rows: list[Document], *, exists: bool) -> bool:
        document: Document = {"schema": {"fields": fields}}
        if exists:
            status, _ = await self._call("PATCH", f"/tables/{table}", document)
        else:
            if self._partitioned and any(field["name"] == "timestamp" for field in fields):
                document["timePartitioning"] = {"type": "DAY", "field": "timestamp"}
            document["tableReference"] = {
                "projectId": self._project,
                "datasetId": self._dataset.rpartition("/")[2],
                "tableId": table,
            }
            status, _ = await self._call("POST", "/tables", document)
        if status != 200:  # noqa: PLR2004 -- done
            return False
        status, answer = await self._call("POST", f"/tables/{table}/insertAll", {"rows": rows})
        return status == 200 and "insertErrors" not in answer  # noqa: PLR2004 -- done
