"""OSCAL 1.2 assessment results: an observation for each row, a finding for each control with a verdict.

OSCAL knows satisfied and not-satisfied only. What is neither (indeterminate, manual, not evaluated) is an observation
without a finding, and every observation has our own status as a property.
Source: https://pages.nist.gov/OSCAL-Reference/models/v1.2.1/assessment-results (read 2026-11).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from plantain.audit.evaluation import Row
from plantain.audit.reports.view import View

VERSION = "1.2.1"
NAMESPACE = UUID("6f7e6b1e-5d0c-5c5e-9a58-1f0f2d0a7f11")
PROPERTIES = "urn:plantain:audit"
SATISFIED = {"pass": "satisfied", "fail": "not-satisfied", "exception": "not-satisfied"}
#: Rows of a control that become observations, failures first; all of them are in results.ndjson.
SHOWN = 200


def write(view: View, path: Path) -> None:
    """Write the report."""
    path.write_text(json.dumps(document(view), indent=1, sort_keys=True) + "\n", encoding="utf-8")


def identifier(*parts: str) -> str:
    """A UUID that is the same for the same thing in every audit."""
    return str(uuid5(NAMESPACE, "|".join(parts)))


def metadata(view: View, title: str) -> dict[str, Any]:
    """Metadata of a document."""
    return {
        "title": title,
        "last-modified": view.environment["created"],
        "version": str(view.manifest.sequence),
        "oscal-version": VERSION,
    }


def document(view: View) -> dict[str, Any]:
    """The assessment results as JSON."""
    kept: dict[str, list[Row]] = {}
    for row in view.rows():
        if row["status"] != "not_applicable":
            rows = kept.setdefault(row["control"], [])
            if row["status"] == "fail" or len(rows) < SHOWN:
                rows.append(row)
    observations: list[dict[str, Any]] = []
    findings: list[dict[str, Any]] = []
    for name, control in view.controls.items():
        rows = sorted(kept.get(name, ()), key=lambda row: row["status"] != "fail")[:SHOWN]
        made = [_observation(view, row) for row in rows]
        observations += made
        if control["status"] in SATISFIED:
            findings.append(_finding(view, name, control, [entry["uuid"] for entry in made]))
    created = view.environment["created"]
    result: dict[str, Any] = {
        "uuid": identifier(view.manifest.digest, "result"),
        "title": f"Audit {view.manifest.sequence} of {view.manifest.scope}",
        "description": f"Judged from evidence with manifest {view.manifest.digest}.",
        "start": created,
        "reviewed-controls": {"control-selections": [{"include-controls": _controls(view)}]},
    }
    if observations:
        result["observations"] = observations
    if findings:
        result["findings"] = findings
    return {
        "assessment-results": {
            "uuid": identifier(view.manifest.digest),
            "metadata": metadata(view, f"Audit of {view.manifest.scope}"),
            "import-ap": {"href": "#" + identifier(view.manifest.scope, "plan")},
            "back-matter": {
                "resources": [
                    {
                        "uuid": identifier(view.manifest.scope, "plan"),
                        "title": "Assessment plan",
                        "description": "Every control of controls.json, over every resource of inventory.json.",
                    }
                ]
            },
            "results": [result],
        }
    }


def _controls(view: View) -> list[dict[str, str]]:
    named = {control_id(entry) for control in view.controls.values() for entry in control["crosswalk"].get(NIST, ())}
    return [{"control-id": name} for name in sorted(named)]


NIST = "nist-800-53-r5"


def control_id(entry: str) -> str:
    """SC-28(1) as OSCAL's catalogue of NIST SP 800-53 has it: sc-28.1."""
    return entry.lower().replace("(", ".").replace(")", "")


def _observation(view: View, row: Row) -> dict[str, Any]:
    subject = row["resource"] or row["unit"]
    values = {"status": row["status"], "control": row["control"], "unit": row["unit"], "type": row["type"]}
    return {
        "uuid": identifier(view.manifest.digest, row["control"], row["unit"], subject, row.get("about", "")),
        "title": f"{row['control']}: {row['name'] or row['unit']}",
        "description": row["reason"],
        "methods": ["EXAMINE" if row["status"] == "manual" else "TEST"],
        "props": [{"name": name, "ns": PROPERTIES, "value": value} for name, value in values.items()],
        "subjects": [{"subject-uuid": identifier(subject), "type": "inventory-item", "title": subject}],
        "collected": view.environment["created"],
    }


def _finding(view: View, name: str, control: dict[str, Any], observations: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "uuid": identifier(view.manifest.digest, name, "finding"),
        "title": control["title"],
        "description": f"{control['text']} {control['why']}",
        "target": {
            "type": "objective-id",
            "target-id": name,
            "status": {"state": SATISFIED[control["status"]], "reason": control["status"]},
        },
    }
    if observations:
        found["related-observations"] = [{"observation-uuid": entry} for entry in observations]
    return found
