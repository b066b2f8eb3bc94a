"""Rows of a source, one at a time, so that a file of any length takes no memory: JSON Lines, CSV, text, BigQuery."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plantain.errors import InputError
from plantain.generation_run.prompts import cell_value

if TYPE_CHECKING:
    from plantain.google_cloud import GoogleCloud

Row = tuple[int, dict[str, Any] | str]
"""Number, and the request or what is wrong with the row."""


def rows(source: str, cloud: GoogleCloud | None = None) -> Iterator[Row]:
    """The rows of a file, or of a table given as ``bq://project.dataset.table``.

    Raises:
        InputError: the source cannot be read.
        GoogleCloudError: the table may not be read.
    """
    if source.startswith("bq://"):
        if cloud is None:
            raise InputError("A table needs a cloud to be read from.", cure="a file instead")
        yield from table_rows(cloud, source.removeprefix("bq://"))
        return
    path = Path(source)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            if path.suffix.lower() in {".csv", ".tsv"}:
                yield from _csv(file, "\t" if path.suffix.lower() == ".tsv" else ",")
            elif path.suffix.lower() == ".txt":
                yield from ((n, {"prompt": line.strip()}) for n, line in enumerate(file, 1) if _counts(line))
            else:
                yield from _json_lines(file)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text.", cure=f"iconv -t UTF-8 {path}") from None


def _counts(line: str) -> bool:
    return bool(line.strip()) and not line.startswith("#")


def _json_lines(file: Iterator[str]) -> Iterator[Row]:
    for number, line in enumerate(file, 1):
        if not _counts(line):
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            yield number, f"no JSON ({error})"
            continue
        yield number, row if isinstance(row, dict) else "no JSON object"


def _csv(file: Iterator[str], delimiter: str) -> Iterator[Row]:
    reader = csv.DictReader(file, delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if None in row:
                yield reader.line_num, "more cells than the head line has columns"
                continue
            try:
                cells = {key: cell_value(key, value) for key, value in row.items() if value not in {None, ""}}
            except ValueError as error:
                yield reader.line_num, str(error)
                continue
            yield reader.line_num, cells
    except csv.Error as error:
        raise InputError(f"Line {reader.line_num} is no CSV: {error}.") from None


def table_rows(cloud: GoogleCloud, table: str) -> Iterator[Row]:
    """The rows of a BigQuery table, whose columns are fields of a request.

    Raises:
        InputError: the name is none of a table.
    """
    try:
        project, dataset, name = table.split(".")
    except ValueError:
        raise InputError(f"{table!r} is no table's name.", cure="bq://project.dataset.table") from None
    path = f"bigquery/v2/projects/{project}/datasets/{dataset}/tables/{name}"
    fields = [field["name"] for field in cloud.call("GET", "bigquery", path).get("schema", {}).get("fields", ())]
    token, number = None, 0
    while True:
        params = {"maxResults": 5000, "pageToken": token}
        page = cloud.call("GET", "bigquery", f"{path}/data", params=params)
        for row in page.get("rows", ()):
            number += 1
            values = {key: cell["v"] for key, cell in zip(fields, row["f"], strict=True) if cell["v"] not in {None, ""}}
            try:
                yield number, {key: cell_value(key, str(value)) for key, value in values.items()}
            except ValueError as error:
                yield number, str(error)
        token = page.get("pageToken")
        if not token:
            return
