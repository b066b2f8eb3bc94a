"""The part of docs/performance.md on the sandbox under load and faults, from bench/load.json and fault_sweep.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
WANTED = {
    "readySeconds": ("answers after a start on a new folder, s (median of 5)", "≤ 1.5"),
    "readyAgainSeconds": ("the same on an old folder, s", "≤ 1.5"),
    "readySecondsSlowest": ("the slowest of these ten starts, s", ""),
    "getMillisecondsMedian": ("a plain GET, ms (median of 3,000)", "≤ 2"),
    "getMilliseconds99": ("the same, 99 of 100", ""),
    "getsPerSecondOneClient": ("GETs a second, one client", ""),
    "getsPerSecondOfProcessorTime": ("GETs for each second of the sandbox's processor time", "≥ 1,000"),
    "resources": ("resources created then", "10,000"),
    "createsPerSecond": ("created a second, one client", ""),
    "megabytes": ("memory with them, MB", "≤ 400"),
    "restartSeconds": ("restart with them, s", "≤ 3"),
    "megabytesAfterRestart": ("memory after it, MB", "≤ 400"),
    "kills": ("`kill -9` in the middle of writing, times", ""),
    "acknowledgedWrites": ("writes acknowledged meanwhile", ""),
    "lostWrites": ("of these, lost", "0"),
}


LOAD = """
## The sandbox under load

`python -m bench.load` on {measured}, {machine}, while the machine's load average was {loadAverageBefore}.

| what | wanted | figure |
|---|---|---|
{lines}
"""
SWEEP = """
## The fault sweep

Each of the first {first} of the {requests} requests of a campaign's `pulumi up` fails in each of four ways, then `up`
again. A deployment a fault would take more than a day, so many requests fail in one: each once, wherever it comes in
this update or a later one, told apart by what it asks for. The next update goes on, after `plantain recover
--delete-leftovers` where one says "already exists"; a group that differs is halved until the request at fault stands
alone. Converged means: the resources of an unharmed update, none doubled, none orphaned.

| way | requests failed | of these converged | not made again | not tried |
|---|---|---|---|---|
{rows}

{deployments} deployments; in the largest group {mostUpdates} updates, {takenOver} resources taken over, {copies} copies
removed in all. `python -m bench.fault_sweep` makes them; `tests/end_to_end/test_faults.py` is the short form in
`make test`. Which request has which number: `bench/fault_sweep.json`.
{lines}"""


def section() -> str:
    """Markdown of whatever was measured; empty when nothing was."""
    parts = []
    if (HERE / "load.json").exists():
        parts.append(load(json.loads((HERE / "load.json").read_text())))
    if (HERE / "fault_sweep.json").exists():
        parts.append(sweep(json.loads((HERE / "fault_sweep.json").read_text())))
    return "".join(parts)


def load(figures: dict[str, Any]) -> str:
    """The table of the load test."""
    lines = [f"| {text} | {wanted} | {figures[name]} |" for name, (text, wanted) in WANTED.items() if name in figures]
    return LOAD.format(**figures, lines="\n".join(lines))


def sweep(figures: dict[str, Any]) -> str:
    """What the fault sweep came to."""
    rows = [
        f"| {way} | {one['happened']} | {one['converged']} | {len(one['notMadeAgain'])} | {len(one['notTried'])} |"
        for way, one in figures["ways"].items()
    ]
    outcomes = figures["outcomes"]
    alone = [one for one in outcomes if len(one["wanted"]) == 1]
    failed = [f"\n- request {o['wanted'][0]}, {o['way']}: {reason(o)}" for o in alone if differs(o)]
    return SWEEP.format(
        **figures,
        rows="\n".join(rows),
        mostUpdates=max((one["updates"] for one in outcomes), default=0),
        takenOver=sum(len(one["taken"]) for one in outcomes),
        copies=sum(len(one["copies"]) for one in outcomes),
        lines="".join([*failed, "\n"] if failed else []),
    )


def differs(outcome: dict[str, Any]) -> bool:
    """Whether an experiment did not converge."""
    return bool(outcome["missing"] or outcome["surplus"] or outcome["failure"])


def reason(outcome: dict[str, Any]) -> str:
    """Why an experiment did not converge, in one line."""
    if outcome["failure"]:
        return str(outcome["failure"]).strip().splitlines()[-1]
    missing, surplus = ", ".join(outcome["missing"]) or "nothing", ", ".join(outcome["surplus"]) or "nothing"
    return f"missing {missing}; too many {surplus}"
