"""CSV: one row for each control and resource."""

from __future__ import annotations

import csv
from pathlib import Path

from plantain.audit.reports.view import View, source_status

COLUMNS = (
    "control", "title", "severity", "status", "unit", "project", "type", "name", "resource", "reason",
    "state", "preview", "live", "exception owner", "exception expires",
)  # fmt: skip
#: A cell that begins with one of these is run as a formula by spreadsheets.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write(view: View, path: Path) -> None:
    """Write the report."""
    frameworks = [framework.name for framework in view.frameworks]
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        table = csv.writer(file)
        table.writerow([*COLUMNS, *frameworks])
        for row in view.rows():
            control = view.controls[row["control"]]
            exception = row.get("exception", {})
            cells = [
                row["control"], control["title"], control["severity"], row["status"], row["unit"], row["project"],
                row["type"], row["name"], row["resource"], row["reason"],
                *(source_status(row, source) for source in ("state", "preview", "live")),
                exception.get("owner", ""), exception.get("expires", ""),
                *(" ".join(control["crosswalk"].get(name, ())) for name in frameworks),
            ]  # fmt: skip
            table.writerow([harmless(cell) for cell in cells])


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell
