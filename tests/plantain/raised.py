"""Which failures of the command line the tests really raised, and which of them came to the end of a command.

``PlantainError`` notes who makes one; ``output.failure``, by which ``plantain.main`` ends a command, which are told.
Each test hands on what it raised with its report, so that a run over several processes sums up too.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from plantain import output
from plantain.errors import PlantainError
from tests.plantain.failures import ROOT, Failure

PROPERTY = "raised"
FOLDERS = ("tests/plantain", "tests/engine")
"""Whose tests count: those of the command line and of the engine it makes."""
COMMANDS = ROOT / "plantain" / "commands"
"""A failure that is made here has to be told by a command that ends with it."""
Place = tuple[str, int]


@dataclass
class Note:
    """One failure that was made.

    Attributes:
        path, line: where.
        message: what it says.
        told: whether a command ended with it.
    """

    path: str
    line: int
    message: str
    told: bool = False


_notes: list[Note] = []


def begin() -> None:
    """Let every failure from here on be noted. Called once for a process."""
    initialize, tell = PlantainError.__init__, output.failure

    def noted(self: PlantainError, *arguments: Any, **named: Any) -> None:
        frame = sys._getframe(1)
        while frame.f_code.co_name == "__init__" and frame.f_locals.get("self") is self and frame.f_back:
            frame = frame.f_back
        initialize(self, *arguments, **named)
        note = Note(frame.f_code.co_filename, frame.f_lineno, self.message)
        self.__dict__["note"] = note
        _notes.append(note)

    def told(error: PlantainError) -> None:
        error.__dict__["note"].told = True
        tell(error)

    PlantainError.__init__ = noted  # type: ignore[method-assign]  # what this module is for
    output.failure = told


def since_last_time() -> list[Note]:
    """The failures that were made since this was called before."""
    found = list(_notes)
    _notes.clear()
    return found


@dataclass
class Summary:
    """What a whole run raised.

    Attributes:
        files: of tests that ran.
        raised: places at which a failure was made.
        told: those of them whose failure ended a command.
    """

    files: set[Path] = field(default_factory=set)
    raised: set[Place] = field(default_factory=set)
    told: set[Place] = field(default_factory=set)

    def add(self, test: str, properties: Iterable[tuple[str, Any]]) -> None:
        """Count a test's report."""
        if not test.startswith(FOLDERS):
            return
        self.files.add(ROOT / test.split("::", maxsplit=1)[0])
        for name, places in properties:
            if name == PROPERTY:
                for path, line, told in places:
                    self.raised.add((path, line))
                    if told:
                        self.told.add((path, line))

    def complete(self) -> bool:
        """Whether every file of tests that counts had its turn."""
        return self.files >= {path for folder in FOLDERS for path in (ROOT / folder).rglob("test_*.py")}

    def lacking(self, failures: Iterable[Failure]) -> list[str]:
        """The failures that no test raised, or that no command ended with though a command raises them."""
        found: list[str] = []
        for one in failures:
            places = {(str(one.path), line) for line in range(one.line, one.end + 1)}
            if not places & self.raised:
                found.append(f"never raised by a test: {one}")
            elif COMMANDS in one.path.parents and not places & self.told:
                found.append(f"never told by a command: {one}")
        return found
