"""Every row of the checklist is built, or says why not; the page says the same."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.infra import checklist
from tests.infra.checklist_row import Shown
from tests.infra.setting_case import CAMPAIGN, FOUNDATION, JOINED, SEED, STACK, Case, Shape, changed, filled_shape
from tests.infra.setting_shapes import SHAPES
from tests.infra.stacks import record_documents

Inputs = Mapping[str, Sequence[Mapping[str, Any]]]
CONTEXT = {"others": "111111111111", "policy": "1", "perimeter": "accessPolicies/1/servicePerimeters/p"}
SWITCHED_ON: Mapping[str, tuple[Case, ...]] = {
    CAMPAIGN: (
        Case(f"{STACK}denyPolicy", {}),
        Case(f"{STACK}monitoringProject", "acme-monitoring"),
        Case(f"{STACK}tags", {"keys": ["env"]}),
        Case("images.retentionLocked", value=True),
        Case("keys.hardware", value=True),
        Case("build.dependencies", "registry"),
        Case("build.scan", value=True),
        Case("function.binaryAuthorization", value=True),
        Case("capacity.quotaAdjuster", value=True),
    ),
    FOUNDATION: (
        Case(f"{STACK}centralLogs.billingAccountSink", value=True),
        Case(f"{STACK}centralLogs.defaultKey", value=True),
        Case(f"{STACK}centralLogs.locked", value=True),
    ),
    SEED: (Case(f"{STACK}bootstrap.billingExport", value=True),),
    JOINED: (),
}
"""What each shape is recorded with besides its beginning, so that every option is there once."""


@pytest.fixture(scope="module")
def deployed(root: Path) -> Inputs:
    """Inputs of everything that the four kinds of stacks make, by type."""
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for name, cases in SWITCHED_ON.items():
        shape = SHAPES[name]
        for case in cases:
            shape = Shape(*changed(shape, case, CONTEXT))
        shape = filled_shape(shape, CONTEXT)
        for resource in record_documents(root, shape.settings, shape.campaign).cloud():
            found[resource.type.removeprefix("gcp:")].append(resource.inputs)
    return found


def test_every_row_is_shown_or_says_why_not() -> None:
    assert [row.asks for row in checklist.ROWS if not (row.shown or row.tests or row.instead)] == []


SHOWN = [(row.asks, shown) for row in checklist.ROWS for shown in row.shown]


@pytest.mark.parametrize(("asks", "shown"), SHOWN, ids=[f"{shown.token}.{shown.path}" for _, shown in SHOWN])
def test_what_a_row_names_is_deployed(deployed: Inputs, asks: str, shown: Shown) -> None:
    assert shown.by(deployed[shown.token]), f"{asks}: no {shown.token} has {shown.path} = {shown.value}"


def test_the_tests_that_rows_name_exist() -> None:
    written = "\n".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    defined = set(re.findall(r"def (test_\w+)", written))
    assert {name for row in checklist.ROWS for name in row.tests} - defined == set()


def test_the_page_is_fresh() -> None:
    text = checklist.PAGE.read_text()
    assert checklist.page(text) == text, "run: python -m tests.infra.checklist"
