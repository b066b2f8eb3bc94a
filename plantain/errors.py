"""Everything the command line can fail with. Each class has an exit code of its own; docs/cli.md lists them.

PlantainError           1   message says cause and consequence, cure the way out
├── InputError          2   a prompt file, an option, a setting is wrong
├── SandboxError        3   the local Google Cloud cannot start, or is not there
├── EngineError         4   pulumi or its plugin is not to be had (plantain/engine/errors.py)
├── StackError          5   pulumi refused or failed
├── GenerationError     6   the function refused or failed
└── (Ctrl-C)          130
"""

from __future__ import annotations


class PlantainError(Exception):
    """A failure that its message explains in full.

    Args:
        message: cause, then consequence.
        cure: what to do, as a command where one exists.
    """

    exit_code: int = 1

    def __init__(self, message: str, *, cure: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure


class InputError(PlantainError):
    """What the user gave is wrong."""

    exit_code = 2


class SandboxError(PlantainError):
    """The sandbox cannot start, stop, or be reached."""

    exit_code = 3


class StackError(PlantainError):
    """Pulumi refused or failed."""

    exit_code = 5


class GenerationError(PlantainError):
    """The function refused a prompt or could not be reached."""

    exit_code = 6
