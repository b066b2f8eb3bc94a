"""There is no grant of a campaign that no step is known to need."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.least_privilege import LISTED, NEEDED
from tests.infra.stacks import make_campaign, record

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def granted(root: Path) -> set[str]:
    campaign = make_campaign(
        function={"secrets": {"BRAND_KEY": "projects/acme-spring/secrets/brand-key/versions/1"}},
        references={"editors": ["group:brand-studio@example.com"]},
        channels={"pubsub": ["alerts"]},
    )
    stack = record(root, [campaign])
    return {
        resource.name.removeprefix("spring-launch-")
        for resource in stack.cloud()
        if re.search(r"(?i):[a-z]*IAMMember$", resource.type)
    }


def test_every_grant_is_needed_by_a_step_or_has_its_reason(granted: set[str]) -> None:
    assert granted == {*NEEDED, *LISTED}


def test_no_grant_is_both_proved_and_excused() -> None:
    assert not set(NEEDED) & set(LISTED)
    assert all(len(reason.split()) > 5 for reason in LISTED.values())
