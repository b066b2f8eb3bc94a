"""What all units say of each control, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from plantain.audit.evaluation import EXCEPTION, NOT_EVALUATED, Row
from plantain.audit.join_controls import JOIN_CONTROLS, JoinControl
from policies.catalogue import Control

FAIL, PASS, MANUAL, INDETERMINATE, NOT_APPLICABLE = "fail", "pass", "manual", "indeterminate", "not_applicable"
#: What a control is, from what its rows are: the first that any row has.
WEIGHT = (FAIL, INDETERMINATE, EXCEPTION, MANUAL, PASS, NOT_APPLICABLE)


@dataclass
class Counts:
    """Rows of each status, by control."""

    by_control: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, rows: Iterable[Row]) -> None:
        """Count rows."""
        for row in rows:
            self.by_control.setdefault(row["control"], Counter())[row["status"]] += 1

    def merge(self, other: Counts) -> None:
        """Count what another counted."""
        for control, counted in other.by_control.items():
            self.by_control.setdefault(control, Counter()).update(counted)


def overall(counted: Mapping[str, int]) -> str:
    """The status of a control; one that judged nothing was not evaluated, and is never green."""
    found = next((status for status in WEIGHT if counted.get(status)), NOT_APPLICABLE)
    return NOT_EVALUATED if found == NOT_APPLICABLE else found


def results(counts: Counts, controls: Sequence[Control]) -> dict[str, Any]:
    """The summary of an audit as JSON: every control of the catalogue, also those that judged nothing."""
    listed: dict[str, Any] = {}
    total: Counter[str] = Counter()
    for control in every(controls):
        counted = counts.by_control.get(control.id, Counter())
        status = overall(counted)
        total[status] += 1
        listed[control.id] = {"status": status, "resources": dict(sorted(counted.items()))}
    judged = total[PASS] + total[FAIL] + total[EXCEPTION]
    rows: Counter[str] = sum(counts.by_control.values(), Counter())
    return {
        "controls": listed,
        "byStatus": dict(sorted(total.items())),
        "rows": dict(sorted(rows.items())),
        "score": {
            "passed": total[PASS],
            "judged": judged,
            "controls": len(listed),
        },
    }


def every(controls: Sequence[Control]) -> tuple[Control | JoinControl, ...]:
    """The catalogue's controls and those over several sources."""
    return (*controls, *JOIN_CONTROLS)


def documents(controls: Sequence[Control]) -> list[dict[str, Any]]:
    """The controls as JSON."""
    return [
        {
            "id": control.id,
            "title": control.title,
            "text": control.text,
            "why": control.why,
            "severity": str(control.severity),
            "fix": control.fix,
            "url": control.url,
            "crosswalk": {framework: list(ids) for framework, ids in control.crosswalk.items()},
            "kind": "joined" if isinstance(control, JoinControl) else "stack" if control.of_stack else "resource",
            "resourceTypes": [] if isinstance(control, JoinControl) else list(control.resource_types),
            "propertyPaths": [] if isinstance(control, JoinControl) else list(control.property_paths),
        }
        for control in every(controls)
    ]
