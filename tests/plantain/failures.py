"""Every place where the command line raises a failure, read from its source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from plantain.errors import PlantainError

ROOT = Path(__file__).parents[2]
SHORTEST, ENOUGH = 8, 13
"""Characters in a row that a test has to name of a message; of a shorter message, all."""


@dataclass(frozen=True)
class Failure:
    """One place at which a PlantainError is made.

    Attributes:
        line: on which its call begins.
        end: line on which it ends.
        kind: name of the class.
        pieces: what is constant in its message.
    """

    path: Path
    line: int
    end: int
    kind: str
    pieces: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line} {self.kind}: {' … '.join(self.pieces)}"

    def named_by(self, spoken: frozenset[str]) -> bool:
        """Whether tests speak of the message: hold as many of its characters in a row as ENOUGH, or a whole piece."""
        return any(
            piece[start : start + ENOUGH] in spoken
            for piece in (one.strip(" .:;,") for one in self.pieces)
            if len(piece) >= SHORTEST
            for start in range(max(1, len(piece) - ENOUGH + 1))
        )


def kinds(kind: type[PlantainError] = PlantainError) -> set[str]:
    """Names of all classes of failures."""
    return {kind.__name__}.union(*(kinds(below) for below in kind.__subclasses__()))


def failures(folder: Path, names: set[str]) -> Iterator[Failure]:
    """The failures that the sources below a folder make, to raise or to hand on."""
    for path in sorted(folder.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                end = node.end_lineno or node.lineno
                yield Failure(path, node.lineno, end, node.func.id, tuple(pieces(node)))


def pieces(call: ast.Call) -> Iterator[str]:
    """Constant parts of what is said: of every positional argument, with a variable's parts left out."""
    for argument in call.args:
        for node in ast.walk(argument):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.strip():
                yield node.value.strip()


def spoken(*folders: Path) -> frozenset[str]:
    """What tests speak of: every run of SHORTEST to ENOUGH characters of every text they hold, patterns unescaped."""
    found: set[str] = set()
    for path in (path for folder in folders for path in folder.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = re.sub(r"\\(.)", r"\1", node.value)
                found.update(
                    text[start : start + length]
                    for length in range(SHORTEST, ENOUGH + 1)
                    for start in range(len(text) - length + 1)
                )
    return frozenset(found)
