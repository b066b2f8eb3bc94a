"""Changes of settings in as few groups as fit together."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import yaml

from infra import campaign_file, settings
from infra.campaign_model import Campaign
from infra.errors import InfraError
from tests.infra.setting_case import Case


def rounds(cases: Sequence[Case], together: Callable[[Sequence[Case]], bool]) -> Iterator[list[Case]]:
    """Groups of cases, each case in one.

    Args:
        cases: all of them; each has to fit by itself.
        together: whether the program accepts these changes at once.
    """
    waiting = list(cases)
    while waiting:
        group: list[Case] = []
        for case in waiting:
            if not any(overlap(case, other) for other in group) and together([*group, case]):
                group.append(case)
        yield group
        waiting = [case for case in waiting if case not in group]


def overlap(case: Case, other: Case) -> bool:
    """Whether one case would undo what another does."""
    mine, theirs = ({one.path, *one.also} for one in (case, other))
    return any(_within(a, b) or _within(b, a) for a in mine for b in theirs)


def _within(path: str, other: str) -> bool:
    return path == other or path.startswith((f"{other}.", f"{other}["))


def fits(document: Mapping[str, Any], campaign: Mapping[str, Any] | None) -> bool:
    """Whether the program accepts these settings and this campaign file."""
    raw = {key: value if isinstance(value, str) else json.dumps(value) for key, value in document.items()}
    try:
        settings.parse(raw, stack="test")
    except InfraError:
        return False
    if campaign is None:
        return True
    file = f"campaigns/{campaign['labels']['campaign']}.yaml"
    return isinstance(campaign_file.parse(yaml.safe_dump(dict(campaign)), file=file), Campaign)
