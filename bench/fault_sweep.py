"""The whole fault sweep: each of the first requests of a campaign's update fails in each of four ways.

    python -m bench.fault_sweep [--first 200] [--every 1] [--minutes 60] [--json bench/fault_sweep.json] [--resume]

A deployment takes minutes, so 800 of them would take more than a day. Therefore many requests fail in one deployment:
each of them once, in the same way, wherever it comes in the update or in a later one. Requests are told apart by what
they ask for, not by their number, and those for the same are spread over the groups. Then the outcome is compared with
what an unharmed update leaves. A group that differs is halved until the request at fault stands alone. A request that
an update did not make again (one poll less of an operation) did not fail, and is tried again with the next groups.

Killed sandboxes are started again by this process, which holds their socket, so callers wait. The short form in
``make test`` holds nothing: its callers are refused until the sandbox is back.

``make bench`` makes them all, ``SWEEP_EVERY=4 make bench`` a quarter of the groups, ``SWEEP_EVERY=0`` none.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sandbox.server import listen
from tests.end_to_end import sweep
from tests.end_to_end.deployment import Deployment
from tests.end_to_end.sweep import Request

FIRST = 200
FILE = Path(__file__).with_name("fault_sweep.json")
#: Deployments that the requests of each way are spread over: kills cost most in each.
GROUPS = {"503 once": 2, "reset": 2, "lost answer": 5, "process kill": 8}
#: How often a request that an update did not make again is tried.
TRIES = 2


def groups(way: str, requests: Sequence[Request]) -> list[list[Request]]:
    """The requests of a way, spread: those for the same never stand next to each other."""
    count = GROUPS[way]
    found: list[list[Request]] = [[] for _ in range(count)]
    for place, one in enumerate(sorted(requests, key=lambda request: (request.method, request.path, request.earlier))):
        found[place % count].append(one)
    return [group for group in found if group]


def experiment(folder: Path, expected: Counter[str], way: str, requests: Sequence[Request]) -> sweep.Outcome:
    """One experiment on a deployment of its own."""
    folder.mkdir(parents=True)
    listener = listen(0)
    made = Deployment.make(folder, listener=listener)
    keeper = sweep.Keeper(made.sandbox, listener)
    try:
        return sweep.experiment(made.stack, keeper, expected, way, requests, lambda: suffixed(made))
    finally:
        keeper.close()


def suffixed(made: Deployment) -> str:
    """The campaign's project id, whose random end is known once it is deployed."""
    return str(made.campaign()["projectId"])


def unharmed(folder: Path) -> tuple[Counter[str], list[Request]]:
    """What an update without faults leaves, and what it asks for."""
    folder.mkdir(parents=True)
    made = Deployment.make(folder)
    try:
        made.stack.up()
        asked = sweep.identified(made.sandbox.get("requests?count=5000"))
        return sweep.resources(made.sandbox, suffixed(made)), asked
    finally:
        made.close()


