"""Markdown: the summary and what fails, for a pull request or a ticket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from plantain.audit.reports.view import View

SHOWN = 200


def write(view: View, path: Path) -> None:
    """Write the report."""
    path.write_text("\n".join(_lines(view)) + "\n", encoding="utf-8")


def _lines(view: View) -> Iterator[str]:
    totals, score = view.inventory["totals"], view.summary["score"]
    yield f"# Audit {view.manifest.sequence} of {view.manifest.scope}"
    yield ""
    yield (
        f"{view.environment['created']}. {score['passed']} of {score['judged']} judged controls pass; "
        f"{score['controls'] - score['judged']} of {score['controls']} controls have no verdict."
    )
    yield (
        f"Population: {totals['projects']} projects, {totals['declared']} declared and {totals['live']} live "
        f"resources; {totals['unread']} lists could not be read."
    )
    yield ""
    yield "| control | severity | status | resources |"
    yield "|---|---|---|---|"
    for control in view.controls.values():
        counts = ", ".join(f"{number} {status}" for status, number in control["resources"].items())
        yield f"| {control['id']} | {control['severity']} | {control['status']} | {counts} |"
    yield ""
    yield "## What fails"
    yield ""
    failing = [row for row in view.rows() if row["status"] == "fail"]
    for row in failing[:SHOWN]:
        yield f"- **{row['control']}** {cell(row['name'] or row['unit'])}: {cell(row['reason'])}"
        yield f"  - cure: `{view.controls[row['control']]['fix'].replace('`', '')}`"
    if not failing:
        yield "Nothing."
    if len(failing) > SHOWN:
        yield f"- and {len(failing) - SHOWN} more, all of them in results.csv"
    yield ""
    yield f"Manifest `{view.manifest.digest}`; verify with `plantain audit verify {view.folder.name}`."


def cell(text: str) -> str:
    """Text that Markdown shows as it is."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>|#" else " " if c in "\r\n" else c for c in text)
