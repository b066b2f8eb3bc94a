"""What changed between two audits, control by control and resource by resource."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from plantain.audit import bundle, summary

#: Statuses from which a failure is a turn for the worse.
GOOD = frozenset({summary.PASS, "exception"})


@dataclass(frozen=True)
class Change:
    """One control on one resource whose status changed.

    Attributes:
        before: None where the row is new.
        after: None where the row is gone.
    """

    control: str
    unit: str
    resource: str
    name: str
    before: str | None
    after: str | None
    reason: str

    @property
    def regressed(self) -> bool:
        """Whether something that held, or was not there, fails now."""
        return self.after == summary.FAIL and (self.before is None or self.before in GOOD)

    @property
    def mended(self) -> bool:
        """Whether something that failed holds now, or is gone."""
        return self.before == summary.FAIL and (self.after is None or self.after in GOOD)


@dataclass(frozen=True)
class Diff:
    """The difference between two bundles.

    Attributes:
        controls: status before and after, for each control whose status changed.
        changes: rows that changed.
        population: totals before and after.
        catalogue_changed: whether the two were judged by different controls.
    """

    controls: Mapping[str, tuple[str | None, str | None]]
    changes: tuple[Change, ...]
    population: Mapping[str, tuple[int, int]]
    catalogue_changed: bool
    regressed: tuple[str, ...] = field(default=())

    def document(self) -> dict[str, Any]:
        """The difference as JSON."""
        return {
            "controls": {name: {"before": pair[0], "after": pair[1]} for name, pair in self.controls.items()},
            "regressed": list(self.regressed),
            "changes": [
                {**vars(change), "regressed": change.regressed, "mended": change.mended} for change in self.changes
            ],
            "population": {name: {"before": pair[0], "after": pair[1]} for name, pair in self.population.items()},
            "catalogueChanged": self.catalogue_changed,
        }


def diff(before: Path, after: Path) -> Diff:
    """Compare two bundles.

    Raises:
        BundleError: one of them is none.
    """
    old, new = (_summary(folder) for folder in (before, after))
    controls = {
        name: (old.get(name), new.get(name)) for name in sorted(set(old) | set(new)) if old.get(name) != new.get(name)
    }
    changes = tuple(_changes(before, after))
    regressed = tuple(sorted({change.control for change in changes if change.regressed}))
    totals = [bundle.document(folder, bundle.INVENTORY_FILE)["totals"] for folder in (before, after)]
    tools = [bundle.document(folder, bundle.ENVIRONMENT_FILE)["tools"]["catalogue"] for folder in (before, after)]
    population = {name: (totals[0][name], totals[1][name]) for name in totals[1] if totals[0][name] != totals[1][name]}
    return Diff(controls, changes, population, tools[0] != tools[1], regressed)


def _summary(folder: Path) -> dict[str, str]:
    listed = bundle.document(folder, bundle.SUMMARY_FILE)["controls"]
    return {name: entry["status"] for name, entry in listed.items()}


def _changes(before: Path, after: Path) -> Iterator[Change]:
    old = {_key(row): (row["status"], row["name"], row["reason"]) for row in bundle.results(before)}
    for row in bundle.results(after):
        key = _key(row)
        status = old.pop(key, (None,))[0]
        if status != row["status"]:
            yield Change(
                row["control"], row["unit"], row["resource"], row["name"], status, row["status"], row["reason"]
            )
    for (control, unit, resource, _), (status, name, reason) in sorted(old.items()):
        yield Change(control, unit, resource, name, status, None, reason)


def _key(row: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return row["control"], row["unit"], row["resource"], row.get("about", "")
