"""An owner never drops members it did not add, and none at all that would stay behind unprotected."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pulumi
import pytest

from infra.errors import MembershipError
from infra.membership import refuse_to_drop
from infra.perimeter_settings import OwnedPerimeter
from tests.infra.stacks import make_settings, owned

OURS, ENDED, THEIRS = "projects/1", "projects/2", "projects/9"


def arguments(*, asked: Any, found: Any, wanted: Any, configuration: str = "status") -> pulumi.ResourceHookArgs:
    """What the engine tells a hook, for one of the two configurations; None where there is none."""

    def rules(resources: Any) -> dict[str, Any]:
        return {configuration: None if resources is None else {"resources": resources}}

    return pulumi.ResourceHookArgs(
        urn="urn",
        id="id",
        name="plantain",
        type="gcp:accesscontextmanager/servicePerimeter:ServicePerimeter",
        old_inputs=rules(asked),
        old_outputs=rules(found),
        new_inputs=rules(wanted),
    )


def update(membership: str = "inline", *, protect: bool = False, own: Collection[str] = (), **changes: Any) -> None:
    perimeter = make_settings(perimeter=owned(membership=membership)).perimeter
    assert isinstance(perimeter, OwnedPerimeter)
    refuse_to_drop(perimeter, arguments(**changes), protect=protect, own=own)


class TestAnInlineOwner:
    @pytest.mark.parametrize("configuration", ["status", "spec"])
    def test_stops_before_it_drops_a_member_that_somebody_else_added(self, configuration: str) -> None:
        with pytest.raises(MembershipError) as caught:
            update(asked=[OURS], found=[OURS, THEIRS], wanted=[OURS], configuration=configuration)
        message = str(caught.value)
        assert THEIRS in message
        assert OURS not in message
        assert "plantain:perimeter.otherMembers" in message
        assert f"--remove-resources={THEIRS}" in message

    def test_may_drop_a_campaign_of_its_own(self) -> None:
        update(asked=[OURS, ENDED], found=[OURS, ENDED], wanted=[OURS])

    def test_keeps_a_campaign_of_its_own_in_the_perimeter_while_the_stack_is_protected(self) -> None:
        with pytest.raises(MembershipError, match="plantain:deletionProtection false") as caught:
            update(asked=[OURS, ENDED], found=[OURS, ENDED], wanted=[OURS], protect=True)
        assert ENDED in str(caught.value)

    def test_may_keep_a_member_it_has_been_told_of(self) -> None:
        update(asked=[OURS], found=[OURS, THEIRS], wanted=[OURS, THEIRS], protect=True)

    def test_waits_for_the_update_when_a_preview_does_not_know_the_members_yet(self) -> None:
        update(asked=[OURS], found=[OURS, THEIRS], wanted=object())

    def test_may_go_back_to_dry_run_because_its_members_stay_in_the_other_configuration(self) -> None:
        update(asked=[OURS], found=[OURS], wanted=None, protect=True)

    def test_does_not_go_back_to_dry_run_over_others(self) -> None:
        with pytest.raises(MembershipError, match=THEIRS):
            update(asked=[OURS], found=[OURS, THEIRS], wanted=None)


class TestADelegatedOwner:
    def test_may_change_anything_else_because_it_sends_the_members_it_found(self) -> None:
        update("delegated", asked=[], found=[THEIRS], wanted=[])

    def test_does_not_go_back_to_dry_run_before_its_members_did(self) -> None:
        with pytest.raises(MembershipError, match=THEIRS):
            update("delegated", asked=[], found=[THEIRS], wanted=None)


def test_a_delegated_owner_may_drop_what_it_added_besides_the_list() -> None:
    update("delegated", asked=[], found=[OURS], wanted=None, own={OURS})
    with pytest.raises(MembershipError) as caught:
        update("delegated", asked=[], found=[OURS, THEIRS], wanted=None, own={OURS})
    assert THEIRS in str(caught.value)
    assert OURS not in str(caught.value)
