"""A child process never outlives its caller."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from plantain.engine.process import CommandFailedError, run, termination_as_interrupt

#: A shell and its child; the shell writes the child's number and waits for it.
FAMILY = 'sleep 300 & echo $! > "$0"; wait'
STUBBORN = 'trap "" TERM; sleep 300 & echo $! > "$0"; while :; do wait; done'


def gone(pid: int) -> bool:
    """True once the process has ended (waits for up to half a minute)."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        with suppress(psutil.TimeoutExpired):
            process.wait(30)
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    return True


def number_in(path: Path) -> int:
    """The number in a file that another process is about to write."""
    while not path.exists() or not path.read_text().strip():
        time.sleep(0.01)
    return int(path.read_text())


def interrupt_once_written(path: Path, number: int) -> threading.Thread:
    def wait_and_interrupt() -> None:
        number_in(path)
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=wait_and_interrupt)
    thread.start()
    return thread


def test_the_output_is_returned_and_kept_in_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("before\n")
    assert run(["sh", "-c", "echo one; echo two >&2"], log=log) == "one\ntwo\n"
    assert log.read_text() == "before\n$ sh -c echo one; echo two >&2\none\ntwo\n"


def test_a_failure_carries_its_last_words_without_go_s_downloads(tmp_path: Path) -> None:
    script = "for i in $(seq 50); do echo line $i; done; echo 'go: downloading x'; exit 3"
    with pytest.raises(CommandFailedError) as caught:
        run(["sh", "-c", script], log=tmp_path / "log")
    assert caught.value.code == 3
    assert caught.value.tail().splitlines() == [f"line {i}" for i in range(31, 51)]


@pytest.mark.parametrize("script", [FAMILY, STUBBORN])
def test_a_child_that_takes_too_long_is_ended_with_its_children(tmp_path: Path, script: str) -> None:
    with pytest.raises(CommandFailedError, match="too slow"):
        run(["sh", "-c", script, str(tmp_path / "pid")], log=tmp_path / "log", timeout=0.5)
    assert gone(number_in(tmp_path / "pid"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_child_and_its_children(tmp_path: Path, number: signal.Signals) -> None:
    thread = interrupt_once_written(tmp_path / "pid", number)
    with pytest.raises(KeyboardInterrupt), termination_as_interrupt():
        run(["sh", "-c", FAMILY, str(tmp_path / "pid")], log=tmp_path / "log")
    thread.join()
    assert gone(number_in(tmp_path / "pid"))


def test_the_handlers_are_put_back(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with termination_as_interrupt():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
    assert run(["true"], log=tmp_path / "log") == ""
