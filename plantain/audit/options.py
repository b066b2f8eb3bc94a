"""The sources of an audit, as the options of ``plantain audit run`` name them."""

from __future__ import annotations

import os
from pathlib import Path

from plantain.audit.collection import Source, load_export, load_settings
from plantain.audit.errors import SourceError
from plantain.audit.join import PROJECT
from plantain.audit.judgements import EXCEPTIONS_FILE, MANUAL_FILE, Judgements, load
from plantain.audit.summary import every
from plantain.project import settings_path
from plantain.stack import Stack
from policies.catalogue import CONTROLS


def _at(given: list[Path], index: int) -> Path | None:
    return given[index] if index < len(given) else None


def source(
    root: Path, name: str, index: int, states: list[Path], events: list[Path], settings: list[Path], *, preview: bool
) -> Source:
    """One stack, from the engine or from the files that were given for it, in the order of the stacks.

    Raises:
        InputError: there is no such stack.
        SourceError: a file cannot be read.
        StackError: pulumi failed.
    """
    file = _at(settings, index)
    own, choices = load_settings(file or settings_path(root, name))
    pulumi = Stack(name, root, dict(os.environ), file)
    given = _at(states, index)
    export = load_export(given) if given else pulumi.export()
    planned: str | None = None
    log = _at(events, index)
    if log:
        try:
            planned = log.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SourceError(f"{log} cannot be read: {error}", cure="pulumi preview --json > FILE") from None
    elif preview:
        planned = pulumi.preview_events()
    return Source(name, export, planned, own, choices)


def judgements(root: Path) -> Judgements:
    """Exceptions and manual results of the project.

    Raises:
        SourceError: a file cannot be read, or an entry is wrong.
    """
    return load(root / EXCEPTIONS_FILE, root / MANUAL_FILE, [control.id for control in every(CONTROLS)])


def numbers(sources: list[Source]) -> set[str]:
    """Numbers of the projects that the stacks declare."""
    return {
        str(resource.properties.get("number", ""))
        for source in sources
        for resource in source.resources
        if resource.type == PROJECT
    }
