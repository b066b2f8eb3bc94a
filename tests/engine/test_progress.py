"""Progress is a line for each step in a log, and something that moves on a terminal."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from plantain.engine.progress import Reporter, elapsed


def test_a_log_gets_a_line_before_and_one_after_with_the_time(reporter: Reporter, told: io.StringIO) -> None:
    with reporter.step(2, 5, "gcp plugin"):
        assert told.getvalue() == "[2/5] gcp plugin\n"
    assert told.getvalue().splitlines()[1].startswith("[2/5] gcp plugin: 0.")


def test_a_long_step_gives_signs_of_life_in_a_log(told: io.StringIO) -> None:
    reporter = Reporter(Console(file=told, width=1000), heartbeat=0.01)
    with reporter.step(1, 1, "long"):
        while told.getvalue().count("still at it after") < 2:
            time.sleep(0.01)
    after = told.getvalue()
    time.sleep(0.05)
    assert told.getvalue() == after, "it goes on after the step is over"


def test_a_terminal_gets_a_moving_line_and_then_the_time(told: io.StringIO) -> None:
    reporter = Reporter(Console(file=told, width=80, force_terminal=True, highlight=False))
    with reporter.step(1, 3, "Pulumi [command] line"):
        pass
    assert "\x1b[" in told.getvalue()
    assert "[1/3] Pulumi [command] line: 0." in told.getvalue().splitlines()[-1]


def test_a_step_that_fails_is_not_told_as_done(reporter: Reporter, told: io.StringIO) -> None:
    def fail() -> None:
        with reporter.step(1, 1, "broken"):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert told.getvalue() == "[1/1] broken\n"


@pytest.mark.parametrize(("seconds", "text"), [(4.21, "4.2 s"), (59.94, "59.9 s"), (187, "3 min 07 s")])
def test_times_are_short(seconds: float, text: str) -> None:
    assert elapsed(seconds) == text
