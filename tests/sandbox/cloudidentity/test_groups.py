from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from sandbox.cloud import CUSTOMER
from tests.sandbox.conftest import Caller

ROOT = "/cloudidentity/v1/groups"
FORUM = "cloudidentity.googleapis.com/groups.discussion_forum"
Make = Callable[..., str]


@pytest.fixture
def make(admin: Caller) -> Make:
    """Make a group of an address with members; returns its path."""

    def create(address: str, *members: str, **query: str) -> str:
        body = {"parent": f"customers/{CUSTOMER}", "groupKey": {"id": address}, "labels": {FORUM: ""}}
        status, operation = admin("POST", ROOT, body, params=query)
        assert (status, operation["done"]) == (200, True), operation
        path = f"/cloudidentity/v1/{operation['response']['name']}"
        for member in members:
            assert admin("POST", f"{path}/memberships", {"preferredMemberKey": {"id": member}})[0] == 200
        return path

    return create


def listed(caller: Caller, path: str, **query: str) -> list[dict[str, Any]]:
    status, found = caller("GET", f"{path}/memberships", params=query)
    assert status == 200, found
    return list(found.get("memberships", []))


def test_a_group_is_found_by_its_address(admin: Caller, make: Make) -> None:
    path = make("team@example.com")
    status, found = admin("GET", f"{ROOT}:lookup", params={"groupKey.id": "Team@example.com"})
    assert (status, f"/cloudidentity/v1/{found['name']}") == (200, path)
    group = admin("GET", path)[1]
    assert (group["groupKey"], group["parent"]) == ({"id": "team@example.com"}, f"customers/{CUSTOMER}")
    everything = admin("GET", ROOT, params={"parent": f"customers/{CUSTOMER}"})[1]["groups"]
    query = {"query": f"parent == 'customers/{CUSTOMER}' && '{FORUM}' in labels"}
    assert admin("GET", f"{ROOT}:search", params=query)[1]["groups"] == everything
    assert admin("GET", f"{ROOT}:search", params={"query": "labels =="})[0] == 400


def test_what_makes_no_group_is_refused(admin: Caller, make: Make) -> None:
    make("team@example.com")
    good = {"parent": f"customers/{CUSTOMER}", "groupKey": {"id": "new@example.com"}, "labels": {FORUM: ""}}
    for change, status, words in (
        ({"parent": "customers/C1"}, 400, "directory customer"),
        ({"groupKey": {"id": "new@example.org"}}, 400, "domain example.com"),
        ({"labels": {}}, 400, FORUM),
        ({"labels": {FORUM: "x"}}, 400, "empty values"),
        ({"description": "x" * 4097}, 400, "4096"),
        ({"groupKey": {"id": "team@example.com"}}, 409, "already exists"),
    ):
        found = admin("POST", ROOT, {**good, **change})
        assert (found[0], words in found[1]["error"]["message"]) == (status, True), found


def test_members_have_roles_and_only_the_full_view_says_what_they_are(admin: Caller, make: Make) -> None:
    make("inner@example.com")
    account = "robot@test-project.iam.gserviceaccount.com"
    path = make("team@example.com", "jo@example.com", "inner@example.com", account)
    assert [set(one) for one in listed(admin, path)] == [{"name", "preferredMemberKey", "roles"}] * 3
    full = listed(admin, path, view="FULL")
    assert [one["type"] for one in full] == ["USER", "GROUP", "SERVICE_ACCOUNT"]
    assert full[0]["roles"] == [{"name": "MEMBER"}]
    changed = admin("POST", f"/cloudidentity/v1/{full[0]['name']}:modifyMembershipRoles",
                    {"addRoles": [{"name": "OWNER"}]})[1]  # fmt: skip
    assert [role["name"] for role in changed["membership"]["roles"]] == ["MEMBER", "OWNER"]
    status, answer = admin("POST", f"{path}/memberships", {"preferredMemberKey": {"id": "JO@example.com"}})
    assert (status, "already exists" in answer["error"]["message"]) == (409, True)
    assert admin("POST", f"{path}/memberships", {"preferredMemberKey": {"id": "nobody"}})[0] == 400
    body = {"preferredMemberKey": {"id": "x@example.com"}, "roles": [{"name": "KING"}]}
    assert admin("POST", f"{path}/memberships", body)[0] == 400


def test_groups_cannot_hold_each_other(admin: Caller, make: Make) -> None:
    inner = make("inner@example.com")
    make("outer@example.com", "inner@example.com")
    for address in ("inner@example.com", "outer@example.com"):
        status, answer = admin("POST", f"{inner}/memberships", {"preferredMemberKey": {"id": address}})
        assert (status, "hold each other" in answer["error"]["message"]) == (400, True)


