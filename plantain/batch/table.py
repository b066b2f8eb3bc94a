"""Results of a batch into a BigQuery table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from plantain.errors import GoogleCloudError, InputError

if TYPE_CHECKING:
    from plantain.google_cloud import GoogleCloud

NOT_FOUND = 404
ROWS_OF_A_CALL = 500
SCHEMA = [
    {"name": "fingerprint", "type": "STRING", "mode": "REQUIRED"},
    {"name": "line", "type": "INTEGER"},
    {"name": "image", "type": "STRING"},
    {"name": "sha256", "type": "STRING"},
    {"name": "bytes", "type": "INTEGER"},
    {"name": "problem", "type": "STRING"},
    {"name": "cost", "type": "NUMERIC"},
]


def insert(cloud: GoogleCloud, table: str, entries: Iterable[dict[str, Any]]) -> int:
    """Add results to a table, which is made when it is not there; returns how many.

    Rows carry their fingerprint as insertId, so that a second run within minutes adds nothing twice.

    Raises:
        InputError: the name is none of a table, its dataset is missing, or BigQuery refuses rows.
        GoogleCloudError: BigQuery refuses the call.
    """
    try:
        project, dataset, name = table.removeprefix("bq://").split(".")
    except ValueError:
        raise InputError(f"{table!r} is no table's name.", cure="--to-table project.dataset.table") from None
    base = f"bigquery/v2/projects/{project}/datasets/{dataset}/tables"
    try:
        cloud.call("GET", "bigquery", f"{base}/{name}")
    except GoogleCloudError as error:
        if error.status != NOT_FOUND:
            raise
        reference = {"projectId": project, "datasetId": dataset, "tableId": name}
        try:
            cloud.call("POST", "bigquery", base, body={"tableReference": reference, "schema": {"fields": SCHEMA}})
        except GoogleCloudError as missing:
            if missing.status != NOT_FOUND:
                raise
            raise InputError(
                f"There is no dataset {project}.{dataset}, so the results were only written here.",
                cure=f"bq --location=REGION mk --dataset {project}:{dataset}, then fetch again",
            ) from None
    count = 0
    rows: list[dict[str, Any]] = []
    for entry in entries:
        known = {field["name"]: entry.get(field["name"]) for field in SCHEMA} | {"image": entry.get("file")}
        rows.append({"insertId": entry["fingerprint"], "json": known})
        if len(rows) == ROWS_OF_A_CALL:
            count += _send(cloud, f"{base}/{name}", rows)
            rows = []
    return count + (_send(cloud, f"{base}/{name}", rows) if rows else 0)


def _send(cloud: GoogleCloud, path: str, rows: list[dict[str, Any]]) -> int:
    answer = cloud.call("POST", "bigquery", f"{path}/insertAll", body={"rows": rows})
    errors = answer.get("insertErrors", [])
    if errors:
        first = errors[0]["errors"][0].get("message", "no reason given")
        raise InputError(f"BigQuery refused {len(errors)} rows, the first because: {first}")
    return len(rows)
