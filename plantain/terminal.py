"""Questions to the person at the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable

import typer

from plantain import output
from plantain.errors import InputError


def ask(what: str, option: str, misfit: Callable[[str], str | None] | None = None) -> str:
    """An answer; asked for again while ``misfit`` says what is wrong with it.

    Raises:
        InputError: there is no terminal to ask on.
    """
    if not sys.stdin.isatty():
        raise InputError(f"{what} is missing, and there is no terminal to ask on.", cure=f"{option} VALUE")
    while True:
        answer = str(typer.prompt(what))
        problem = misfit(answer) if misfit else None
        if problem is None:
            return answer
        output.complain(f"  {problem}")


def confirmed(question: str) -> bool:
    """Whether the terminal says yes; without one the answer is no."""
    return sys.stdin.isatty() and bool(typer.confirm(question))
