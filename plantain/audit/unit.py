"""One unit of an audit: a stack with everything that was read about it, or what belongs to no stack."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from plantain.audit import events, resource_document, state
from plantain.audit.canonical import canonical, line
from plantain.audit.identity import identity
from plantain.audit.judgements import Judgements
from policies.catalogue import Control, Parameters, Resource

STATE_FILE = "state.json"
EVENTS_FILE = "events.ndjson"
LIVE_FILE = "live.ndjson"
SETTINGS_FILE = "settings.json"
RESULTS_FILE = "results.ndjson"
ORGANIZATION = "organization"


@dataclass(frozen=True)
class Frame:
    """What all units of an audit are judged by.

    Attributes:
        date: the day for which is judged.
        models: the table of models.
        controls: the catalogue.
        judgements: exceptions and manual results.
    """

    date: dt.date
    models: Mapping[str, Any]
    controls: Sequence[Control]
    judgements: Judgements = field(default_factory=Judgements)


@dataclass(frozen=True)
class Unread:
    """What could not be read.

    Attributes:
        project: id of the project, or organizations/N.
        what: the API's list, as cloudkms cryptoKeys.
        status: HTTP status; 0 without an answer.
        reason: Google's reason and words.
    """

    project: str
    what: str
    status: int
    reason: str


@dataclass(frozen=True)
class Unit:
    """What is judged together.

    Attributes:
        name: the stack's name, or ``organization`` for what belongs to none.
        settings: the stack's configuration under ``plantain:``, without secrets.
        parameters: what ``policies:`` says in it.
        export: the stack's state; None where there is no stack.
        preview: the engine's events of a preview, as text; None without a preview.
        live: what Google's APIs said; None where nobody asked.
        surroundings: live resources above the projects, as the perimeter; they are known here and judged elsewhere.
        unread: what Google's APIs refused to say.
    """

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    parameters: Parameters = field(default_factory=Parameters)
    export: Mapping[str, Any] | None = None
    preview: str | None = None
    live: Sequence[Resource] | None = None
    surroundings: Sequence[Resource] = ()
    unread: Sequence[Unread] = ()

    @cached_property
    def declared(self) -> list[Resource]:
        """Resources of the state."""
        return list(state.resources(self.export)) if self.export else []

    @cached_property
    def planned(self) -> list[Resource]:
        """Resources after the planned update."""
        return list(events.resources(events.parse(self.preview))) if self.preview else []

    @cached_property
    def keys(self) -> Mapping[str, str]:
        """The key that each planned resource has in the state, by URN: a plan knows no ids of what it will make."""
        return {resource.urn: identity(resource) for resource in self.declared}

    def sources(self) -> Iterator[tuple[str, Sequence[Resource], Sequence[Resource]]]:
        """Each source that there is, with its resources, and those that are only known there."""
        if self.export is not None:
            yield "state", self.declared, ()
        if self.preview:
            yield "preview", self.planned, ()
        if self.live is not None:
            yield "live", self.live, self.surroundings


def write(folder: Path, unit: Unit, raw_parameters: Mapping[str, Any]) -> None:
    """Write everything a unit is judged by, so that it can be judged again."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "name": unit.name,
        "settings": dict(unit.settings),
        "policies": dict(raw_parameters),
        "unread": [vars(entry) for entry in unit.unread],
        "live": unit.live is not None,
    }
    (folder / SETTINGS_FILE).write_bytes(canonical(settings))
    if unit.export is not None:
        (folder / STATE_FILE).write_bytes(canonical(unit.export))
    if unit.preview is not None:
        (folder / EVENTS_FILE).write_text(unit.preview, encoding="utf-8")
    if unit.live is not None:
        with (folder / LIVE_FILE).open("wb") as file:
            for kept in unit.live:
                file.write(line(resource_document.document(kept)))


def read(folder: Path, surroundings: Sequence[Resource], parse_parameters: Any) -> Unit:
    """The unit that ``write`` wrote."""
    settings = json.loads((folder / SETTINGS_FILE).read_bytes())
    export = folder / STATE_FILE
    preview = folder / EVENTS_FILE
    return Unit(
        settings["name"],
        settings["settings"],
        parse_parameters(settings["policies"]),
        json.loads(export.read_bytes()) if export.exists() else None,
        preview.read_text(encoding="utf-8") if preview.exists() else None,
        list(read_live(folder)) if settings["live"] else None,
        surroundings,
        tuple(Unread(**entry) for entry in settings["unread"]),
    )


def read_live(folder: Path) -> Iterator[Resource]:
    """Live resources of a unit's folder."""
    path = folder / LIVE_FILE
    if path.exists():
        with path.open("rb") as file:
            for row in file:
                yield resource_document.resource(json.loads(row))
