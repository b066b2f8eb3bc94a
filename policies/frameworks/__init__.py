"""The frameworks that controls are mapped to, each in one version, with the ids it has."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from policies.catalogue.control import Control
from policies.errors import FrameworkError

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Framework:
    """One framework in one version.

    Attributes:
        key: what crosswalks call it.
        name: its name.
        version: the version whose ids these are.
        source: where the ids were read.
        as_of: the day they were.
        ids: all ids, or those that could be read, in the framework's order.
        note: what to know of the list.
        whole: whether these are all ids of the framework, as far as the note says.
    """

    key: str
    name: str
    version: str
    source: str
    as_of: str
    ids: tuple[str, ...]
    note: str
    whole: bool


@cache
def frameworks() -> Mapping[str, Framework]:
    """All frameworks by key, read once."""
    return {path.stem: _read(path) for path in sorted(FOLDER.glob("*.json"))}


def _read(path: Path) -> Framework:
    entry = json.loads(path.read_text("utf-8"))
    return Framework(
        path.stem,
        entry["name"],
        entry["version"],
        entry["source"],
        entry["asOf"],
        tuple(entry["ids"]),
        entry["note"],
        entry["whole"],
    )


def check(controls: Iterable[Control]) -> None:
    """Refuse ids that no framework has.

    Raises:
        FrameworkError: a control names an unknown framework, or an id its framework does not have.
    """
    known = frameworks()
    for control in controls:
        for key, ids in control.crosswalk.items():
            if key not in known:
                raise FrameworkError(
                    f"control {control.id} names the framework {key}, which does not exist, so its coverage is wrong: "
                    f"use one of {', '.join(known)}"
                )
            foreign = [entry for entry in ids if entry not in known[key].ids]
            if foreign:
                raise FrameworkError(
                    f"control {control.id} names {', '.join(foreign)}, which {known[key].name} {known[key].version} "
                    f"does not have, so its coverage is wrong: correct the crosswalk or policies/frameworks/{key}.json"
                )