class Sweep:
    """What is still to be made, and what became of what was.

    Args:
        requests: the first ones of an unharmed update.
        asked: how many requests that update made in all.
    """

    def __init__(self, requests: Sequence[Request], asked: int) -> None:
        self.requests = requests
        self.asked = asked
        self.outcomes: list[sweep.Outcome] = []
        self.waiting = deque((way, group) for way in sweep.WAYS for group in groups(way, requests))
        self._tries: Counter[tuple[str, int]] = Counter()

    @classmethod
    def resumed(cls, file: Path) -> Sweep:
        """One that was interrupted, as its file says."""
        left = json.loads(file.read_text())
        made = cls([Request(**one) for one in left["positions"]], left["requests"])
        for one in left["outcomes"]:
            lists = {key: tuple(value) for key, value in one.items() if isinstance(value, list)}
            outcome = sweep.Outcome(**{**one, **lists})
            planned = next((item for item in made.waiting if made.is_of(item, outcome)), None)
            if planned:
                made.waiting.remove(planned)
            made.note(outcome)
        return made

    @staticmethod
    def is_of(planned: tuple[str, list[Request]], outcome: sweep.Outcome) -> bool:
        """Whether an outcome is that of a planned group."""
        way, group = planned
        return (way, sorted(one.number for one in group)) == (outcome.way, list(outcome.wanted))

    def note(self, outcome: sweep.Outcome) -> None:
        """Keep an outcome, and plan what follows from it: halves of what differs, what did not happen once more."""
        self.outcomes.append(outcome)
        wanted = [one for one in self.requests if one.number in outcome.wanted]
        if not outcome.converged and len(wanted) > 1:
            middle = len(wanted) // 2
            self.waiting.extendleft([(outcome.way, wanted[middle:]), (outcome.way, wanted[:middle])])
            return
        again = [one for one in wanted if one.number not in outcome.happened]
        self._tries.update((outcome.way, one.number) for one in again)
        if again := [one for one in again if self._tries[outcome.way, one.number] < TRIES]:
            self.waiting.append((outcome.way, again))

    def summary(self) -> dict[str, Any]:
        """What the file says: by way, how many of the requests failed and what came of it."""
        ways = {way: self._way(way) for way in sweep.WAYS}
        return {
            "requests": self.asked,
            "first": len(self.requests),
            "all": len(self.requests) * len(sweep.WAYS),
            "happened": sum(one["happened"] for one in ways.values()),
            "converged": sum(one["converged"] for one in ways.values()),
            "deployments": len(self.outcomes),
            "ways": ways,
            "outcomes": [asdict(one) for one in self.outcomes],
            "positions": [
                {"number": one.number, "method": one.method, "path": one.path, "earlier": one.earlier}
                for one in self.requests
            ],
        }

    def _way(self, way: str) -> dict[str, Any]:
        made = [one for one in self.outcomes if one.way == way]
        happened = {number for one in made for number in one.happened}
        converged = {number for one in made if one.converged for number in one.happened}
        tried = {number for one in made for number in one.wanted}
        return {
            "happened": len(happened),
            "converged": len(converged),
            "differed": sorted(happened - converged),
            "notMadeAgain": sorted(tried - happened),
            "notTried": sorted({one.number for one in self.requests} - tried),
        }


def difference(outcome: sweep.Outcome) -> str:
    """The first of what differs, for people."""
    lines = [*outcome.missing, *outcome.surplus, *outcome.failure.strip().splitlines()[-1:]]
    return lines[0].strip() if lines else ""


def measure(
    first: int = FIRST, every: int = 1, *, minutes: float = 0, file: Path | None = None, resume: bool = False
) -> dict[str, Any]:
    """The sweep.

    Args:
        first: how many of the first requests.
        every: one of so many groups.
        minutes: begin none later than this; 0 for no limit.
        file: written after each group.
        resume: go on where the file ends.
    """
    ends = time.monotonic() + minutes * 60
    with tempfile.TemporaryDirectory() as name:
        expected, asked = unharmed(Path(name) / "unharmed")
        made = Sweep.resumed(file) if file and resume else Sweep(asked[:first], len(asked))
        made.waiting = deque(list(made.waiting)[::every])
        while made.waiting and not (minutes and time.monotonic() > ends):
            way, group = made.waiting.popleft()
            outcome = experiment(Path(name) / str(len(made.outcomes)), expected, way, group)
            made.note(outcome)
            sys.stderr.write(line(outcome) + "\n")
            if file:
                file.write_text(json.dumps(made.summary(), indent=1) + "\n")
        return made.summary()


def line(outcome: sweep.Outcome) -> str:
    """One line on one group."""
    state = "converged" if outcome.converged else f"DIFFERS: {difference(outcome)}"
    failed = f"{len(outcome.happened)} of {len(outcome.wanted)} requests failed"
    mended = f"{len(outcome.taken)} taken over, {len(outcome.copies)} copies removed"
    return f"{outcome.way}: {failed}, {outcome.updates} updates, {mended}: {state}"


def main(arguments: Iterable[str] | None = None) -> int:
    """The command line; 1 when a request that failed did not converge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first", type=int, default=FIRST, help="how many of the first requests")
    parser.add_argument("--every", type=int, default=1, help="one of so many groups")
    parser.add_argument("--minutes", type=float, default=0, help="begin none after so many minutes")
    parser.add_argument("--json", type=Path, default=FILE, help="where the result is written")
    parser.add_argument("--resume", action="store_true", help="go on where that file ends")
    options = parser.parse_args(None if arguments is None else list(arguments))
    results = measure(options.first, options.every, minutes=options.minutes, file=options.json, resume=options.resume)
    shown = {key: value for key, value in results.items() if key not in ("outcomes", "positions")}
    sys.stdout.write(json.dumps(shown, indent=2) + "\n")
    return 0 if results["converged"] == results["happened"] else 1


if __name__ == "__main__":
    sys.exit(main())
