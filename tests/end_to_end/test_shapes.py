"""The life of a perimeter that full campaigns join; ``python -m bench.shapes`` has every other shape."""

from __future__ import annotations

from pathlib import Path

import pytest

from .shapes.foundation import foundation_and_joining
from .steps import FAILED, PASSED, Step, Steps

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]


def test_stacks_join_leave_and_are_never_lost_whatever_the_owner_changes(tmp_path: Path) -> None:
    steps = Steps("foundation and joining stacks")
    foundation_and_joining(tmp_path / "shape", steps, count=1, brief=True)
    taken = [step.step for step in steps.taken]
    for step in (
        "1 stacks: up at once, in dry-run",
        "owner: enforced by one setting",
        "owner: changed rules keep every member",
        "owner: back to dry-run is refused and names the members, while they are inside",
        "owner: destroy",
    ):
        assert step in taken


def test_a_step_that_fails_is_recorded_and_ends_its_shape() -> None:
    told: list[Step] = []
    steps = Steps("a shape", told.append)
    with steps.step("first"):
        pass
    with pytest.raises(ValueError, match="broken"), steps.step("second"):
        raise ValueError("broken")
    assert [(one.step, one.verdict, one.reason) for one in told] == [
        ("first", PASSED, ""),
        ("second", FAILED, "ValueError: broken"),
    ]
    assert steps.taken == told
