"""``python -m bench.shapes [--only TEXT]``: every stack shape through its whole life, five kills, twenty joins at once.

Writes bench/shapes.json, which docs/shapes.md shows: shape, step, seconds, verdict, and the machine. Takes about an
hour on two cores. A step that fails ends its shape and makes the run fail; the other shapes are still tried.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from bench import joining
from bench.machine import machine
from tests.end_to_end import killing
from tests.end_to_end.shapes import SHAPES
from tests.end_to_end.shapes.killed import BEGINNINGS
from tests.end_to_end.steps import PASSED, Step, Steps

RESULTS = Path(__file__).with_name("shapes.json")
STACKS_AT_ONCE = 20
KILLED = "killed at five random points"


def joining_at_once(folder: Path, steps: Steps) -> None:
    """Stacks that join one perimeter at the same moment, and leave it at the same moment."""
    report: dict[str, Any] = {}
    with steps.step(f"{STACKS_AT_ONCE} stacks join and leave one perimeter at once"):
        report = joining.measure(STACKS_AT_ONCE, folder)
        joining.check(report)


ALL: Mapping[str, Callable[[Path, Steps], None]] = {
    **SHAPES,
    **{
        f"killed at five random points: {name}": partial(killing.five_kills, begin=it)
        for name, it in BEGINNINGS.items()
    },
    "twenty stacks at once": joining_at_once,
}


def tell(step: Step) -> None:
    sys.stderr.write(f"{step.seconds:7.1f} s  {step.verdict}  {step.shape}: {step.step}{' ' + step.reason[-600:]}\n")


def measure(name: str) -> list[Step]:
    """The steps of one shape."""
    steps = Steps(name, tell)
    with tempfile.TemporaryDirectory() as folder:
        try:
            ALL[name](Path(folder) / "shape", steps)
        except Exception:  # noqa: BLE001 -- recorded; the other shapes are still tried
            traceback.print_exc()
            if not steps.taken or steps.taken[-1].verdict == PASSED:
                steps.taken.append(Step(name, "between two steps", 0, "failed", traceback.format_exc()[-2000:]))
    return steps.taken


def keep(name: str, taken: list[Step]) -> None:
    """Write one shape's steps into shapes.json; what it says of the others stays."""
    known = json.loads(RESULTS.read_text())["shapes"] if RESULTS.exists() else {}
    known[name] = {"measured": datetime.now(UTC).strftime("%Y-%m-%d"), "steps": [asdict(step) for step in taken]}
    results = {"machine": machine(), "shapes": {shape: known[shape] for shape in ALL if shape in known}}
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


def main() -> int:
    """Measure, write shapes.json; 1 when a step failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="shapes whose name holds this text")
    options = parser.parse_args()
    chosen = [name for name in ALL if options.only in name]
    failed: list[Step] = []
    for name in chosen:
        taken = measure(name)
        keep(name, taken)
        failed += [step for step in taken if step.verdict != PASSED]
    for step in failed:
        sys.stderr.write(f"FAILED {step.shape}: {step.step}\n{step.reason}\n")
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
