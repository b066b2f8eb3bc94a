"""An inline owner never drops members it did not add."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from infra.errors import MembershipError
from infra.membership import refuse_to_drop

OURS, ENDED, THEIRS = "projects/1", "projects/2", "projects/9"


def arguments(*, asked: list[str], found: list[str], wanted: Any) -> pulumi.ResourceHookArgs:
    return pulumi.ResourceHookArgs(
        urn="urn",
        id="id",
        name="plantain",
        type="gcp:accesscontextmanager/servicePerimeter:ServicePerimeter",
        old_inputs={"status": {"resources": asked}},
        old_outputs={"status": {"resources": found}, "spec": None},
        new_inputs={"status": {"resources": wanted}},
    )


class TestAnInlineOwner:
    def test_stops_before_it_drops_a_member_that_somebody_else_added(self) -> None:
        with pytest.raises(MembershipError) as caught:
            refuse_to_drop("plantain", arguments(asked=[OURS], found=[OURS, THEIRS], wanted=[OURS]))
        message = str(caught.value)
        assert THEIRS in message
        assert "plantain:perimeter.otherMembers" in message
        assert "--remove-resources=projects/9" in message

    def test_may_drop_a_campaign_of_its_own(self) -> None:
        refuse_to_drop(
            "plantain",
            arguments(asked=[OURS, ENDED], found=[OURS, ENDED], wanted=[OURS]),
        )

    def test_may_keep_a_member_it_has_been_told_of(self) -> None:
        refuse_to_drop(
            "plantain",
            arguments(asked=[OURS], found=[OURS, THEIRS], wanted=[OURS, THEIRS]),
        )

    def test_waits_for_the_update_when_a_preview_does_not_know_the_members_yet(self) -> None:
        refuse_to_drop("plantain", arguments(asked=[OURS], found=[OURS, THEIRS], wanted=object()))

    def test_looks_at_the_dry_run_configuration_too(self) -> None:
        given = pulumi.ResourceHookArgs(
            urn="urn",
            id="id",
            name="plantain",
            type="t",
            old_inputs={"spec": {"resources": []}},
            old_outputs={"spec": {"resources": [THEIRS]}},
            new_inputs={"spec": {"resources": []}},
        )
        with pytest.raises(MembershipError, match=THEIRS):
            refuse_to_drop("plantain", given)
