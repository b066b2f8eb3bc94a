"""A change of one setting: what the tests of settings and `bench.settings` try. The changes: `setting_cases`."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

STACK = "plantain:"
JOIN = "plantain:perimeter (join)"
CAMPAIGN, FOUNDATION, SEED, JOINED = "campaign", "foundation", "seed", "joined"
GONE = "(none)"
"""As a value: the key is taken away."""

OTHER = "it is another campaign"
ELSEWHERE = "what lies in a place cannot be moved"
NAMED = "the name is what everything else in it hangs on"
OWNER = "a perimeter cannot change its owner"
ALREADY = "it would end what the other cases start from"


@dataclass(frozen=True)
class Shape:
    """A kind of stack that cases change.

    Attributes:
        settings: the stack's settings, apart from those that say how the engine calls.
        campaign: its campaign's file; None for a stack without.
    """

    settings: Mapping[str, Any]
    campaign: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Case:
    """One change.

    Attributes:
        path: what changes, such as images.accessLogs or plantain:perimeter.ingress[0].title.
        value: what it becomes; GONE takes the key away, a function is given what it was.
        shape: the stack it starts from.
        also: further paths with their values, where one setting needs another.
        setting: the setting that this is a case of, where the path does not say it.
        note: what tells it from other cases of the same setting.
        why: why something that holds data has to be replaced.
        apart: why it is previewed and not deployed.
        alone: whether it is deployed by itself, after the others, because it cannot be taken back or replaces much.
    """

    path: str
    value: Any
    shape: str = CAMPAIGN
    also: Mapping[str, Any] = field(default_factory=dict)
    setting: str = ""
    note: str = ""
    why: str = ""
    apart: str = ""
    alone: bool = False

    @property
    def key(self) -> str:
        """The setting's name: its path without numbers."""
        if self.setting:
            return self.setting
        name = re.sub(r"\[\d+\]", "[]", self.path)
        return name.replace(f"{STACK}perimeter", JOIN, 1) if self.shape == JOINED else name

    @property
    def name(self) -> str:
        """The case's name, different from that of every other."""
        return f"{self.key}: {self.note}" if self.note else self.key

    @property
    def digest(self) -> str:
        """What changes when the case does."""
        value = "(computed)" if callable(self.value) else self.value
        return json.dumps([self.path, value, dict(self.also), self.shape], sort_keys=True)


def changed(
    shape: Shape, case: Case, context: Mapping[str, str], base: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Settings and campaign file of a shape with one change.

    Args:
        shape: what is changed.
        case: the change.
        context: what stands for words in braces, such as the number of a project.
        base: settings that say how the engine calls, which the shape's stand beside.
    """
    settings: dict[str, Any] = copy.deepcopy({**(base or {}), **shape.settings})
    campaign: dict[str, Any] | None = copy.deepcopy(dict(shape.campaign)) if shape.campaign is not None else None
    for path, value in {**case.also, case.path: case.value}.items():
        if path.startswith(STACK):
            _set(settings, path.removeprefix(STACK), value)
        else:
            assert campaign is not None, f"{case.name} starts from a stack without a campaign"
            _set(campaign, path, value)
    return filled(settings, context), filled(campaign, context)


def filled_shape(shape: Shape, context: Mapping[str, str]) -> Shape:
    """A shape with the words in braces replaced."""
    campaign = filled(shape.campaign, context) if shape.campaign is not None else None
    return Shape(filled(shape.settings, context), campaign)


def filled(document: Any, context: Mapping[str, str]) -> Any:
    """A document with the words in braces replaced."""
    text = json.dumps(document)
    for word, meaning in context.items():
        text = text.replace(f"{{{word}}}", meaning)
    return json.loads(text)


def _set(document: dict[str, Any], path: str, value: Any) -> None:
    *way, last = [int(part) if part.isdigit() else part for part in re.split(r"[.\[\]]+", path) if part]
    at: Any = document
    for part in way:
        at = at[part] if isinstance(part, int) else at.setdefault(part, {})
    if value == GONE:
        at.pop(last, None)
    else:
        old = at.get(last) if isinstance(at, dict) else at[last]
        at[last] = value(old) if callable(value) else value
