"""What a change of a setting does to what the program registers, for changes that no engine has planned yet.

A registration does not know what has to be replaced; only the provider does. So a row made here says so.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.infra.setting_case import Case, Shape, changed, filled_shape
from tests.infra.setting_shapes import SHAPES
from tests.infra.stacks import record_documents

CONTEXT = {
    "others": "111111111111",
    "perimeter": "accessPolicies/987654321/servicePerimeters/plantain",
    "policy": "987654321",
    "folder": "folders/234567890123",
    "tag": "tagValues/1",
    "token": "another",
}
"""What stands for the words in braces where nothing is deployed."""

_KEPT: dict[str, dict[str, tuple[str, str]]] = {}


def kind(token: str) -> str:
    """A type as pulumi_gcp's users write it: storage.Bucket."""
    return token.removeprefix("gcp:").partition("/")[0] + "." + token.rpartition(":")[2]


def resources(root: Path, shape: Shape) -> dict[str, tuple[str, str]]:
    """What a shape registers: type and inputs by URN."""
    name = json.dumps([dict(shape.settings), shape.campaign], sort_keys=True)
    if name not in _KEPT:
        _KEPT[name] = {
            entry.urn: (kind(entry.type), json.dumps([entry.inputs, entry.protect], sort_keys=True, default=str))
            for entry in record_documents(root, shape.settings, shape.campaign).cloud()
        }
    return _KEPT[name]


def recorded(root: Path, case: Case) -> Mapping[str, Any]:
    """What a case makes, changes and removes, as a row of bench/settings.json."""
    beginning = filled_shape(SHAPES[case.shape], CONTEXT)
    before = resources(root, beginning)
    after = resources(root, Shape(*changed(beginning, case, CONTEXT)))
    columns = {
        "makes": [after[urn][0] for urn in after.keys() - before.keys()],
        "changes": [after[urn][0] for urn in after.keys() & before.keys() if after[urn] != before[urn]],
        "removes": [before[urn][0] for urn in before.keys() - after.keys()],
    }
    counted = {name: dict(sorted(Counter(types).items())) for name, types in columns.items() if types}
    return {"digest": case.digest, "recorded": True, **counted}
