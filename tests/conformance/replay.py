"""Replay all recordings and sum up by service."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from sandbox.app import create_app
from tests.conformance.scenario import RECORDINGS, Row, Scenario
from tests.sandbox.conftest import build_cloud

FIGURES = Path(__file__).with_name("figures.json")
TOTAL = "all"


@dataclass(frozen=True, slots=True)
class Reading:
    """How the recordings are read, see docs/coverage.md.

    Attributes:
        bound_once: ``strict`` of ``Bindings``; when false, etags are renewed as well, see ``versions``.
        strict: ``Settings.strict`` of the sandbox.
    """

    bound_once: bool
    strict: bool


READINGS = {"once": Reading(True, False), "strict": Reading(True, True), "renewed": Reading(False, True)}


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of one service's exchanges; ``unanswerable`` of those that disagree are so by the recording's fault."""

    exchanges: int
    agree: int
    exact: int
    unanswerable: int


def replay(reading: Reading, only: str = "*", *, methods: dict[str, set[str]] | None = None) -> list[Row]:
    """Every exchange of the recordings whose names match, against one new sandbox.

    Args:
        reading: how placeholders and etags are understood.
        only: glob on the recordings' names.
        methods: filled with the recordings that called each method id.
    """

    called = {} if methods is None else methods

    async def run() -> list[Row]:
        with tempfile.TemporaryDirectory(prefix="replay-", ignore_cleanup_errors=True) as folder:
            cloud = build_cloud(Path(folder), strict=reading.strict)
            app = create_app(cloud)
            rows: list[Row] = []
            defects: list[str] = []
            for path in sorted(RECORDINGS.glob("*.json")):
                if fnmatch(path.stem, only):
                    cloud.log.clear()
                    rows += await Scenario(app, path, strict=reading.bound_once).replay()
                    for name in cloud.log.methods:
                        called.setdefault(name, set()).add(path.stem)
                    defects += cloud.log.defects
            await cloud.operations.close()
            cloud.close()
        if defects:
            raise AssertionError(f"{len(defects)} defects, the first:\n{defects[0]}")
        return rows

    return asyncio.run(run())


def by_service(rows: Iterable[Row]) -> dict[str, Figures]:
    """Figures of each service and of all."""
    counted: dict[str, list[int]] = {}
    for row in rows:
        for key in (row.service, TOTAL):
            counts = counted.setdefault(key, [0, 0, 0, 0])
            counts[0] += 1
            counts[1] += row.agrees
            counts[2] += row.exact
            counts[3] += bool(row.obstacle)
    return {key: Figures(*counted[key]) for key in sorted(counted, key=lambda name: (name == TOTAL, name))}


def kept() -> dict[str, dict[str, Figures]]:
    """The figures on record, by reading and service."""
    document: dict[str, dict[str, dict[str, Any]]] = json.loads(FIGURES.read_text())
    return {reading: {k: Figures(**v) for k, v in services.items()} for reading, services in document.items()}


def fallen(now: dict[str, Figures], before: dict[str, Figures]) -> list[str]:
    """What has become worse, one line each."""
    lines: list[str] = []
    for service, old in before.items():
        new = now.get(service, Figures(0, 0, 0, 0))
        lines += [
            f"{service}: {name} fell from {getattr(old, name)} to {getattr(new, name)}"
            for name in ("exchanges", "agree", "exact")
            if getattr(new, name) < getattr(old, name)
        ]
    return lines
