"""A child process that never outlives its caller, whose output goes to a log file."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

GRACE_SECONDS = 5.0
TAIL_LINES = 20


class CommandFailedError(Exception):
    """A child process ended with an error or took too long.

    Args:
        command: what was run.
        code: its exit code; None when it was ended for taking too long.
        output: all that it printed.
    """

    def __init__(self, command: Sequence[str], code: int | None, output: str) -> None:
        super().__init__(f"{' '.join(command)}: {'too slow' if code is None else f'exit code {code}'}")
        self.code = code
        self.output = output

    def tail(self) -> str:
        """The last lines of the output, which say what went wrong."""
        lines = [line for line in self.output.splitlines() if line.strip() and not line.startswith("go: downloading ")]
        return "\n".join(lines[-TAIL_LINES:])


def run(
    command: Sequence[str],
    *,
    log: Path,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> str:
    """Run a command to its end and return what it printed, both streams together.

    The command and its children form a process group of their own. Whatever ends this call early (Ctrl-C, a
    termination signal, the timeout) ends the whole group first.

    Raises:
        CommandFailedError: exit code other than 0, or the timeout (seconds) is over.
        OSError: the command cannot be started, or the log not written.
    """
    with log.open("a+b") as sink:
        sink.write(f"$ {' '.join(command)}\n".encode())
        sink.flush()
        begin = sink.tell()
        process = subprocess.Popen(  # noqa: S603 -- commands are this package's own, never a shell's
            command,
            cwd=cwd,
            env=None if environment is None else dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        code: int | None
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            _end_group(process)
            code = None
        except BaseException:
            _end_group(process)
            raise
        sink.seek(begin)
        output = sink.read().decode(errors="replace")
    if code != 0:
        raise CommandFailedError(command, code, output)
    return output


def _end_group(process: subprocess.Popen[bytes]) -> None:
    for stop in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, stop)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
            # The leader is gone; its children ignore or survive a polite request only until the second one.
            if stop is signal.SIGKILL or not _group_alive(process.pid):
                return


def _group_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def termination_as_interrupt() -> Iterator[None]:
    """Let SIGTERM and SIGHUP unwind the stack as Ctrl-C does, so that children end and half-made files go."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    previous = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
