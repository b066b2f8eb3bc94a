"""The command line's figures, as a section of the page of measurements."""

from __future__ import annotations

import json

from bench.command_line import RESULTS

NOTE = """Process start included, the fastest of several runs, so what else the machine did counts least.
`python -m bench.command_line` measures it anew.
"""
HEAD = "| what | wanted, s | took, s | processor, s |\n|---|---|---|---|\n"


def section() -> str:
    """The section, from the last measurement."""
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    batch = results["batch"]
    prepared = f"{batch['rows']:,} prompts, {batch['megabytes']} of {batch['atMostMegabytes']} MB"
    figures = {f"plantain {arguments}": found for arguments, found in results["verbs"].items()}
    rows = [
        f"| `{name}` | {one['atMost']} | {one['seconds']} | {one['processorSeconds']} |"
        for name, one in figures.items()
    ]
    rows.append(
        f"| `plantain batch prepare`: {prepared} | {batch['atMostSeconds']} | {batch['seconds']} "
        f"| {batch['processorSeconds']} |"
    )
    doctor = results["doctor"]
    rows += [
        f"| `plantain doctor`: {state}, {sum(doctor[state]['findings'].values())} findings | {doctor['atMostSeconds']} "
        f"| {doctor[state]['seconds']} | |"
        for state in ("organisation alone", "a deployed campaign")
    ]
    body = "\n".join(rows)
    return f"\n## The command line\n\nMeasured {results['measured']}.\n\n{HEAD}{body}\n\n{NOTE}"
