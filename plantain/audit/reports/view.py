"""What all reports are written from: a bundle, read once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from plantain.audit import bundle
from plantain.audit import manifest as manifests
from plantain.audit.coverage import Framework, coverage
from plantain.audit.evaluation import Row
from plantain.audit.manifest import Manifest

SEVERITIES = ("critical", "high", "medium", "low")


@dataclass(frozen=True)
class View:
    """A bundle for reading.

    Attributes:
        folder: the bundle.
    """

    folder: Path

    @cached_property
    def manifest(self) -> Manifest:
        """Its manifest."""
        return manifests.load(self.folder)

    @cached_property
    def controls(self) -> dict[str, dict[str, Any]]:
        """Every control, by id, with its ``status`` and counts of ``resources``; the worst first."""
        listed = self.summary["controls"]
        found = [{**control, **listed[control["id"]]} for control in bundle.document(self.folder, bundle.CONTROLS_FILE)]
        order = {name: index for index, name in enumerate(("fail", "indeterminate", "exception", "manual"))}
        found.sort(key=lambda c: (order.get(c["status"], 4), SEVERITIES.index(c["severity"])))
        return {control["id"]: control for control in found}

    @cached_property
    def summary(self) -> dict[str, Any]:
        """results.json."""
        return dict(bundle.document(self.folder, bundle.SUMMARY_FILE))

    @cached_property
    def inventory(self) -> dict[str, Any]:
        """inventory.json."""
        return dict(bundle.document(self.folder, bundle.INVENTORY_FILE))

    @cached_property
    def environment(self) -> dict[str, Any]:
        """environment.json."""
        return dict(bundle.document(self.folder, bundle.ENVIRONMENT_FILE))

    @cached_property
    def exceptions(self) -> dict[str, Any]:
        """exceptions.json."""
        return dict(bundle.document(self.folder, bundle.EXCEPTIONS_FILE))

    @cached_property
    def frameworks(self) -> tuple[Framework, ...]:
        """Coverage of every framework."""
        return coverage(self.folder)

    def rows(self) -> Iterator[Row]:
        """Every row."""
        return bundle.results(self.folder)


def source_status(row: Mapping[str, Any], source: str) -> str:
    """What one source says of a row; empty where it says nothing."""
    return str(row["sources"].get(source, {}).get("status", ""))
