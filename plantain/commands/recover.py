"""``plantain recover``: make a stack usable again after its update was killed, or lost an answer."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from plantain import completion, output
from plantain.errors import ErrorFound, WarningFound
from plantain.project import project_root, settings_path
from plantain.stack import Stack


def recover(
    stack: Annotated[str, typer.Option(help="Stack whose update failed.", autocompletion=completion.stacks)],
    config_file: Annotated[Path | None, typer.Option(help="Settings file, when it is not Pulumi.STACK.yaml.")] = None,
    *,
    delete_leftovers: Annotated[
        bool,
        typer.Option(
            "--delete-leftovers",
            help="Delete exact copies of what the stack has, and default routes and networks that it is not to have.",
        ),
    ] = False,
) -> None:
    """Release the stack's lock, take over what its update made without noting it; then run pulumi up."""
    from plantain.recovery.copies import copies  # noqa: PLC0415 -- no other verb needs them
    from plantain.recovery.existing import take_over  # noqa: PLC0415
    from plantain.recovery.leftovers import delete  # noqa: PLC0415
    from plantain.recovery.unfinished import unfinished  # noqa: PLC0415

    root = project_root()
    if config_file is None:
        settings_path(root, stack)
    chosen = Stack(stack, root, dict(os.environ), config_file)
    pending = chosen.recover()
    with chosen.cloud() as cloud:
        existing = take_over(chosen, cloud)
        export = chosen.export()
        leftovers = [*copies(export, cloud), *unfinished(export, cloud)]
        if delete_leftovers:
            for leftover in leftovers:
                delete(leftover, cloud)
    rows = [(one.type, one.urn.rpartition("::")[2], one.id or "not known: look for a duplicate", "") for one in pending]
    rows += [(one.type, one.name, one.id, one.refusal or "existed: taken over") for one in existing]
    verdict = "deleted" if delete_leftovers else "left over"
    rows += [(left.type, left.urn.rpartition("::")[2], left.name, f"{left.what}: {verdict}") for left in leftovers]
    if not rows:
        output.say(f"Stack {stack} has no unfinished creation. Its lock is released.")
        return
    output.table(("type", "name", "id", ""), rows)
    if refused := [one for one in existing if one.refusal]:
        one = refused[0]
        raise ErrorFound(
            f"{len(refused)} of what stack {stack} is to create exists already and is left alone; pulumi up will fail: "
            f"{one.name} is {one.id}, and {one.refusal}.",
            cure=f"rename yours or remove the other; if it is yours: pulumi import {one.type} {one.name} {one.id}",
        )
    if leftovers and not delete_leftovers:
        raise WarningFound(
            f"{len(leftovers)} resources are left over that no setting of stack {stack} asks for, and stay until they "
            "are deleted.",
            cure=f"plantain recover --stack {stack} --delete-leftovers",
        )
    output.say(f"What exists of these is in the state now. Go on: pulumi up --stack {stack}")
