"""Collects the sources of an audit into a bundle: states, previews, the live inventory, settings."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from plantain.audit import bundle, environment, events, inventory, state, unit
from plantain.audit.canonical import canonical
from plantain.audit.errors import SourceError
from plantain.audit.identity import identity
from plantain.audit.inventory import Reading
from plantain.audit.join import PROJECT
from plantain.audit.judgements import Judgements
from plantain.audit.live import groups
from plantain.audit.summary import documents
from plantain.audit.unit import ORGANIZATION, Unit, Unread
from plantain.errors import GoogleCloudError
from plantain.google_cloud import GoogleCloud
from policies.catalogue import CONTROLS, Resource

#: Never part of evidence.
SECRET_SETTINGS = frozenset({"accessToken"})
MODELS = Path("functions/generation/models.json")


@dataclass(frozen=True)
class Source:
    """One stack that is audited.

    Attributes:
        name: the stack.
        export: its state.
        preview: the engine's events of a preview, as text.
        settings: what stands under ``plantain:`` in its settings.
        policies: what stands under ``policies:``.
    """

    name: str
    export: Mapping[str, Any]
    preview: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    policies: Mapping[str, Any] = field(default_factory=dict)

    @property
    def resources(self) -> list[Resource]:
        """What the stack declares."""
        return list(state.resources(self.export))


def load_settings(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings under ``plantain:`` without secrets, and those under ``policies:``, of a settings file.

    Raises:
        SourceError: the file cannot be read.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        config: Mapping[str, Any] = document.get("config") or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, AttributeError) as error:
        raise SourceError(f"{path.name} cannot be read: {error}", cure=f"edit {path.name}") from None
    return _under(config, "plantain:"), _under(config, "policies:")


def _under(config: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    found = {key.removeprefix(prefix): value for key, value in config.items() if key.startswith(prefix)}
    return {
        key: value
        for key, value in found.items()
        if key not in SECRET_SETTINGS and not (isinstance(value, dict) and set(value) == {"secure"})
    }


def load_export(path: Path) -> dict[str, Any]:
    """A state from a file of ``pulumi stack export``.

    Raises:
        SourceError: it is none.
    """
    try:
        found = json.loads(path.read_bytes())
        state.listed(found)
    except (OSError, ValueError, AttributeError) as error:
        raise SourceError(
            f"{path} is no state: {error}", cure="pulumi stack export --stack STACK --file state.json"
        ) from None
    return dict(found)


@dataclass(frozen=True)
class Request:
    """What is audited, and when.

    Attributes:
        root: folder of the project.
        sources: the stacks.
        judgements: exceptions and manual results.
        created: UTC time of the audit.
        date: the day for which is judged.
        cloud: Google's APIs; None audits what was declared only.
        groups: whether Cloud Identity is asked who is in the groups that hold roles.
    """

    root: Path
    sources: Sequence[Source]
    judgements: Judgements
    created: dt.datetime
    date: dt.date
    cloud: GoogleCloud | None
    groups: bool = False


def collect(request: Request, folder: Path) -> None:
    """Read everything, and write it into a bundle's folder.

    Raises:
        SourceError: a state or a preview cannot be read.
    """
    models = json.loads((request.root / MODELS).read_bytes())
    readings, above, strangers, unlisted = _ask(request)
    named = groups.holding_roles(resource for reading in (*readings, above) for resource in reading.resources)
    if request.groups and request.cloud:
        members = inventory.read_groups(request.cloud, named)
        above = Reading(
            above.project,
            [*above.resources, *members.resources],
            [*above.unread, *members.unread],
            {**above.asked, **members.asked},
        )
    declared = {identity(resource) for source in request.sources for resource in source.resources}
    wide = [resource for resource in above.resources if identity(resource) not in declared]
    listed: list[dict[str, Any]] = []
    for source in request.sources:
        own = _projects(source.resources)
        mine = {identity(resource) for resource in source.resources}
        live = [resource for reading in readings if reading.project in own for resource in reading.resources]
        live += [resource for resource in above.resources if identity(resource) in mine]
        unread = [entry for reading in readings if reading.project in own for entry in reading.unread]
        made = Unit(
            source.name,
            source.settings,
            export=source.export,
            preview=events.without_secrets(source.preview, SECRET_SETTINGS) if source.preview else None,
            live=live if request.cloud else None,
            unread=unread,
        )
        unit.write(folder / bundle.UNITS / source.name, made, source.policies)
        listed.append(_population(made, [r for r in readings if r.project in own]))
    foreign = [reading for reading in readings if reading.project in strangers]
    unread = [*above.unread, *unlisted, *(entry for reading in foreign for entry in reading.unread)]
    live = [*wide, *(resource for reading in foreign for resource in reading.resources)]
    first = request.sources[0] if request.sources else None
    rest = Unit(
        ORGANIZATION,
        {key: value for key, value in (first.settings if first else {}).items() if key in {"region", "organization"}},
        live=live if request.cloud else None,
        unread=unread,
    )
    unit.write(folder / bundle.UNITS / ORGANIZATION, rest, first.policies if first else {})
    whole = {**_population(rest, foreign), "groups": {"holdingRoles": named, "membersRead": request.groups}}
    whole["asked"] = {**whole["asked"], above.project: dict(sorted(above.asked.items()))}
    listed.append(whole)
    describe(
        folder,
        request.judgements,
        listed,
        models,
        environment.document(
            request.root,
            request.created,
            date=request.date,
            identity=_identity(request.cloud),
            endpoint=(request.cloud.sandbox or "googleapis.com") if request.cloud else "",
            models=models,
            states={source.name: state.facts(source.export) for source in request.sources},
        ),
    )


def describe(
    folder: Path,
    judgements: Judgements,
    population: Sequence[Mapping[str, Any]],
    models: Mapping[str, Any],
    circumstances: Mapping[str, Any],
) -> None:
    """Write the files of a bundle that are about all its units."""
    (folder / bundle.INVENTORY_FILE).write_bytes(canonical(_inventory(population)))
    (folder / bundle.MODELS_FILE).write_bytes(canonical(models))
    (folder / bundle.EXCEPTIONS_FILE).write_bytes(canonical(judgements.document()))
    (folder / bundle.CONTROLS_FILE).write_bytes(canonical(documents(CONTROLS)))
    (folder / bundle.ENVIRONMENT_FILE).write_bytes(canonical(circumstances))


def adopt(request: Request, sources: Path, folder: Path, advance: Callable[[], None] = lambda: None) -> None:
    """Take units that were collected elsewhere into a bundle: folders as ``units/`` of a bundle has them.

    Raises:
        SourceError: there are none.
    """
    found = sorted(path.parent for path in sources.glob(f"*/{unit.SETTINGS_FILE}"))
    if not found:
        raise SourceError(
            f"{sources} holds no collected unit: no folder in it has a {unit.SETTINGS_FILE}.",
            cure="give the folder units/ of a bundle",
        )
    models = json.loads((request.root / MODELS).read_bytes())
    listed: list[dict[str, Any]] = []
    states: dict[str, Any] = {}
    places = [folder / bundle.UNITS / path.name for path in found]
    for population, facts in bundle.spread(_adopt_one, list(zip(found, places, strict=True))):
        listed.append(population)
        if facts is not None:
            states[population["unit"]] = facts
        advance()
    if not (folder / bundle.UNITS / ORGANIZATION).exists():
        rest = Unit(ORGANIZATION)
        unit.write(folder / bundle.UNITS / ORGANIZATION, rest, {})
        listed.append(_population(rest, []))
    circumstances = environment.document(
        request.root, request.created, date=request.date, identity="", endpoint="", models=models, states=states
    )
    describe(folder, request.judgements, listed, models, circumstances)


def _adopt_one(paths: tuple[Path, Path]) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Copy one unit; its population, and the facts of its state."""
    path, place = paths
    place.mkdir(parents=True)
    for name in (unit.STATE_FILE, unit.EVENTS_FILE, unit.LIVE_FILE, unit.SETTINGS_FILE):
        if (path / name).exists():
            shutil.copyfile(path / name, place / name)
    made = unit.read(place, (), bundle.parameters)
    return _population(made, []), state.facts(made.export) if made.export is not None else None


