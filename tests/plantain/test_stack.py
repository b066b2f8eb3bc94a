"""What a failed run of pulumi is reported with."""

from __future__ import annotations

from plantain.stack import TAIL_LINES, said

OUTPUTS = [f"    output {number}\n" for number in range(2 * TAIL_LINES)]


def test_the_diagnostics_are_shown_although_outputs_follow() -> None:
    lines = ["    resource failed\n", "Diagnostics:\n", "  the project:\n", "    error: a lien\n", "\n", "Outputs:\n"]
    assert said([*lines, *OUTPUTS, "Resources:\n", "    1 errored\n"]) == "  the project:\n    error: a lien"


def test_without_diagnostics_the_last_lines_are_shown() -> None:
    assert said(OUTPUTS) == "".join(OUTPUTS[-TAIL_LINES:])


def test_the_last_diagnostics_are_those_that_count() -> None:
    lines = ["x\n", "Diagnostics:\n", "  first\n", "Resources:\n", "y\n", "Diagnostics:\n", "  second\n"]
    assert said(lines) == "  second"
