"""The only place that prints: tables and progress for people, JSON for programs, errors to standard error.

Rich is imported when something is printed that needs it, because its import takes a third of the time of a short verb.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shlex
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TextIO

from plantain.errors import PlantainError, WarningFound

if TYPE_CHECKING:
    from rich.console import Console

#: Columns where the output goes to a file or a pipe, which have no width of their own.
WIDTH_WITHOUT_TERMINAL = 140


def _console(*, stderr: bool) -> Console:
    from rich.console import Console  # noqa: PLC0415 -- see the module's docstring

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else WIDTH_WITHOUT_TERMINAL
    return Console(stderr=stderr, highlight=False, width=width)


def people() -> Console:
    """Where people read results: standard output."""
    return _console(stderr=False)


@cache
def problems() -> Console:
    """Where people read what went wrong, and how far it got: standard error."""
    return _console(stderr=True)


def say(text: str) -> None:
    """One line for people, never broken: what can be copied, as a command or settings."""
    sys.stdout.write(text + "\n")


def tell(text: str, *, hang: int = 0) -> None:
    """Sentences for people, broken between words where a terminal ends; ``hang`` columns further in from then on."""
    sys.stdout.write(_broken(text, sys.stdout, hang) + "\n")


def complain(text: str) -> None:
    """Sentences on standard error, broken between words where a terminal ends."""
    sys.stderr.write(_broken(text, sys.stderr) + "\n")


def _broken(text: str, stream: TextIO, hang: int = 0) -> str:
    """Lines no longer than a terminal is wide, each continued under its own beginning; elsewhere as they are."""
    if not stream.isatty():
        return text
    columns = width_of(stream)
    lines: list[str] = []
    for line in text.splitlines():
        begun = " " * (len(line) - len(line.lstrip()) + hang)
        fitted = textwrap.wrap(line, columns, subsequent_indent=begun, break_long_words=False, break_on_hyphens=False)
        lines += fitted or [""]
    return "\n".join(lines)


def width_of(stream: TextIO) -> int:
    """Columns of the terminal that a stream goes to."""
    try:
        return int(os.environ.get("COLUMNS", "")) or 80
    except ValueError:
        pass
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except OSError:
        return 80


def heading(text: str) -> None:
    """A line that starts a part."""
    people().print(f"\n{text}", style="bold", markup=False)


def document(value: Any) -> None:
    """JSON on standard output, for programs."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")


def fields(value: Any) -> Any:
    """A dataclass for programs, also within lists: its fields in camelCase, as in Google's documents."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {camel(one.name): fields(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, (list, tuple)):
        return [fields(one) for one in value]
    return value


def camel(name: str) -> str:
    """``break_even_images`` as ``breakEvenImages``."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def exports(variables: Mapping[str, str]) -> None:
    """Lines by which a POSIX shell sets variables, for ``eval``."""
    for name, value in variables.items():
        say(f"export {name}={shlex.quote(value)}")


def table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = (), whole: Sequence[str] = ()
) -> None:
    """A table; columns named in ``right`` are right-aligned, those in ``whole`` hold names that are never broken."""
    from rich.table import Table  # noqa: PLC0415 -- see the module's docstring
    from rich.text import Text  # noqa: PLC0415

    drawn = Table(show_edge=False, pad_edge=False, header_style="bold")
    for column in columns:
        justify: Literal["left", "right"] = "right" if column in right else "left"
        drawn.add_column(column, justify=justify, overflow="fold", no_wrap=column in whole)
    for row in rows:
        # Text, because a value such as [dev] is not markup.
        drawn.add_row(*(Text(cell) for cell in row))
    people().print(drawn)


def width() -> int:
    """Columns that a line may have."""
    return width_of(sys.stdout) if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL


@contextmanager
def progress(what: str, total: float | None) -> Iterator[Progress]:
    """A progress bar on standard error while something long runs; a line every tenth where that is no terminal."""
    bar = Progress(what, total)
    try:
        yield bar
    finally:
        bar.close()


class Progress:
    """How far something long has come."""

    def __init__(self, what: str, total: float | None) -> None:
        self._what, self._total, self._done, self._told = what, total, 0.0, 0
        self._note = ""
        self._live: Any = None
        self._task: Any = None
        if sys.stderr.isatty():
            from rich.progress import (  # noqa: PLC0415 -- see the module's docstring
                BarColumn,
                MofNCompleteColumn,
                TextColumn,
                TimeRemainingColumn,
            )
            from rich.progress import Progress as Bar  # noqa: PLC0415

            columns = (
                "{task.description}",
                BarColumn(bar_width=20),
                MofNCompleteColumn(),
                TextColumn("{task.fields[note]}"),
            )
            self._live = Bar(*columns, TimeRemainingColumn(), console=problems(), transient=True)
            self._task = self._live.add_task(what, total=total, note="")
            self._live.start()

    def advance(self, by: float = 1, note: str | None = None) -> None:
        """Count what was done; ``note`` stands beside the bar, as rate and cost."""
        self._done += by
        self._note = self._note if note is None else note
        if self._live is not None:
            self._live.update(self._task, advance=by, note=self._note)
            return
        tenth = int(10 * self._done / self._total) if self._total else 0
        if tenth > self._told:
            self._told = tenth
            complain(f"{self._what}: {self._done:.0f} of {self._total:.0f}  {self._note}".rstrip())

    def close(self) -> None:
        """Take the bar away."""
        if self._live is not None:
            self._live.stop()


def failure(error: PlantainError) -> None:
    """Cause, consequence and cure on one screen."""
    complain(f"{'warning' if isinstance(error, WarningFound) else 'error'}: {error.message}")
    if error.cure:
        sys.stderr.write(f"  cure: {error.cure}\n")  # never broken, so that it can be copied