def _ask(request: Request) -> tuple[list[Reading], Reading, set[str], list[Unread]]:
    """Every project of the stacks, what lies above, projects of no stack, and why those could not be listed."""
    cloud = request.cloud
    organization = next(
        (str(s.settings["organization"]) for s in request.sources if s.settings.get("organization")), ""
    )
    if cloud is None:
        return [], Reading(f"organizations/{organization}"), set(), []
    own = {project for source in request.sources for project in _projects(source.resources)}
    places = {place for source in request.sources for place in inventory.located(source.resources)}
    places |= {str(source.settings["region"]) for source in request.sources if source.settings.get("region")}
    own_folders = {str(source.settings["folder"]) for source in request.sources if source.settings.get("folder")}
    # Whoever makes a project by hand need not label it.
    found = [
        inventory.campaign_projects(cloud),
        *(inventory.folder_projects(cloud, folder) for folder in sorted(own_folders)),
    ]
    strangers = {name for names, _ in found for name in names} - own
    readings = inventory.read_projects(cloud, sorted(own | strangers), places)
    accounts = {str(s.settings["billingAccount"]) for s in request.sources if s.settings.get("billingAccount")}
    folders = own_folders | _folders(readings)
    above = Reading("organization")
    if organization:
        above = inventory.read_organization(cloud, organization, accounts, folders)
    return readings, above, strangers, [unread for _, unread in found if unread]


