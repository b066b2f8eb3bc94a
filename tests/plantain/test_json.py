"""What ``--json`` prints, verb by verb, as the page of the command line promises it."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from plantain import main, output
from plantain.batch.plan import Plan
from plantain.campaigns.vital_signs import VitalSigns
from plantain.commands.doctor import as_json
from plantain.cost.budget import Budget
from plantain.doctor.finding import Finding, Severity
from plantain.perimeters.denials import Denial
from tests.plantain.conftest import ROOT

ROW = re.compile(r"^\| `(?P<verb>[a-z -]+)` \| (?P<shape>object|list of objects) \| (?P<keys>.+) \|$", re.MULTILINE)
PAGE = (ROOT / "docs" / "cli.md").read_text()
PROMISED = {found["verb"]: set(re.findall(r"`(\w+)`", found["keys"])) for found in ROW.finditer(PAGE)}
OFFLINE = {
    "models list": "models list",
    "models show": "models show gemini-3-pro-image",
    "models check": "models check",
    "cost forecast": "cost forecast spring-launch --images 500",
    "cost plan": "cost plan 30",
    "campaign list": "campaign list",
    "campaign checklist": "campaign checklist spring-launch --offline",
    "campaign retire": "campaign retire spring-launch",
    "perimeter simulate": "perimeter simulate --as user:user@example.com --service storage",
}


def of(kind: type[Any]) -> set[str]:
    return {output.camel(one.name) for one in dataclasses.fields(kind)}


READ: dict[str, Callable[[], Iterable[str]]] = {
    "doctor": lambda: as_json(Finding("tools", Severity.OK, "fine")),
    "campaign show": lambda: of(VitalSigns) | {"outputs"},
    "cost budget": lambda: of(Budget) | {"crossed"},
    "batch show": lambda: (field.alias or name for name, field in Plan.model_fields.items()),
    "perimeter report": lambda: {"denials", "rules"} | of(Denial) | {"count", "last", "identifier"},
}


def test_the_page_promises_the_keys_of_every_verb_that_prints_a_document() -> None:
    assert set(PROMISED) == {*OFFLINE, *READ}


@pytest.mark.parametrize("verb", OFFLINE)
@pytest.mark.usefixtures("project", "cloud")
def test_a_verb_prints_the_keys_that_are_promised(
    verb: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["plantain", *OFFLINE[verb].split(), "--json"])
    with pytest.raises(SystemExit) as caught:
        main.main()
    assert caught.value.code in {0, 10}
    found = json.loads(capsys.readouterr().out)
    assert set(found[0] if isinstance(found, list) else found) == PROMISED[verb]


@pytest.mark.parametrize("verb", READ)
def test_a_verb_that_asks_the_cloud_has_the_keys_that_are_promised(verb: str) -> None:
    assert set(READ[verb]()) == PROMISED[verb]


def test_every_key_is_written_in_camel_case() -> None:
    assert [key for keys in PROMISED.values() for key in keys if "_" in key] == []
    assert output.camel("break_even_unit_price") == "breakEvenUnitPrice"


@dataclasses.dataclass
class Leaf:
    file_name: str


@dataclasses.dataclass
class Tree:
    all_leaves: tuple[Leaf, ...]
    labels: dict[str, str]


def test_names_within_data_are_left_as_they_are() -> None:
    tree = Tree((Leaf("a"),), {"cost_center": "b"})
    assert output.fields(tree) == {"allLeaves": [{"fileName": "a"}], "labels": {"cost_center": "b"}}
    assert output.fields(Path) is Path
