"""``plantain recover``: make a stack usable again after its update was killed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from plantain import completion, output
from plantain.project import project_root, settings_path
from plantain.stack import Stack


def recover(
    stack: Annotated[str, typer.Option(help="Stack whose update was killed.", autocompletion=completion.stacks)],
    config_file: Annotated[Path | None, typer.Option(help="Settings file, when it is not Pulumi.STACK.yaml.")] = None,
) -> None:
    """Release the stack's lock and take over what the killed update had begun to create; then run pulumi up."""
    root = project_root()
    if config_file is None:
        settings_path(root, stack)
    pending = Stack(stack, root, dict(os.environ), config_file).recover()
    if not pending:
        output.say(f"Stack {stack} has no unfinished creation. Its lock is released.")
        return
    rows = [(one.type, one.urn.rpartition("::")[2], one.id or "not known: look for a duplicate") for one in pending]
    output.table(("type", "name", "id"), rows)
    output.say(f"What exists of these is in the state now. Go on: pulumi up --stack {stack}")
