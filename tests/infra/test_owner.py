"""Owners of a perimeter on the real engine: what others added stays, whatever the owner changes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from plantain.errors import StackError
from tests.infra.owner import Owner

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]


@pytest.fixture
def owner(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owner]:
    made = Owner.make(tmp_path_factory.mktemp("owner"), request.param)
    try:
        made.stack.up()
        yield made
    finally:
        made.close()


@pytest.mark.parametrize("owner", ["delegated"], indirect=True)
def test_a_delegated_owner_leaves_members_it_finds_whatever_it_changes(owner: Owner) -> None:
    member = owner.somebody_joins("somebody-else-1")
    owner.stack.preview(expect_no_changes=True)
    owner.change_perimeter(additionalServices=["redis.googleapis.com"])
    owner.stack.up()
    found = owner.perimeter()
    assert "redis.googleapis.com" in found["status"]["restrictedServices"], "the update did not happen"
    assert found["status"]["resources"] == [member]
    assert found["spec"]["resources"] == [member]


@pytest.mark.parametrize("owner", ["inline"], indirect=True)
def test_an_inline_owner_stops_until_it_is_told_of_a_member_it_did_not_add(owner: Owner) -> None:
    member = owner.somebody_joins("somebody-else-1")
    owner.change_perimeter(additionalServices=["redis.googleapis.com"])
    with pytest.raises(StackError, match="that this stack did not add") as caught:
        owner.stack.up()
    assert member in str(caught.value)
    assert owner.perimeter()["status"]["resources"] == [member]
    owner.change_perimeter(otherMembers=[member])
    owner.stack.up()
    found = owner.perimeter()
    assert "redis.googleapis.com" in found["status"]["restrictedServices"], "the update did not happen"
    assert found["status"]["resources"] == [member]


@pytest.mark.parametrize("owner", ["delegated"], indirect=True)
def test_a_protected_stack_is_not_destroyed_and_an_unprotected_one_is(owner: Owner) -> None:
    owner.change(deletionProtection="true")
    owner.stack.up()
    with pytest.raises(StackError, match="cannot be deleted"):
        owner.stack.destroy()
    assert owner.perimeter()["title"] == "plantain"
    owner.stack.preview(expect_no_changes=True)
    owner.change(deletionProtection="false")
    owner.stack.up()
    owner.stack.destroy()
    assert not owner.stack.export()["deployment"].get("resources")
