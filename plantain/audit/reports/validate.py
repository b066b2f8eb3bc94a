"""``python -m plantain.audit.reports.validate out/audit``: OSCAL and OCSF by the libraries of those who publish them.

Run with the interpreter of an environment that has ``compliance-trestle`` and ``py-ocsf-models``. This project's own
has not, because the first pins packages that are used here in other versions.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: File, module and class that judge it, and whether each line is a document of its own.
JUDGES = (
    ("assessment-results.json", "trestle.oscal.assessment_results", "Model", False),
    ("component-definition.json", "trestle.oscal.component", "Model", False),
    ("findings.ocsf.ndjson", "py_ocsf_models.events.findings.compliance_finding", "ComplianceFinding", True),
)
MISSING, INVALID = 3, 1


def validate(path: Path, judge: Callable[[Any], Any], *, lines: bool) -> list[str]:
    """What is wrong with a file; empty when nothing is."""
    texts = path.read_text(encoding="utf-8").splitlines() if lines else [path.read_text(encoding="utf-8")]
    problems: list[str] = []
    for number, text in enumerate(texts, 1):
        try:
            judge(json.loads(text))
        except ValueError as error:
            problems.append(f"{path.name}:{number}: {error}")
    return problems


def main(folder: Path) -> int:
    """Validate every report of a folder; returns an exit code."""
    problems: list[str] = []
    for file, module, name, lines in JUDGES:
        if not (folder / file).exists():
            continue
        try:
            judge = getattr(importlib.import_module(module), name).model_validate
        except ImportError as error:
            sys.stderr.write(f"{file} cannot be validated: {error}. pip install compliance-trestle py-ocsf-models\n")
            return MISSING
        found = validate(folder / file, judge, lines=lines)
        sys.stdout.write(f"{file}: {f'{len(found)} problems' if found else 'valid'}\n")
        problems += found
    sys.stderr.write("".join(f"{problem}\n" for problem in problems[:20]))
    return INVALID if problems else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
