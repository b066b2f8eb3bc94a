"""Tags: keys, values, bindings, holds, and what a resource inherits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.conftest import ORGANIZATION, Caller

V3 = "/cloudresourcemanager/v3"


@pytest.fixture
def key(admin: Caller, project: str) -> dict[str, Any]:
    made = admin("POST", f"{V3}/tagKeys", {"parent": f"projects/{project}", "shortName": "env"})[1]
    return dict(made["response"])


@pytest.fixture
def value(admin: Caller, key: dict[str, Any]) -> dict[str, Any]:
    made = admin("POST", f"{V3}/tagValues", {"parent": key["name"], "shortName": "prod"})[1]
    return dict(made["response"])


def test_a_key_is_named_by_number_and_by_namespace(admin: Caller, project: str, key: dict[str, Any]) -> None:
    assert key["namespacedName"] == f"{project}/env"
    number = key["parent"].rpartition("/")[2]
    assert number.isdigit()
    for namespace in (project, number):
        found = admin("GET", f"{V3}/tagKeys/namespaced", params={"name": f"{namespace}/env"})
        assert found == (200, {k: v for k, v in key.items() if k != "@type"})


def test_a_short_name_that_is_taken_fails_the_operation(admin: Caller, project: str, key: dict[str, Any]) -> None:
    status, operation = admin("POST", f"{V3}/tagKeys", {"parent": f"projects/{project}", "shortName": "env"})
    assert (status, operation.get("done")) == (200, None)
    error = admin("GET", f"{V3}/{operation['name']}")[1]["error"]
    assert error["code"] == 6
    assert f"'env' already exists under parent '{key['parent']}'" in error["message"]


def test_a_tag_that_is_not_there_may_be_somebody_elses(admin: Caller) -> None:
    for name in ("tagKeys/1", "tagValues/1"):
        status, body = admin("GET", f"{V3}/{name}")
        assert (status, body["error"]["status"]) == (403, "PERMISSION_DENIED")
        assert "(or it may not exist)" in body["error"]["message"]


def test_a_short_name_without_letters_is_refused(admin: Caller, project: str) -> None:
    status, body = admin("POST", f"{V3}/tagKeys", {"parent": f"projects/{project}", "shortName": "a/b"})
    assert (status, body["error"]["status"]) == (400, "INVALID_ARGUMENT")


def test_the_short_name_of_a_value_stays(admin: Caller, value: dict[str, Any]) -> None:
    status, body = admin("PATCH", f"{V3}/{value['name']}?updateMask=shortName", {"shortName": "other"})
    assert (status, "immutable" in body["error"]["message"]) == (400, True)


def test_a_binding_by_namespaced_name_answers_numbers(admin: Caller, project: str, value: dict[str, Any]) -> None:
    parent = f"//cloudresourcemanager.googleapis.com/projects/{project}"
    body = {"parent": parent, "tagValueNamespacedName": value["namespacedName"]}
    status, made = admin("POST", f"{V3}/tagBindings", body)
    assert (status, made["done"], made["response"]["tagValue"]) == (200, True, value["name"])
    assert made["response"]["parent"].rpartition("/")[2].isdigit()
    listed = admin("GET", f"{V3}/tagBindings", params={"parent": parent})[1]["tagBindings"]
    assert [b["name"] for b in listed] == [made["response"]["name"]]
    assert admin("POST", f"{V3}/tagBindings", body)[0] == 409
    assert admin("DELETE", f"{V3}/{value['name']}")[1]["error"]["status"] == "FAILED_PRECONDITION"
    name = made["response"]["name"].replace("%", "%25")
    assert admin("DELETE", f"{V3}/{name}")[1]["response"] == {"@type": "type.googleapis.com/google.protobuf.Empty"}
    assert admin("DELETE", f"{V3}/{value['name']}")[0] == 200


def test_a_binding_needs_an_existing_value_and_a_full_name(admin: Caller, project: str, value: dict[str, Any]) -> None:
    parent = f"//cloudresourcemanager.googleapis.com/projects/{project}"
    status, body = admin("POST", f"{V3}/tagBindings", {"parent": parent, "tagValue": "tagValues/1"})
    assert (status, "does not exist" in body["error"]["message"]) == (400, True)
    status, body = admin("POST", f"{V3}/tagBindings", {"parent": f"projects/{project}", "tagValue": value["name"]})
    assert (status, "full resource name" in body["error"]["message"]) == (400, True)


def test_a_hold_keeps_a_value(admin: Caller, value: dict[str, Any]) -> None:
    holds = f"{V3}/{value['name']}/tagHolds"
    made = admin("POST", holds, {"holder": "//compute.googleapis.com/projects/p/zones/z/instances/i"})[1]["response"]
    status, body = admin("DELETE", f"{V3}/{value['name']}")
    assert (status, "tag holds" in body["error"]["message"]) == (400, True)
    assert admin("DELETE", f"{V3}/{made['name']}")[0] == 200
    assert admin("DELETE", f"{V3}/{value['name']}")[0] == 200


def test_a_bucket_has_its_projects_tags_and_the_nearest_wins(admin: Caller, project: str) -> None:
    key = admin("POST", f"{V3}/tagKeys", {"parent": ORGANIZATION, "shortName": "class"})[1]["response"]
    low, high = (
        admin("POST", f"{V3}/tagValues", {"parent": key["name"], "shortName": name})[1]["response"]
        for name in ("low", "high")
    )
    root, below = "//cloudresourcemanager.googleapis.com/", f"projects/{project}"
    bucket = f"//storage.googleapis.com/projects/{project}/buckets/b"
    assert admin("POST", f"{V3}/tagBindings", {"parent": root + ORGANIZATION, "tagValue": low["name"]})[0] == 200
    found = admin("GET", f"{V3}/effectiveTags", params={"parent": bucket})[1]["effectiveTags"]
    assert [(t["namespacedTagValue"], t["inherited"]) for t in found] == [("123456789012/class/low", True)]
    assert admin("POST", f"{V3}/tagBindings", {"parent": root + below, "tagValue": high["name"]})[0] == 200
    found = admin("GET", f"{V3}/effectiveTags", params={"parent": root + below})[1]["effectiveTags"]
    assert [(t["tagValue"], "inherited" in t) for t in found] == [(high["name"], False)]


def test_a_binding_needs_a_right_on_the_value_besides_the_one_on_the_project(
    admin: Caller, as_member: Callable[[str], Caller], project: str
) -> None:
    own = {"parent": ORGANIZATION, "shortName": "env"}
    key = admin("POST", "/cloudresourcemanager/v3/tagKeys", own)[1]["response"]["name"]
    value = admin("POST", "/cloudresourcemanager/v3/tagValues", {"parent": key, "shortName": "prod"})[1]["response"]
    jo, roles = "user:jo@example.com", "/cloudresourcemanager/v1"

    def grant(place: str, role: str) -> None:
        policy = admin("POST", f"{roles}/{place}:getIamPolicy", {})[1]
        bindings = [*policy["bindings"], {"role": role, "members": [jo]}]
        assert admin("POST", f"{roles}/{place}:setIamPolicy", {"policy": {"bindings": bindings}})[0] == 200

    grant(f"projects/{project}", "roles/owner")
    number = admin("GET", f"{roles}/projects/{project}")[1]["projectNumber"]
    resource = f"//cloudresourcemanager.googleapis.com/projects/{number}"
    body = {"parent": resource, "tagValue": value["name"]}
    code, answer = as_member(jo)("POST", "/cloudresourcemanager/v3/tagBindings", body)
    assert code == 403
    assert "resourcemanager.tagValueBindings.create" in answer["error"]["message"]
    grant(ORGANIZATION, "roles/resourcemanager.tagUser")
    assert as_member(jo)("POST", "/cloudresourcemanager/v3/tagBindings", body)[0] == 200
