"""What docs/performance.md shows of preview.json."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.preview import growth

RESULTS = Path(__file__).with_name("preview.json")
HEAD = """
## `pulumi preview` of an unchanged stack

Measured by `python -m bench.preview`. One campaign was deployed. A stack of more is made from it: its part of Pulumi's
state and of the sandbox's store is copied under other names, for projects with numbers of their own
(`bench/many_campaigns.py`). A preview as `Pulumi.yaml` has it reads every resource first; it would fail if it found
anything to change. The last three columns are of one that believes the state (`--refresh=false`). CPU is in seconds of
processors; memory is that of engine, provider and program together, at its highest.

| campaigns | resources | seconds | CPU | MB | seconds | CPU | MB |
|---|---|---|---|---|---|---|---|
"""


def section() -> str:
    """The table, how it grows, and what components cost beside a flat program."""
    results = json.loads(RESULTS.read_text())
    rows = [
        f"| {row['campaigns']} | {row['resources']} | {_figures(row['read'])} | {_figures(row.get('believed'))} |"
        for row in results["unchanged"]
    ]
    each = results["flat"]["cpuSecondsForEachCampaign"]
    return (
        HEAD
        + "\n".join(rows)
        + f"""

{_growth(results["unchanged"])}

From the start of the program to its first resource: {results["firstResourceSeconds"]} s (median; wanted is 2.5 s). A
campaign more in a new stack costs {each["components"]} s of processors, and {each["flat"]} s with a flat program that
declares the same resources without components: {results["flat"]["ratio"]} times as much (wanted is 1.1 at most).
{_short(results["short"])} Measured {results["measured"]} on {results["machine"]["cores"]} cores; the load average
of the machine was {results["load"]} then.
"""
    )


def _figures(row: dict[str, Any] | None) -> str:
    return "| |" if row is None else f"{row['seconds']} | {row['cpu']} | {row['megabytes']}"


def _growth(rows: list[dict[str, Any]]) -> str:
    """What a campaign more costs, between one row and the next."""
    spans = [f"from {a['campaigns']} to {b['campaigns']}" for a, b in pairwise(rows)]
    costs = zip(spans, growth(rows, "cpu"), growth(rows, "megabytes"), strict=True)
    said = "; ".join(f"{span}, {cpu} s of processors and {megabytes} MB" for span, cpu, megabytes in costs)
    return f"A campaign more costs such a preview: {said}."


def _short(found: list[str]) -> str:
    return f"Short of what is wanted: {'; '.join(found)}." if found else "Nothing falls short of what is wanted."
