"""OSCAL 1.2 component definition: which requirements of which framework the kit implements, control by control.

Source: https://pages.nist.gov/OSCAL-Reference/models/v1.2.1/component-definition (read 2026-11).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from plantain.audit.reports.oscal import NIST, PROPERTIES, control_id, identifier, metadata
from plantain.audit.reports.view import View

#: Where each framework's catalogue is published.
CATALOGUES = {
    NIST: "https://raw.githubusercontent.com/usnistgov/oscal-content/main/nist.gov/SP800-53/rev5/json/NIST_SP-800-53_rev5_catalog.json"
}


def write(view: View, path: Path) -> None:
    """Write the report."""
    path.write_text(json.dumps(document(view), indent=1, sort_keys=True) + "\n", encoding="utf-8")


def document(view: View) -> dict[str, Any]:
    """The component definition as JSON."""
    names = sorted({name for control in view.controls.values() for name in control["crosswalk"]})
    return {
        "component-definition": {
            "uuid": identifier("component-definition"),
            "metadata": metadata(view, "Plantain: image generation inside a perimeter"),
            "components": [
                {
                    "uuid": identifier("component"),
                    "type": "software",
                    "title": "Plantain",
                    "description": "Deploys campaigns for image generation inside a VPC Service Controls perimeter.",
                    "control-implementations": [_implementation(view, name) for name in names],
                }
            ],
        }
    }


def _implementation(view: View, framework: str) -> dict[str, Any]:
    by_id: dict[str, list[dict[str, Any]]] = {}
    for control in view.controls.values():
        for entry in control["crosswalk"].get(framework, ()):
            by_id.setdefault(entry, []).append(control)
    return {
        "uuid": identifier("implementation", framework),
        "source": CATALOGUES.get(framework, f"urn:plantain:framework:{framework}"),
        "description": f"What Plantain does for {framework}.",
        "implemented-requirements": [
            {
                "uuid": identifier("requirement", framework, entry),
                "control-id": control_id(entry) if framework == NIST else _token(entry),
                "description": " ".join(control["text"] for control in controls),
                "props": [{"name": "rule", "ns": PROPERTIES, "value": control["id"]} for control in controls],
            }
            for entry, controls in sorted(by_id.items())
        ],
    }


def _token(entry: str) -> str:
    """An id as OSCAL's tokens may be written: letters first, no brackets."""
    text = "".join(c if c.isalnum() or c in "-._" else "." for c in entry).strip(".")
    return text if text[:1].isalpha() else f"_{text}"
