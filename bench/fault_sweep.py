"""The whole fault sweep: each of the first requests of a campaign's update fails in each of four ways.

    python -m bench.fault_sweep [--first 200] [--every 1] [--ways 'reset,lost answer'] [--json file]

Each experiment starts from an empty organisation, deploys with the fault, deploys again, and compares what there is
with what an unharmed update leaves. With two minutes each, all 800 take more than a day: ``--every 20`` tries every
twentieth request, and so does ``SWEEP_EVERY=20 make bench``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.end_to_end import sweep
from tests.end_to_end.deployment import Deployment

FIRST = 200


def one(folder: Path, expected: Counter[str], way: str, position: int) -> sweep.Outcome:
    """One experiment on a deployment of its own."""
    folder.mkdir(parents=True)
    made = Deployment.make(folder)
    keeper = sweep.Keeper(made.sandbox)
    try:
        # The project's random suffix is known once it is deployed.
        happened, attempts, recovered, failure = sweep.run(made.stack, keeper, way, [position])
        found = sweep.resources(keeper.ready(), suffixed(made) if not failure else "")
        missing = () if failure else tuple(sorted((expected - found).elements()))
        surplus = () if failure else tuple(sorted((found - expected).elements()))
        return sweep.Outcome(way, (position,), happened, attempts, recovered, missing, surplus, failure)
    finally:
        keeper.close()


def suffixed(made: Deployment) -> str:
    """The campaign's project id."""
    return str(made.campaign()["projectId"])


def unharmed(folder: Path) -> tuple[Counter[str], int]:
    """What an update without faults leaves, and how many requests it takes."""
    folder.mkdir(parents=True)
    made = Deployment.make(folder)
    try:
        made.stack.up()
        return sweep.resources(made.sandbox, suffixed(made)), int(made.sandbox.get("status")["requests"])
    finally:
        made.close()


def measure(first: int = FIRST, every: int = 1, ways: tuple[str, ...] = tuple(sweep.WAYS)) -> dict[str, Any]:
    """The sweep, with every outcome that did not converge in full."""
    outcomes: list[sweep.Outcome] = []
    with tempfile.TemporaryDirectory() as name:
        expected, requests = unharmed(Path(name) / "unharmed")
        for number, position in enumerate(range(1, min(first, requests) + 1, every)):
            for way in ways:
                outcome = one(Path(name) / f"{number}-{way.replace(' ', '-')}", expected, way, position)
                outcomes.append(outcome)
                state = "converged" if outcome.converged else "DIFFERS"
                sys.stderr.write(f"request {position}, {way}: {state} after {outcome.attempts} updates\n")
    return {
        "requests": requests,
        "first": first,
        "every": every,
        "experiments": len(outcomes),
        "happened": sum(outcome.happened > 0 for outcome in outcomes),
        "converged": sum(outcome.converged for outcome in outcomes),
        "takenOver": sum(outcome.recovered for outcome in outcomes),
        "mostUpdates": max((outcome.attempts for outcome in outcomes), default=0),
        "differing": [asdict(outcome) for outcome in outcomes if not outcome.converged],
    }


def main() -> int:
    """The command line; 1 when an experiment did not converge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first", type=int, default=FIRST, help="how many of the first requests")
    parser.add_argument("--every", type=int, default=1, help="try every n-th of them")
    parser.add_argument("--ways", default=",".join(sweep.WAYS), help="comma-separated")
    parser.add_argument("--json", type=Path, help="write the result to this file too")
    options = parser.parse_args()
    results = measure(options.first, options.every, tuple(options.ways.split(",")))
    text = json.dumps(results, indent=2) + "\n"
    if options.json:
        options.json.write_text(text)
    sys.stdout.write(text)
    return 0 if results["converged"] == results["experiments"] else 1


if __name__ == "__main__":
    sys.exit(main())
