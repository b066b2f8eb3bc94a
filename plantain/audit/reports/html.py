"""HTML: one file without any address in it, for a screen, a projector and a printer."""

from __future__ import annotations

import datetime as dt
import heapq
import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from plantain.audit import summary
from plantain.audit.evaluation import EXCEPTION, NOT_EVALUATED, Row
from plantain.audit.reports.view import View, source_status
from policies.frameworks import frameworks

TEMPLATE = "report.html.j2"
#: Rows shown of one control, failures first; all of them are in the evidence.
SHOWN = 12
#: Rows of failures shown of one control.
SHOWN_FAILURES = 40
#: Readings shown of one row.
SHOWN_READINGS = 4
LONGEST_VALUE = 160
#: What a reader looks for; other rows are folded where a control has some of these.
OFFENDING = frozenset({"fail", "indeterminate", "exception"})
ORDER = ("fail", "indeterminate", "exception", "manual", "pass", "not_applicable")
WORDS = {
    summary.FAIL: "fails",
    summary.INDETERMINATE: "open",
    EXCEPTION: "excepted",
    summary.MANUAL: "by people",
    summary.PASS: "passes",
    NOT_EVALUATED: "not evaluated",
    summary.NOT_APPLICABLE: "does not apply",
}
#: The same after a number: 2 fail.
COUNTED = {**WORDS, summary.FAIL: "fail", summary.PASS: "pass", summary.NOT_APPLICABLE: "do not apply"}
SEVERITIES = ("critical", "high", "medium", "low")


def write(view: View, path: Path) -> None:
    """Write the report."""
    environment = Environment(
        loader=PackageLoader("plantain.audit", "reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    rows = _rows(view)
    by_status = {name: view.summary["byStatus"].get(name, 0) for name in (*ORDER[:5], NOT_EVALUATED)}
    text = environment.get_template(TEMPLATE).render(
        view=view,
        words=WORDS,
        counted=COUNTED,
        created=dt.datetime.fromisoformat(view.environment["created"]).strftime("%Y-%m-%d %H:%M UTC"),
        severities=_severities(view),
        by_status=by_status,
        bars=_bars(by_status),
        controls=[_control(view, name, rows.get(name, [])) for name in view.controls],
        frameworks=[_framework(entry) for entry in view.frameworks],
        totals=view.inventory["totals"],
        units=view.inventory["units"] if len(view.inventory["units"]) <= SHOWN_FAILURES else [],
        unread=[entry for unit in view.inventory["units"] for entry in unit["unread"]][:SHOWN_FAILURES],
        signed=(view.folder / "manifest.dsse.json").exists(),
    )
    path.write_text(text, encoding="utf-8")


def _severities(view: View) -> list[dict[str, Any]]:
    """For each severity its controls by status."""
    found = []
    for severity in SEVERITIES:
        statuses = [control["status"] for control in view.controls.values() if control["severity"] == severity]
        counts = {name: statuses.count(name) for name in (*ORDER[:5], NOT_EVALUATED)}
        found.append({"name": severity, "total": len(statuses), "counts": counts, "bars": _bars(counts)})
    return found


def _rows(view: View) -> dict[str, list[Row]]:
    """A few rows of each control, the worst first, without keeping all of them in memory."""
    heaps: dict[str, list[tuple[int, int, Row]]] = {}
    for number, row in enumerate(view.rows()):
        rank = ORDER.index(row["status"])
        heap = heaps.setdefault(row["control"], [])
        limit = SHOWN_FAILURES
        if rank and len(heap) >= SHOWN and heap[0][0] >= -rank:
            continue
        heapq.heappush(heap, (-rank, -number, row))
        if len(heap) > limit:
            heapq.heappop(heap)
    found: dict[str, list[Row]] = {}
    for name, heap in heaps.items():
        ordered = [(-rank, row) for rank, _, row in sorted(heap, key=lambda entry: (-entry[0], -entry[1]))]
        failing = sum(rank == 0 for rank, _ in ordered)
        found[name] = [row for _, row in ordered[: max(SHOWN, failing)]]
    return found


def _control(view: View, name: str, rows: list[Row]) -> dict[str, Any]:
    control = view.controls[name]
    counts = [(status, control["resources"][status]) for status in ORDER if control["resources"].get(status)]
    total = sum(number for _, number in counts)
    return {
        **control,
        "counts": counts,
        "total": total,
        "hidden": total - len(rows),
        "rows": [_row(view, row) for row in rows if row["status"] in {control["status"], *OFFENDING}],
        "others": [_row(view, row) for row in rows if row["status"] not in {control["status"], *OFFENDING}],
    }


def _row(view: View, row: Row) -> dict[str, Any]:
    readings: list[dict[str, str]] = []
    for source, said in sorted(row["sources"].items()):
        readings += [
            {"source": source, "path": entry["path"], "value": value_of(entry)} for entry in said.get("readings", ())
        ]
    subject = f" --resource {shlex.quote(row['resource'])}" if row["resource"] else ""
    return {
        **row,
        "facts": list(_facts(row)),
        "shown": readings[:SHOWN_READINGS],
        "more": max(0, len(readings) - SHOWN_READINGS),
        "command": f"plantain audit show {view.folder.name} --control {row['control']}{subject}",
    }


def _facts(row: Row) -> Iterator[str]:
    """Where a row is about, what each source says, and what people said of it."""
    if row["resource"]:
        yield row["resource"]
    if row["project"]:
        yield f"project {row['project']}"
    for source in ("state", "preview", "live"):
        if said := source_status(row, source):
            yield f"{source} {WORDS[said]}"
    if excepted := row.get("exception"):
        yield f"excepted by {excepted['owner']} until {excepted['expires']}: {excepted['reason']}"
    if recorded := row.get("recorded"):
        yield f"{recorded['by']}, {recorded['date']}: {recorded['evidence']}"


def value_of(entry: Mapping[str, Any]) -> str:
    """A reading as text; what was declared stands before what was found."""
    text = _text(entry["value"])
    if "declared" in entry:
        text = f"{_text(entry['declared'])} → {text}"
    return text


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def _bars(by_status: Mapping[str, int]) -> list[tuple[str, int, float, float]]:
    """Status, count, offset and width in percent, of the bar of all controls."""
    total = sum(by_status.values()) or 1
    bars: list[tuple[str, int, float, float]] = []
    offset = 0.0
    for status, number in by_status.items():
        width = 100 * number / total
        if number:
            bars.append((status, number, round(offset, 3), round(width, 3)))
        offset += width
    return bars


def _framework(entry: Any) -> dict[str, Any]:
    counts: dict[str, int] = {}
    for item in entry.items:
        counts[item.status] = counts.get(item.status, 0) + 1
    ordered = {name: counts.get(name, 0) for name in (*ORDER[:5], NOT_EVALUATED)}
    return {
        "name": entry.name,
        "title": frameworks()[entry.name].name,
        "version": entry.version,
        "items": entry.items,
        "passed": entry.passed,
        "judged": entry.judged,
        "bars": _bars(ordered),
    }
