"""What ``plantain recover`` says, and the code it ends with."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plantain import main
from plantain.errors import StackError
from plantain.recovery.existing import Existing
from plantain.recovery.leftovers import Leftover
from plantain.recovery.pending import Pending
from plantain.stack import Stack

METRIC = "gcp:logging/metric:Metric"
URN = f"urn:pulumi:sandbox::plantain::{METRIC}::images-accepted"
BOARD = Leftover(URN, METRIC, "projects/7/dashboards/a", "monitoring", "v1/projects/7/dashboards/a")
ROUTE = Leftover(URN, METRIC, "projects/p/global/routes/d", "compute", "compute/v1/routes/d", "default route")

Recover = Callable[..., tuple[Any, str, str]]


@pytest.fixture
def recover(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[Any, str, str]]:
    assert project.exists()

    def run(
        *options: str,
        pending: tuple[Pending, ...] = (),
        existing: tuple[Existing, ...] | Exception = (),
        doubled: tuple[Leftover, ...] = (),
        unfinished: tuple[Leftover, ...] = (),
    ) -> tuple[Any, str, str]:
        def found(*_: Any) -> tuple[Existing, ...]:
            if isinstance(existing, Exception):
                raise existing
            return existing

        monkeypatch.setattr(Stack, "recover", lambda _: list(pending))
        monkeypatch.setattr(Stack, "export", lambda _: {"deployment": {}})
        monkeypatch.setattr("plantain.recovery.existing.take_over", found)
        monkeypatch.setattr("plantain.recovery.copies.copies", lambda *_: iter(doubled))
        monkeypatch.setattr("plantain.recovery.unfinished.unfinished", lambda *_: iter(unfinished))
        monkeypatch.setattr("plantain.recovery.leftovers.delete", lambda leftover, _: deleted.append(leftover))
        monkeypatch.setattr(sys, "argv", ["plantain", "recover", "--stack", "sandbox", *options])
        with pytest.raises(SystemExit) as caught:
            main.main()
        shown = capsys.readouterr()
        return caught.value.code or 0, shown.out, shown.err

    deleted.clear()
    return run


deleted: list[Leftover] = []


def test_where_nothing_was_begun_only_the_lock_is_released(recover: Recover) -> None:
    code, out, _ = recover()
    assert (code, out) == (0, "Stack sandbox has no unfinished creation. Its lock is released.\n")


def test_what_was_begun_and_what_existed_are_listed_with_the_command_that_goes_on(recover: Recover) -> None:
    code, out, _ = recover(
        pending=(Pending(URN.replace("accepted", "begun"), METRIC, None),),
        existing=(Existing(URN, METRIC, "images_accepted"),),
    )
    assert code == 0
    assert "images-begun" in out
    assert "look for a" in out
    assert "taken over" in out
    assert out.endswith("Go on: pulumi up --stack sandbox\n")


def test_what_is_not_the_stacks_ends_with_11_and_the_ways_out(recover: Recover) -> None:
    why = "it differs from what was asked for, and is in no project of this stack"
    code, _, err = recover(existing=(Existing(URN, METRIC, "images_accepted", why),))
    assert code == 11
    assert "1 of what stack sandbox is to create exists already and is left alone; pulumi up will fail:" in err
    assert f"images-accepted is images_accepted, and {why}." in err
    assert f"pulumi import {METRIC} images-accepted images_accepted" in err


def test_leftovers_are_shown_and_left_and_the_code_is_10(recover: Recover) -> None:
    code, out, err = recover(doubled=(BOARD,), unfinished=(ROUTE,))
    assert code == 10
    assert "copy: left over" in out
    assert "default route: left over" in " ".join(out.split())
    assert (
        "2 resources are left over that no setting of stack sandbox asks for, and stay until they are deleted." in err
    )
    assert "cure: plantain recover --stack sandbox --delete-leftovers" in err
    assert not deleted


def test_leftovers_are_deleted_when_that_is_asked_for(recover: Recover) -> None:
    code, out, _ = recover("--delete-leftovers", doubled=(BOARD,), unfinished=(ROUTE,))
    assert code == 0
    assert "copy: deleted" in out
    assert deleted == [BOARD, ROUTE]


def test_a_program_that_does_not_run_ends_with_5(recover: Recover) -> None:
    code, _, err = recover(existing=StackError("pulumi preview of stack sandbox failed.\nno module named infra"))
    assert code == 5
    assert "no module named infra" in err
