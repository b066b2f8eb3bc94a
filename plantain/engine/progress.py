"""Which step of how many, and for how long: moving on a terminal, plain lines elsewhere. On standard error."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

#: A line now and then, so that a log without a terminal shows that the build is alive.
HEARTBEAT_SECONDS = 30.0


class Reporter:
    """Tells a person about a long operation.

    Args:
        console: where to; standard error by default, because standard output belongs to the verb's result.
        heartbeat: seconds between signs of life where there is no terminal.
    """

    def __init__(self, console: Console | None = None, heartbeat: float = HEARTBEAT_SECONDS) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._heartbeat = heartbeat

    def note(self, text: str) -> None:
        """One line worth knowing."""
        self._console.print(text, markup=False, soft_wrap=True)

    @contextmanager
    def step(self, number: int, count: int, title: str) -> Iterator[None]:
        """Show a part of the work while the block runs."""
        label = f"[{number}/{count}] {title}"
        started = time.monotonic()
        if self._console.is_terminal:
            columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
            with Progress(*columns, console=self._console, transient=True) as bar:
                bar.add_task(label, total=None)
                yield
        else:
            self.note(label)
            with self._signs_of_life(label, started):
                yield
        self.note(f"{label}: {elapsed(time.monotonic() - started)}")

    @contextmanager
    def _signs_of_life(self, label: str, started: float) -> Iterator[None]:
        over = threading.Event()

        def beat() -> None:
            while not over.wait(self._heartbeat):
                self.note(f"{label}: still at it after {elapsed(time.monotonic() - started)}")

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def elapsed(seconds: float) -> str:
    """``4.2 s``, or ``3 min 07 s`` from a minute on."""
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)} min {int(rest):02d} s" if minutes else f"{rest:.1f} s"
