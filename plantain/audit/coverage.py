"""What an audit says of a framework: each of its ids with the controls that speak of it, and what they found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plantain.audit import bundle, summary
from plantain.audit.evaluation import EXCEPTION, NOT_EVALUATED
from policies.frameworks import frameworks

#: What an id is, from what its controls are: the worst counts.
WORST = (summary.FAIL, summary.INDETERMINATE, EXCEPTION, NOT_EVALUATED, summary.MANUAL, summary.PASS)


@dataclass(frozen=True)
class Item:
    """One id of a framework.

    Attributes:
        id: such as SC-28(1).
        status: the worst of its controls.
        controls: the ids of the controls that speak of it, with their status.
        recorded: results that people recorded for its manual controls.
    """

    id: str
    status: str
    controls: Mapping[str, str]
    recorded: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Framework:
    """One framework.

    Attributes:
        name: what crosswalks call it, such as nist-800-53-r5.
        title: the framework's own name.
        version: the version whose ids these are.
        items: its ids that a control speaks of, in the framework's order.
        without_control: its ids that no control speaks of, in the framework's order.
    """

    name: str
    title: str
    version: str
    items: tuple[Item, ...]
    without_control: tuple[str, ...]

    @property
    def judged(self) -> int:
        """Ids with a verdict."""
        return sum(item.status in {summary.PASS, summary.FAIL, EXCEPTION} for item in self.items)

    @property
    def passed(self) -> int:
        """Ids all of whose controls pass."""
        return sum(item.status == summary.PASS for item in self.items)

    def counted(self, *statuses: str) -> int:
        """Ids with one of some statuses."""
        return sum(item.status in statuses for item in self.items)

    def row(self) -> tuple[str, ...]:
        """The framework as a row of a table."""
        numbers = (
            len(self.items) + len(self.without_control),
            len(self.items),
            self.judged,
            self.passed,
            self.counted(summary.FAIL),
            self.counted(summary.MANUAL),
            self.counted(summary.INDETERMINATE, NOT_EVALUATED),
        )
        return (self.name, self.version, *map(str, numbers))

    def document(self) -> dict[str, Any]:
        """The framework as JSON, without its single ids."""
        return {
            "framework": self.name,
            "title": self.title,
            "version": self.version,
            "ids": len(self.items) + len(self.without_control),
            "withControl": len(self.items),
            "judged": self.judged,
            "passed": self.passed,
            "failed": self.counted(summary.FAIL),
            "manual": self.counted(summary.MANUAL),
        }


def coverage(folder: Path) -> tuple[Framework, ...]:
    """Every framework that the bundle's controls speak of.

    Raises:
        BundleError: the folder holds no evidence.
    """
    controls = bundle.document(folder, bundle.CONTROLS_FILE)
    statuses = {
        name: entry["status"] for name, entry in bundle.document(folder, bundle.SUMMARY_FILE)["controls"].items()
    }
    recorded = bundle.document(folder, bundle.EXCEPTIONS_FILE)["manual"]
    by_framework: dict[str, dict[str, list[str]]] = {}
    for control in controls:
        for framework, ids in control["crosswalk"].items():
            for entry in ids:
                by_framework.setdefault(framework, {}).setdefault(entry, []).append(control["id"])
    return tuple(_framework(name, ids, statuses, recorded) for name, ids in sorted(by_framework.items()))


def _framework(
    name: str, named: Mapping[str, Sequence[str]], statuses: Mapping[str, str], recorded: Sequence[Mapping[str, Any]]
) -> Framework:
    known = frameworks().get(name)
    order = {entry: index for index, entry in enumerate(known.ids)} if known else {}
    ids = sorted(named, key=lambda entry: (order.get(entry, len(order)), entry))
    return Framework(
        name,
        known.name if known else name,
        known.version if known else "",
        tuple(_item(entry, named[entry], statuses, recorded) for entry in ids),
        tuple(entry for entry in order if entry not in named),
    )


def _item(entry: str, named: Sequence[str], statuses: Mapping[str, str], recorded: Sequence[Mapping[str, Any]]) -> Item:
    found = {name: statuses.get(name, NOT_EVALUATED) for name in named}
    status = next(status for status in WORST if status in found.values())
    return Item(entry, status, found, [record for record in recorded if record["control"] in found])
