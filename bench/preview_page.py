"""What docs/performance.md shows of preview.json."""

from __future__ import annotations

import json
from pathlib import Path

RESULTS = Path(__file__).with_name("preview.json")
HEAD = """
## `pulumi preview` of an unchanged stack

Measured by `python -m bench.preview`. The stack of one campaign was deployed; those of more are its state, written
again for other projects that exist in the sandbox. These previews believe the state (`--refresh=false`); one that reads
every resource first, as `Pulumi.yaml` has it, is in the last line. Memory is that of engine, provider and program.

| campaigns | resources | seconds | seconds of processors | MB |
|---|---|---|---|---|
"""


def section() -> str:
    """The table, and what components cost beside a flat program."""
    results = json.loads(RESULTS.read_text())
    rows = [
        f"| {row['campaigns']} | {row['resources']} | {row['seconds']} | {row['cpu']} | {row['megabytes']} |"
        for row in results["unchanged"]
    ]
    read, flat = results["unchangedWithRefresh"], results["flat"]
    first = results["unchanged"][0]
    rows.append(
        f"| {first['campaigns']}, every resource read | {first['resources']} | {read['seconds']} | {read['cpu']} |"
        f" {read['megabytes']} |"
    )
    each = flat["cpuSecondsForEachCampaign"]
    return (
        HEAD
        + "\n".join(rows)
        + f"""

From the start of the program to its first resource: {results["firstResourceSeconds"]} s (median). A campaign more in
a new stack costs {each["components"]} s of processors, and {each["flat"]} s with a flat program that declares the same
resources without components: {flat["ratio"]} times as much. Measured {results["measured"]} on
{results["machine"]["cores"]} cores.
"""
    )
