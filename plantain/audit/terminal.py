"""What ``plantain audit`` says at the terminal of evidence that exists, for people or for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plantain import output

if TYPE_CHECKING:
    from plantain.audit.coverage import Framework
    from plantain.audit.verify import Report


def tell_verification(report: Report, *, json: bool) -> None:
    """Whether the bundles are as they were written."""
    if json:
        output.document(
            {
                "bundles": report.bundles,
                "files": report.files,
                "rejudged": report.rejudged,
                "scopes": sorted(report.scopes),
                "notes": report.notes,
                "problems": [vars(problem) for problem in report.problems],
            }
        )
    else:
        for note in report.notes:
            output.complain(f"note: {note}")
        if report.problems:
            output.table(("where", "what"), [(problem.where, problem.what) for problem in report.problems])
        else:
            again = len(report.rejudged)
            output.tell(
                f"Scope: {', '.join(sorted(report.scopes))}. "
                f"Bundles: {len(report.bundles)}, files: {report.files}, all as they were written. "
                f"Judged again with the same results: {again}."
            )


def tell_framework(chosen: Framework, *, json: bool) -> None:
    """One framework, id by id."""
    if json:
        output.document({"framework": chosen.name, "items": [vars(item) for item in chosen.items]})
        return
    rows = [
        (
            item.id,
            item.status,
            ", ".join(f"{name} ({status})" for name, status in item.controls.items()),
            "; ".join(f"{entry['result']} by {entry['by']} on {entry['date']}" for entry in item.recorded),
        )
        for item in chosen.items
    ]
    output.table(("id", "status", "controls", "recorded"), rows, whole=("id", "status"))
    if chosen.without_control:
        output.tell(f"No control speaks of: {', '.join(chosen.without_control)}.")


def tell_judgements(rows: Sequence[Mapping[str, Any]], *, json: bool) -> None:
    """Verdicts of one control, with everything that it read."""
    if json:
        output.document(rows)
        return
    for row in rows:
        output.heading(f"{row['status']}: {row['name'] or row['unit']}")
        output.say(row["reason"])
        for source, said in row["sources"].items():
            output.say(f"  {source}: {said['status']} - {said.get('reason', '')}")
            for reading in said.get("readings", ()):
                declared = f" (declared: {reading['declared']!r})" if "declared" in reading else ""
                output.say(f"    {reading['path']} = {reading['value']!r}{declared}")


def tell_provenance(found: Mapping[str, Any], out: Path, *, json: bool) -> None:
    """How many images could be traced, and what is wrong with the others."""
    if json:
        output.document(found)
    else:
        output.say(f"{found['judged']} of {found['population']} images judged, {found['failed']} fail. Results: {out}")
        credentials = ", ".join(f"{number} {state}" for state, number in found["contentCredentials"].items())
        output.say(f"C2PA: {credentials or 'nothing judged'}.")
        if found["problems"]:
            output.table(("problem", "images"), [(k, str(n)) for k, n in found["problems"].items()], right=("images",))
