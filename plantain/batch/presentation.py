"""What a batch looks like at the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from plantain import output

if TYPE_CHECKING:
    from plantain.batch.plan import Plan


def show(plan: Plan, folder: Path, *, json: bool) -> None:
    """A plan for people or for programs."""
    if json:
        output.document(plan.model_dump(mode="json", by_alias=True))
        return
    left_out = f"{plan.repeated} repeated, {plan.known} known, {plan.wrong} wrong"
    rows = [
        ("batch", f"{plan.name}, {plan.model} in {plan.location}, project {plan.project}"),
        ("rows", f"{plan.rows} read, {left_out}, {plan.lines} to make"),
        ("cost", f"{plan.expected_cost:.2f} {plan.currency} expected, {plan.cost:.2f} by the answers fetched"),
        ("images", f"{plan.made} in {folder / 'images'}, {plan.failed} rows without one"),
    ]
    output.table(("what", ""), rows)
    output.say("")
    columns = ("part", "requests", "MB", "state", "fetched")
    parts = [
        (
            part.file,
            str(part.lines),
            f"{part.bytes / 1e6:.1f}",
            short(part.state) or "not submitted",
            "yes" if part.fetched else "-",
        )
        for part in plan.parts
    ]
    output.table(columns, parts, right=("requests", "MB"))


def short(state: str) -> str:
    """A job's state without its prefix."""
    return state.removeprefix("JOB_STATE_").lower()
