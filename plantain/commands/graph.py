"""``plantain graph``: a picture of what is deployed."""

from __future__ import annotations

import json as jsonlib
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from plantain import completion, output
from plantain.errors import InputError
from plantain.suggestion import did_you_mean

FORMATS = ("mermaid", "svg")


def graph(
    stack: Annotated[str, typer.Option(help="Stack to draw.", autocompletion=completion.stacks)] = "sandbox",
    picture: Annotated[str | None, typer.Option("--format", help="svg or mermaid; by the file's ending.")] = None,
    out: Annotated[Path | None, typer.Option(help="File; standard output otherwise.")] = None,
    state: Annotated[Path | None, typer.Option(help="An export of the state, instead of asking pulumi.")] = None,
) -> None:
    """Draw projects, perimeter, identities, keys and data paths from the state, as SVG or Mermaid."""
    from plantain.graphs.mermaid import mermaid  # noqa: PLC0415
    from plantain.graphs.scene import scene  # noqa: PLC0415
    from plantain.graphs.svg import svg  # noqa: PLC0415

    wanted = picture or ("svg" if out and out.suffix == ".svg" else "mermaid")
    if wanted not in FORMATS:
        raise InputError(f"There is no format {wanted!r}. {did_you_mean(wanted, FORMATS)}", cure="--format svg")
    drawn = scene(stack, exported(stack, state))
    if not drawn.projects:
        raise InputError(f"Stack {stack} has no project in its state, so there is nothing to draw.", cure="pulumi up")
    text = svg(drawn) if wanted == "svg" else mermaid(drawn)
    if out is None:
        output.say(text.rstrip())
        return
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror}.", cure="--out FILE") from None
    output.complain(f"{len(drawn.projects)} projects, {len(drawn.edges)} paths: {out}")


def exported(stack: str, state: Path | None) -> dict[str, Any]:
    """The state, from a file or from pulumi.

    Raises:
        InputError: the file is no export.
        StackError: pulumi has no such stack.
    """
    if state is None:
        from plantain.project import project_root  # noqa: PLC0415
        from plantain.stack import Stack  # noqa: PLC0415

        return Stack(stack, project_root(), dict(os.environ)).export()
    try:
        found = jsonlib.loads(state.read_text(encoding="utf-8"))
        found["deployment"]["resources"][:0]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{state} is no export of a state: {error}", cure="pulumi stack export --file state.json"
        ) from None
    document: dict[str, Any] = found
    return document
