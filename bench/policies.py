"""``python -m bench.policies``: what the policy pack adds to a preview, to bench/policies.json.

The same program is previewed with and without the pack, with few and with many resources: the difference with few is
the start, the slope is the cost of a resource. The resources are those of tests/policies/world.py, over and over, so
every control has something to judge.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from plantain.engine import resolve
from tests.engine.projects import Project
from tests.policies.test_preview import PROGRAM, copy_pack, write
from tests.policies.world import SETTINGS, urn, world

RESULTS = Path(__file__).with_name("policies.json")
RUNS = 5
FEW, MANY = 1, 6
"""Copies of the good stack."""


def resources(copies: int) -> list[Any]:
    found = []
    for number in range(copies):
        for name, made in world().items():
            own = f"{name}-{number}"
            found.append(replace(made, name=own, urn=urn(own, made.type)))
    return found


def processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def seconds(project: Project, *options: str) -> tuple[float, float]:
    """Elapsed and processor seconds of one preview; the latter are the same on a busy machine."""
    started, used = time.perf_counter(), processor_seconds()
    project.pulumi("preview", *options)
    return time.perf_counter() - started, processor_seconds() - used


def measured(folder: Path) -> dict[str, Any]:
    project = Project(resolve(), folder / "project")
    project.environment.pop("PYTHONDONTWRITEBYTECODE", None)
    project.write("__main__.py", PROGRAM)
    copy_pack(project.folder)
    project.write(
        "functions/generation/models.json",
        (Path(__file__).parents[1] / "functions" / "generation" / "models.json").read_text(),
    )
    project.pulumi("stack", "init", "judged")
    for key, value in SETTINGS.items():
        project.pulumi("config", "set", f"plantain:{key}", value if isinstance(value, str) else json.dumps(value))
    project.pulumi("config", "set", "--path", "policies:enforcement.all", "advisory")
    times: dict[tuple[int, bool], list[float]] = {}
    counts = {}
    for copies in (FEW, MANY):
        made = resources(copies)
        counts[copies] = len(made)
        write(project, made)
        seconds(project, "--policy-pack", "policies")
        # Turn about, so that both see the same machine.
        pairs = [(seconds(project), seconds(project, "--policy-pack", "policies")) for _ in range(RUNS)]
        for with_pack, column in zip((False, True), zip(*pairs, strict=True), strict=True):
            # The least of several: whatever else the machine does only ever adds.
            times[copies, with_pack] = [min(kind) for kind in zip(*column, strict=True)]
    figures = {}
    for kind, name in enumerate(("elapsed", "processor")):
        added = {copies: times[copies, True][kind] - times[copies, False][kind] for copies in (FEW, MANY)}
        each = (added[MANY] - added[FEW]) / (counts[MANY] - counts[FEW])
        figures[name] = {
            "secondsWithout": [round(times[copies, False][kind], 2) for copies in (FEW, MANY)],
            "secondsWith": [round(times[copies, True][kind], 2) for copies in (FEW, MANY)],
            "startSeconds": round(added[FEW] - each * counts[FEW], 2),
            "millisecondsPerResource": round(each * 1000, 2),
        }
    load = round(os.getloadavg()[0], 1)
    return {"resources": [counts[FEW], counts[MANY]], "loadOfTheMachine": load, **figures}


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        found = {"measured": time.strftime("%Y-%m-%d"), "runs": RUNS, **measured(Path(name))}
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
