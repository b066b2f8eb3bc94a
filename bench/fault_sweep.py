"""The whole fault sweep: each of the first requests of a campaign's update fails in each of four ways.

    python -m bench.fault_sweep [--first 200] [--every 1] [--minutes 60] [--json bench/fault_sweep.json]

Each experiment starts from an empty organisation, deploys with the fault, deploys again, and compares what there is
with what an unharmed update leaves. With two minutes each, all 800 take more than a day. So they come in an order whose
every beginning is spread evenly over the requests and over the ways, and the file is written after each.
``SWEEP_EVERY=20 make bench`` makes a twentieth of them.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.end_to_end import sweep
from tests.end_to_end.deployment import Deployment

FIRST = 200
FILE = Path(__file__).with_name("fault_sweep.json")


def order(first: int) -> Iterator[tuple[int, str]]:
    """Every request with every way, each once: the positions in the order of their reversed binary digits."""
    ways = tuple(sweep.WAYS)
    digits = (first - 1).bit_length()
    spread = [int(f"{number:0{digits}b}"[::-1], 2) for number in range(2**digits)] if digits else [0]
    positions = [number + 1 for number in spread if number < first]
    for turn in range(len(ways)):
        for index, position in enumerate(positions):
            yield position, ways[(index + turn) % len(ways)]


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


def summary(outcomes: list[dict[str, Any]], requests: int, first: int) -> dict[str, Any]:
    """What the file says."""
    converged = [not (o["missing"] or o["surplus"] or o["failure"]) for o in outcomes]
    return {
        "requests": requests,
        "first": first,
        "all": first * len(sweep.WAYS),
        "experiments": len(outcomes),
        "happened": sum(o["happened"] > 0 for o in outcomes),
        "converged": sum(converged),
        "takenOver": sum(o["recovered"] for o in outcomes),
        "mostUpdates": max((o["attempts"] for o in outcomes), default=0),
        "differing": [o for o, same in zip(outcomes, converged, strict=True) if not same],
        "outcomes": [{key: o[key] for key in ("way", "positions", "attempts", "recovered")} for o in outcomes],
    }


def measure(first: int = FIRST, every: int = 1, *, minutes: float = 0, file: Path | None = None) -> dict[str, Any]:
    """The sweep, with every outcome that did not converge in full.

    Args:
        first: how many of the first requests.
        every: one of so many experiments.
        minutes: begin none later than this; 0 for no limit.
        file: written after each experiment.
    """
    outcomes: list[dict[str, Any]] = []
    wanted = list(order(first))[: max(1, first * len(sweep.WAYS) // every)]
    ends = time.monotonic() + minutes * 60
    with tempfile.TemporaryDirectory() as name:
        expected, requests = unharmed(Path(name) / "unharmed")
        for number, (position, way) in enumerate(wanted):
            if minutes and time.monotonic() > ends:
                break
            outcome = one(Path(name) / str(number), expected, way, position)
            outcomes.append(asdict(outcome))
            state = "converged" if outcome.converged else "DIFFERS"
            sys.stderr.write(f"request {position}, {way}: {state} after {outcome.attempts} updates\n")
            if file:
                file.write_text(json.dumps(summary(outcomes, requests, first), indent=1) + "\n")
    return summary(outcomes, requests, first)


def main() -> int:
    """The command line; 1 when an experiment did not converge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first", type=int, default=FIRST, help="how many of the first requests")
    parser.add_argument("--every", type=int, default=1, help="one of so many experiments")
    parser.add_argument("--minutes", type=float, default=0, help="begin none after so many minutes")
    parser.add_argument("--json", type=Path, default=FILE, help="where the result is written")
    options = parser.parse_args()
    results = measure(options.first, options.every, minutes=options.minutes, file=options.json)
    sys.stdout.write(json.dumps({key: value for key, value in results.items() if key != "outcomes"}, indent=2) + "\n")
    return 0 if results["converged"] == results["experiments"] else 1


if __name__ == "__main__":
    sys.exit(main())
