"""One change of every setting does what docs/settings.md says, and replaces nothing that holds data without need."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.settings import STATEFUL
from tests.infra import settings_table
from tests.infra.setting_case import CAMPAIGN, FOUNDATION, JOINED, SEED, Case, Shape, changed, filled_shape
from tests.infra.setting_cases import CASES, WHOLE, settings
from tests.infra.setting_effects import CONTEXT, resources
from tests.infra.setting_rounds import fits, rounds
from tests.infra.setting_shapes import SHAPES

AGAIN = "run: python -m bench.settings --only SETTING, then python -m tests.infra.settings_table"
TOLD = {"organization": "123456789012", "billingAccount": "0A0A0A-0A0A0A-0A0A0A", "region": "europe-west4"}


def test_every_setting_is_changed_by_a_case_or_has_its_reason() -> None:
    assert {case.key for case in CASES} | set(WHOLE) == settings()


def test_every_case_was_measured_as_it_is() -> None:
    old = [case.name for case in CASES if settings_table.row(case).get("digest") != case.digest]
    assert old == [], AGAIN
    assert set(settings_table.results()["cases"]) == {case.name for case in CASES}, AGAIN


def test_nothing_that_holds_data_is_replaced_without_a_reason() -> None:
    replacing = {
        case.name for case in CASES if STATEFUL & {*settings_table.row(case).get("replaces", ())} and not case.why
    }
    assert replacing == set()


def test_every_reason_is_of_something_that_is_really_replaced_or_made_anew() -> None:
    seen = {"replaces", "removes", "recorded"}
    assert [case.name for case in CASES if case.why and not seen & {*settings_table.row(case)}] == []


def test_the_engine_refused_no_case() -> None:
    assert [case.name for case in CASES if "refused" in settings_table.row(case)] == []


def test_every_case_does_something_or_is_the_provider_s() -> None:
    silent = {case.key for case in CASES if not {*settings_table.COLUMNS} & {*settings_table.row(case)}}
    assert silent == set(settings_table.NO_RESOURCE)


def test_the_page_is_fresh() -> None:
    text = settings_table.PAGE.read_text()
    assert settings_table.page(text) == text, "run: python -m tests.infra.settings_table"


SHAPE_NAMES = (CAMPAIGN, FOUNDATION, JOINED, SEED)


def together(beginning: Shape, cases: Sequence[Case]) -> Shape:
    """A shape with several changes."""
    shape = beginning
    for case in cases:
        shape = Shape(*changed(shape, case, CONTEXT))
    return shape


def whole(shape: Shape) -> bool:
    """Whether the program accepts a shape, with what every stack is told."""
    return fits({**TOLD, **shape.settings}, shape.campaign)


@pytest.mark.parametrize("name", SHAPE_NAMES)
def test_the_program_still_changes_the_types_that_were_measured(root: Path, name: str) -> None:
    beginning = filled_shape(SHAPES[name], CONTEXT)
    cases = [case for case in CASES if case.shape == name and not case.apart and not case.alone]
    cases = [case for case in cases if case.key != "plantain:wheels"]  # a path is all that is recorded of them
    group = next(rounds(cases, lambda some: whole(together(beginning, some))))
    before, after = resources(root, beginning), resources(root, together(beginning, group))
    urns = {urn for urn in before.keys() | after.keys() if before.get(urn) != after.get(urn)}
    found = {(after.get(urn) or before[urn])[0] for urn in urns}
    measured = {
        name for case in group for column in settings_table.COLUMNS for name in settings_table.row(case).get(column, ())
    }
    assert found == measured, f"{sorted(found ^ measured)}: {AGAIN}"
