"""Why exchanges disagree in each reading of the recordings, counted."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from tests.conformance import obstacles
from tests.conformance.replay import READINGS, replay
from tests.conformance.scenario import Row

FILE = Path(__file__).with_name("causes.json")

#: The exchange agrees once generated values are read as what they are.
BINDING = "one placeholder stands for several generated values: projects, folders, operations, etags"
SANDBOX = "the sandbox answers differently"

Causes = dict[str, dict[str, int]]


def cause(row: Row, renewed: Row) -> str:
    """Why one exchange disagrees, seen beside the same one of the reading with renewed values."""
    if row.obstacle == obstacles.UNBOUND:
        return row.obstacle
    if renewed.agrees:
        return BINDING
    return renewed.obstacle or SANDBOX


def causes() -> Causes:
    """Counts by cause and reading, the most frequent cause first."""
    rows = {reading: replay(how) for reading, how in READINGS.items()}
    counted = {
        reading: Counter(
            cause(row, renewed) for row, renewed in zip(found, rows["renewed"], strict=True) if not row.agrees
        )
        for reading, found in rows.items()
    }
    names = sorted({name for counts in counted.values() for name in counts}, key=lambda name: -counted["once"][name])
    return {name: {reading: counts[name] for reading, counts in counted.items()} for name in names}


def kept() -> Causes:
    """The counts on record."""
    found: Causes = json.loads(FILE.read_text())
    return found


def write() -> None:
    """Put the counts of now on record."""
    FILE.write_text(json.dumps(causes(), indent=1) + "\n")