def _projects(resources: Iterable[Resource]) -> set[str]:
    found = (resource.properties.get("projectId") for resource in resources if resource.type == PROJECT)
    return {name for name in found if isinstance(name, str)}


def _folders(readings: Iterable[Reading]) -> set[str]:
    """The folders that projects lie in."""
    projects = (found for reading in readings for found in reading.resources if found.type == PROJECT)
    return {f"folders/{found.properties['folderId']}" for found in projects if found.properties.get("folderId")}


def _identity(cloud: GoogleCloud | None) -> str:
    if cloud is None:
        return ""
    try:
        return str(cloud.call("GET", "openidconnect", "v1/userinfo").get("email", ""))
    except GoogleCloudError:
        return "unknown"


def _population(made: Unit, readings: Sequence[Reading]) -> dict[str, Any]:
    live = list(made.live or ())
    read = {resource.type for resource in live}
    declared = Counter(resource.type for resource in made.declared)
    return {
        "unit": made.name,
        "projects": sorted(_projects([*made.declared, *live])),
        "declared": dict(sorted(declared.items())),
        "planned": len(made.planned),
        "live": dict(sorted(Counter(resource.type for resource in live).items())),
        "declaredButNotReadLive": sorted(set(declared) - read) if made.live is not None else sorted(declared),
        "asked": {reading.project: dict(sorted(reading.asked.items())) for reading in readings},
        "assets": {reading.project: reading.assets for reading in readings},
        "unread": [vars(entry) for entry in made.unread],
    }


def _inventory(population: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "units": [dict(entry) for entry in population],
        "totals": {
            "units": len(population),
            "projects": len({project for entry in population for project in entry["projects"]}),
            "declared": sum(sum(entry["declared"].values()) for entry in population),
            "planned": sum(entry["planned"] for entry in population),
            "live": sum(sum(entry["live"].values()) for entry in population),
            "unread": sum(len(entry["unread"]) for entry in population),
        },
    }
