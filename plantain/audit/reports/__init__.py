"""Reports of a bundle: for people (HTML, Markdown, CSV) and for other systems (SARIF, JUnit, OSCAL, OCSF)."""

from __future__ import annotations

from collections.abc import Mapping

#: File of each format, and the module that writes it. Modules are imported when they are asked for.
FORMATS: Mapping[str, tuple[str, str]] = {
    "html": ("report.html", "plantain.audit.reports.html"),
    "csv": ("results.csv", "plantain.audit.reports.spreadsheet"),
    "markdown": ("report.md", "plantain.audit.reports.markdown"),
    "sarif": ("results.sarif", "plantain.audit.reports.sarif"),
    "junit": ("results.xml", "plantain.audit.reports.junit"),
    "oscal": ("assessment-results.json", "plantain.audit.reports.oscal"),
    "oscal-components": ("component-definition.json", "plantain.audit.reports.oscal_components"),
    "ocsf": ("findings.ocsf.ndjson", "plantain.audit.reports.ocsf"),
}
