"""New campaign files: completed, checked by infra's own model, written with the words an editor needs."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from plantain.errors import InputError

HEAD = "# yaml-language-server: $schema=campaign.schema.json\n"
ORDER = ("labels", "invokers", "contacts", "function", "capacity", "images", "network", "logs", "budget")
DEFAULT_DAYS = 180


def labels(
    name: str, *, owner: str, cost_center: str, env: str, data_class: str, ends_on: dt.date | None, today: dt.date
) -> dict[str, str]:
    """The six labels, with spaces and capitals put into the form that labels have."""
    return {
        "campaign": name,
        "owner": label(owner),
        "cost-center": label(cost_center),
        "env": env,
        "data-class": data_class,
        "ends-on": str(ends_on or today + dt.timedelta(days=DEFAULT_DAYS)),
    }


def label(text: str) -> str:
    """A text as a label's value: lower case, hyphens for what is not allowed."""
    return re.sub(r"[^a-z0-9_-]+", "-", text.strip().lower()).strip("-_")[:63]


def text_of(document: Mapping[str, Any]) -> str:
    """A campaign file as text: known keys first, in the order of the documentation."""
    keys = [key for key in ORDER if key in document] + [key for key in document if key not in ORDER]
    plain = {key: document[key] for key in keys}
    return HEAD + yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, default_flow_style=False)


def misfit(place: str, value: Any) -> str | None:
    """What is wrong with one value of a campaign file, such as ``invokers`` or ``labels.campaign``; None: nothing."""
    from infra import campaign_file  # noqa: PLC0415 -- only verbs that read campaigns need it

    document: dict[str, Any] = {
        "labels": labels(
            "name",
            owner="o",
            cost_center="c",
            env="dev",
            data_class="public",
            ends_on=None,
            today=dt.date.max - dt.timedelta(days=DEFAULT_DAYS),
        ),
        "invokers": ["group:team@example.com"],
        "contacts": ["team@example.com"],
    }
    part, _, key = place.partition(".")
    document[part] = {**document[part], key: value} if key else value
    found = campaign_file.parse(text_of(document), file=f"campaigns/{document['labels']['campaign']}.yaml")
    wrong = [one for one in found if one.key.startswith(place)] if isinstance(found, (list, tuple)) else []
    return f"{wrong[0].cause}; allowed: {wrong[0].rule}" if wrong else None


def path_of(root: Path, name: str, *, replace: bool = False) -> Path:
    """Where a new campaign's file belongs.

    Raises:
        InputError: there is one of that name.
    """
    path = root / "campaigns" / f"{name}.yaml"
    if path.exists() and not replace:
        raise InputError(f"{path} exists; nothing was written.", cure=f"another name, or edit {path}")
    return path


def write(root: Path, document: Mapping[str, Any], *, replace: bool = False) -> Path:
    """Write a campaign's file, after infra has accepted it.

    Raises:
        InputError: it is wrong, or the campaign exists.
    """
    from infra import campaign_file  # noqa: PLC0415 -- only verbs that read campaigns need it
    from infra.campaign_model import Campaign  # noqa: PLC0415

    path = path_of(root, str(document["labels"]["campaign"]), replace=replace)
    text = text_of(document)
    found = campaign_file.parse(text, file=f"campaigns/{path.name}")
    if not isinstance(found, Campaign):
        lines = "\n".join(f"  {one.key}: {one.cause}\n      allowed: {one.rule}" for one in found)
        places = "1 place" if len(found) == 1 else f"{len(found)} places"
        raise InputError(f"The campaign would be wrong in {places}, so no file was written:\n{lines}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def clone(source: Mapping[str, Any], name: str, changes: Mapping[str, str]) -> dict[str, Any]:
    """Another campaign's document under a new name, with changed labels; its project and keys are not taken over."""
    document = {key: value for key, value in source.items() if key not in {"project", "keys"}}
    document["labels"] = {**source["labels"], "campaign": name, **changes}
    return document
