"""SARIF 2.1.0: a rule for each control, a result for each row.

Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html (read 2026-11).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plantain.audit.canonical import sha256
from plantain.audit.evaluation import Row
from plantain.audit.reports.view import View

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
KINDS = {"fail": "fail", "pass": "pass", "not_applicable": "notApplicable", "manual": "review"}
LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
#: What code scanning shows by default as critical, high, medium, low.
SECURITY_SEVERITY = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0"}


def write(view: View, path: Path) -> None:
    """Write the report, one result at a time: there may be hundreds of thousands."""
    positions = _positions(view)
    index = {name: number for number, name in enumerate(view.controls)}
    head = {"$schema": SCHEMA, "version": "2.1.0"}
    run = {
        "tool": {"driver": _driver(view)},
        "automationDetails": {"id": f"plantain-audit/{view.manifest.scope}/{view.manifest.sequence}"},
        "invocations": [{"executionSuccessful": True, "endTimeUtc": _utc(view.environment["created"])}],
        "columnKind": "unicodeCodePoints",
    }
    with path.open("w", encoding="utf-8") as file:
        file.write(json.dumps(head)[:-1] + ', "runs": [' + json.dumps(run)[:-1] + ', "results": [')
        for number, row in enumerate(view.rows()):
            file.write(",\n" if number else "\n")
            file.write(json.dumps(_result(row, view.controls[row["control"]], index, positions)))
        file.write("\n]}]}\n")


def _driver(view: View) -> dict[str, Any]:
    return {
        "name": "plantain audit",
        "semanticVersion": view.environment["tools"]["plantain"],
        "informationUri": "https://cloud.google.com/vpc-service-controls/docs/overview",
        "rules": [
            {
                "id": control["id"],
                "shortDescription": {"text": control["title"]},
                "fullDescription": {"text": control["text"]},
                "help": {"text": f"{control['why']}\n\nCure: {control['fix']}"},
                "helpUri": control["url"],
                "defaultConfiguration": {"level": LEVELS[control["severity"]]},
                "properties": {
                    "tags": [f"{name}:{entry}" for name, ids in control["crosswalk"].items() for entry in ids],
                    "security-severity": SECURITY_SEVERITY[control["severity"]],
                },
            }
            for control in view.controls.values()
        ],
    }


def _result(
    row: Row, control: Mapping[str, Any], index: Mapping[str, int], positions: Mapping[str, tuple[str, int]]
) -> dict[str, Any]:
    kind = KINDS.get(row["status"], "open")
    failing = row["status"] in {"fail", "exception"}
    subject = row["resource"] or row["unit"]
    location: dict[str, Any] = {
        "logicalLocations": [{"fullyQualifiedName": subject, "name": row["name"] or row["unit"], "kind": "resource"}]
    }
    if row["resource"] in positions:
        file, number = positions[row["resource"]]
        location["physicalLocation"] = {"artifactLocation": {"uri": file}, "region": {"startLine": number}}
    else:
        location["physicalLocation"] = {"artifactLocation": {"uri": "Pulumi.yaml"}}
    found: dict[str, Any] = {
        "ruleId": row["control"],
        "ruleIndex": index[row["control"]],
        "kind": "fail" if failing else kind,
        "level": LEVELS[control["severity"]] if failing else "none",
        "message": {"text": f"{row['name'] or row['unit']}: {row['reason']}"},
        "locations": [location],
        "partialFingerprints": {
            "controlAndResource/v1": sha256(f"{row['control']}|{subject}|{row.get('about', '')}".encode())
        },
        "properties": {"status": row["status"], "unit": row["unit"], "project": row["project"]},
    }
    if row["status"] == "exception":
        exception = row["exception"]
        found["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": f"{exception['owner']}: {exception['reason']}"}
        ]
    return found


def _positions(view: View) -> dict[str, tuple[str, int]]:
    """Where each declared resource stands in the program, where the engine knows: ``project:///infra/x.py#12``."""
    found: dict[str, tuple[str, int]] = {}
    for path in sorted(view.folder.glob("units/*/state.json")):
        for entry in json.loads(path.read_bytes())["deployment"].get("resources") or ():
            file, _, place = str(entry.get("sourcePosition", "")).removeprefix("project:///").partition("#")
            line = place.partition(",")[0]
            if file and line.isdigit():
                found[entry["urn"]] = (file, int(line))
    return found


def _utc(text: str) -> str:
    return text.replace("+00:00", "Z")
