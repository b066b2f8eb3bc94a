"""The page of policies lists what is."""

from __future__ import annotations

from pathlib import Path

import pytest

from policies import reference
from policies.catalogue import CONTROLS

ROOT = Path(__file__).parents[2]


def test_the_page_is_as_the_catalogue_writes_it() -> None:
    text = (ROOT / reference.PAGE).read_text()
    assert text == reference.page(text), "python -m policies.reference"


def test_every_control_is_on_the_page() -> None:
    assert tuple(control for controls in reference.GROUPS.values() for control in controls) == CONTROLS


def test_a_page_without_a_place_for_the_controls_is_refused() -> None:
    with pytest.raises(ValueError, match="no place for the controls"):
        reference.page("# Policies\n")
