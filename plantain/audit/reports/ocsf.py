"""OCSF 1.5: a Compliance Finding (class 2003) for each row, for a SIEM.

Source: https://schema.ocsf.io/1.5.0/classes/compliance_finding (read 2026-11).
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from plantain.audit.canonical import sha256
from plantain.audit.evaluation import Row
from plantain.audit.reports.view import View

VERSION = "1.5.0"
CLASS, CATEGORY, CREATE = 2003, 2, 1
SEVERITY = {"low": (2, "Low"), "medium": (3, "Medium"), "high": (4, "High"), "critical": (5, "Critical")}
INFORMATIONAL = (1, "Informational")
#: compliance.status_id: 1 pass, 2 warning, 3 fail; 0 unknown.
STATUS = {"pass": (1, "Pass"), "fail": (3, "Fail"), "exception": (2, "Warning"), "manual": (2, "Warning")}


def write(view: View, path: Path) -> None:
    """Write the report, one finding a line."""
    time = int(dt.datetime.fromisoformat(view.environment["created"]).timestamp() * 1000)
    with path.open("w", encoding="utf-8") as file:
        for row in view.rows():
            if row["status"] != "not_applicable":
                file.write(json.dumps(finding(view, row, time), sort_keys=True) + "\n")


def finding(view: View, row: Row, time: int) -> dict[str, Any]:
    """One row as a finding.

    Args:
        view: the bundle.
        row: the row.
        time: of the audit, in milliseconds since 1970.
    """
    control = view.controls[row["control"]]
    severity, severity_name = SEVERITY[control["severity"]] if row["status"] == "fail" else INFORMATIONAL
    status, status_name = STATUS.get(row["status"], (0, "Unknown"))
    subject = row["resource"] or row["unit"]
    return {
        "activity_id": CREATE,
        "activity_name": "Create",
        "category_uid": CATEGORY,
        "category_name": "Findings",
        "class_uid": CLASS,
        "class_name": "Compliance Finding",
        "type_uid": CLASS * 100 + CREATE,
        "type_name": "Compliance Finding: Create",
        "time": time,
        "message": row["reason"],
        "severity_id": severity,
        "severity": severity_name,
        "status_id": 1 if row["status"] == "fail" else 4,
        "status": "New" if row["status"] == "fail" else "Resolved",
        "metadata": {
            "version": VERSION,
            "product": {
                "name": "plantain audit",
                "vendor_name": "Plantain",
                "version": view.environment["tools"]["plantain"],
            },
            "uid": sha256(f"{view.manifest.digest}|{row['control']}|{subject}|{row.get('about', '')}".encode()),
        },
        "finding_info": {
            "uid": sha256(f"{row['control']}|{subject}|{row.get('about', '')}".encode()),
            "title": control["title"],
            "desc": control["text"],
            "created_time": time,
            "types": ["compliance"],
        },
        "compliance": {
            "control": row["control"],
            "standards": sorted(control["crosswalk"]) or ["plantain"],
            "requirements": [f"{name} {entry}" for name, ids in control["crosswalk"].items() for entry in ids],
            "status_id": status,
            "status": status_name,
            "status_detail": row["status"],
        },
        "remediation": {"desc": control["fix"], "references": [control["url"]]},
        "resources": [
            {
                "uid": subject,
                "name": row["name"] or row["unit"],
                "type": row["type"],
                "group": {"name": row["unit"]},
                "namespace": row["project"],
            }
        ],
        "cloud": {"provider": "GCP", "project_uid": row["project"]},
        "evidences": [{"data": row["sources"]}],
        "unmapped": {"manifest": view.manifest.digest, "sequence": view.manifest.sequence},
    }
