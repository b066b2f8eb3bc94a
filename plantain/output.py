"""The only place that prints: tables and progress for people, JSON for programs, errors to standard error."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from plantain.errors import PlantainError

#: Columns where the output goes to a file or a pipe, which have no width of their own.
WIDTH_WITHOUT_TERMINAL = 140

people = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL)
problems = Console(stderr=True, highlight=False)


def say(text: str) -> None:
    """One line for people."""
    people.print(text, markup=False, soft_wrap=True)


def heading(text: str) -> None:
    """A line that starts a part."""
    people.print(f"\n{text}", style="bold", markup=False)


def document(value: Any) -> None:
    """JSON on standard output, for programs."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def exports(variables: Mapping[str, str]) -> None:
    """Lines by which a POSIX shell sets variables, for ``eval``."""
    for name, value in variables.items():
        say(f"export {name}={shlex.quote(value)}")


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()) -> None:
    """A table; the columns named in ``right`` are right-aligned."""
    drawn = Table(show_edge=False, pad_edge=False, header_style="bold")
    for column in columns:
        drawn.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*row)
    people.print(drawn)


def failure(error: PlantainError) -> None:
    """Cause, consequence and cure on one screen."""
    problems.print(f"error: {error.message}", markup=False, soft_wrap=True)
    if error.cure:
        problems.print(f"  cure: {error.cure}", markup=False, soft_wrap=True)
