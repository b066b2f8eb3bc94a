"""docs/shapes.md: what every shape of a stack was put through, as bench/shapes.json says."""

from __future__ import annotations

from typing import Any

from bench.shapes import ALL
from tests.end_to_end.steps import PASSED

HEAD = """# Stack shapes

Written by `make docs` from `bench/shapes.json`, which `python -m bench.shapes` measures: every shape a stack may have,
deployed in full by the real engine and the real provider into a sandbox of its own, and put through its life. A step
that fails makes that command fail.

"""
TAIL = """
`make test` runs shorter forms: `tests/end_to_end/test_shapes.py`, `test_deployment.py`, `test_campaign.py`,
`test_bootstrap.py`, `test_interruption.py`. What the sandbox cannot show is in [proof.md](proof.md).

A kill is SIGKILL for pulumi, its program and the provider at the same moment, drawn at random from a fixed seed; then
`plantain recover`, then `pulumi up`. It has converged when the live resources are those of an undisturbed update, none
missing, none twice.
"""


def page(results: dict[str, Any]) -> str:
    """Markdown of the measured figures."""
    machine = ", ".join(f"{name} {value}" for name, value in results["machine"].items())
    lines = [f"Measured on: {machine}.", "", "| shape | steps | passed | seconds | measured |", "|---|---|---|---|---|"]
    for shape, found in results["shapes"].items():
        steps = found["steps"]
        passed = sum(step["verdict"] == PASSED for step in steps)
        seconds = sum(step["seconds"] for step in steps)
        lines.append(f"| {shape} | {len(steps)} | {passed} | {seconds:.0f} | {found['measured']} |")
    lines += [f"| {shape} | | | | not in whole |" for shape in ALL if shape not in results["shapes"]]
    for shape, found in results["shapes"].items():
        lines += ["", f"## {shape[0].upper()}{shape[1:]}", "", "| step | seconds | verdict |", "|---|---|---|"]
        lines += [f"| {step['step']} | {step['seconds']} | {step['verdict']} |" for step in found["steps"]]
    return HEAD + "\n".join(lines) + "\n" + TAIL