def test_a_member_of_a_group_within_a_group_has_the_outer_ones_roles(
    admin: Caller, make: Make, as_member: Callable[[str], Caller], project: str
) -> None:
    policy = {"bindings": [{"role": "roles/viewer", "members": ["group:outer@example.com"]}]}
    admin("POST", f"/cloudresourcemanager/v1/projects/{project}:setIamPolicy", {"policy": policy})
    inner = make("inner@example.com", "jo@example.com")
    outer = make("outer@example.com", "inner@example.com")
    jo, url = as_member("user:jo@example.com"), f"/cloudresourcemanager/v1/projects/{project}"
    assert jo("GET", url)[0] == 200
    query = {"query": "member_key_id == 'jo@example.com'"}
    assert admin("GET", f"{outer}/memberships:checkTransitiveMembership", params=query)[1] == {"hasMembership": True}
    above = admin("GET", f"{ROOT}/-/memberships:searchTransitiveGroups", params=query)[1]["memberships"]
    assert {one["groupKey"]["id"]: one["relationType"] for one in above} == {
        "inner@example.com": "DIRECT",
        "outer@example.com": "INDIRECT",
    }
    below = admin("GET", f"{outer}/memberships:searchTransitiveMemberships")[1]["memberships"]
    assert [(one["preferredMemberKey"][0]["id"], one["relationType"]) for one in below] == [
        ("inner@example.com", "DIRECT"),
        ("jo@example.com", "INDIRECT"),
    ]
    found = admin("GET", f"{inner}/memberships:lookup", params={"memberKey.id": "jo@example.com"})[1]
    assert admin("DELETE", f"/cloudidentity/v1/{found['name']}")[0] == 200
    assert jo("GET", url)[0] == 403
    assert admin("GET", f"{outer}/memberships:checkTransitiveMembership", params=query)[1] in ({}, None)


def test_a_membership_ends_when_its_time_is_over(
    admin: Caller, make: Make, client: TestClient, as_member: Callable[[str], Caller]
) -> None:
    path = make("team@example.com")
    now = client.get("/_sandbox/clock").json()["now"]
    soon = now[:2] + "99" + now[4:]
    expiring = [{"name": "MEMBER", "expiryDetail": {"expireTime": soon}}]
    body = {"preferredMemberKey": {"id": "jo@example.com"}, "roles": expiring}
    assert admin("POST", f"{path}/memberships", {**body, "roles": [*expiring, {"name": "OWNER"}]})[0] == 400
    assert admin("POST", f"{path}/memberships", body)[0] == 200
    assert as_member("user:jo@example.com")("GET", path)[0] == 200
    client.post("/_sandbox/clock", json={"to": soon})
    assert listed(admin, path) == []


def test_a_group_that_is_deleted_leaves_the_groups_that_held_it(admin: Caller, make: Make) -> None:
    inner = make("inner@example.com", "jo@example.com")
    outer = make("outer@example.com", "inner@example.com")
    assert admin("DELETE", inner)[0] == 200
    assert listed(admin, outer) == []
    status, answer = admin("GET", f"{ROOT}:lookup", params={"groupKey.id": "inner@example.com"})
    assert (status, "or it may not exist" in answer["error"]["message"]) == (403, True)
    assert admin("GET", inner)[0] == 404


def test_a_groups_text_may_change_and_its_address_and_its_security_may_not(admin: Caller, make: Make) -> None:
    path = make("team@example.com")
    assert admin("PATCH", f"{path}?updateMask=displayName", {"displayName": "Team"})[1]["done"] is True
    assert admin("GET", path)[1]["displayName"] == "Team"
    labels = {FORUM: "", "cloudidentity.googleapis.com/groups.security": ""}
    assert admin("PATCH", f"{path}?updateMask=labels", {"labels": labels})[0] == 200
    assert admin("PATCH", f"{path}?updateMask=labels", {"labels": {FORUM: ""}})[0] == 400
    assert admin("PATCH", f"{path}?updateMask=groupKey", {"groupKey": {"id": "x@example.com"}})[0] == 400


def test_strangers_see_no_group_readers_see_all_and_owners_change_their_own(
    admin: Caller, make: Make, client: TestClient, as_member: Callable[[str], Caller]
) -> None:
    path = make("team@example.com", "jo@example.com", initialGroupConfig="WITH_INITIAL_OWNER")
    account = "serviceAccount:audit@x.iam.gserviceaccount.com"
    jo, auditor = as_member("user:jo@example.com"), as_member(account)
    assert jo("GET", path)[0] == 200
    assert [caller("GET", f"{path}/memberships")[0] for caller in (jo, auditor)] == [200, 403]
    assert jo("POST", f"{path}/memberships", {"preferredMemberKey": {"id": "eve@example.org"}})[0] == 403
    assert jo("POST", ROOT, {})[0] == 403
    assert auditor("GET", ROOT, params={"parent": f"customers/{CUSTOMER}"})[0] == 403
    reader = {
        "group": "other@example.com",
        "members": [],
        "readers": ["serviceAccount:audit@x.iam.gserviceaccount.com"],
    }
    client.post("/_sandbox/groups", json=reader)
    assert [one["preferredMemberKey"]["id"] for one in listed(auditor, path)] == ["user@example.com", "jo@example.com"]
    assert auditor("DELETE", path)[0] == 403
    own = listed(admin, path, view="FULL")[1]["name"]
    admin("POST", f"/cloudidentity/v1/{own}:modifyMembershipRoles", {"addRoles": [{"name": "MANAGER"}]})
    assert jo("POST", f"{path}/memberships", {"preferredMemberKey": {"id": "eve@example.org"}})[0] == 200


def test_members_that_the_control_interface_sets_are_the_groups(
    admin: Caller, client: TestClient, as_member: Callable[[str], Caller]
) -> None:
    body = {"group": "team@example.com", "members": ["user:jo@example.com", "group:inner@example.com"]}
    client.post("/_sandbox/groups", json=body)
    client.post("/_sandbox/groups", json={**body, "members": ["user:bo@example.com"]})
    name = admin("GET", f"{ROOT}:lookup", params={"groupKey.id": "team@example.com"})[1]["name"]
    assert [one["preferredMemberKey"]["id"] for one in listed(admin, f"/cloudidentity/v1/{name}")] == ["bo@example.com"]
    assert as_member("user:jo@example.com")("GET", f"/cloudidentity/v1/{name}")[0] == 403
