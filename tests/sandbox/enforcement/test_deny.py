from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from tests.sandbox.conftest import Caller

EVERYBODY = "principalSet://goog/public:all"
PROJECT = "/cloudresourcemanager/v1/projects/test-project"


def path(container: str) -> str:
    point = quote(quote(f"cloudresourcemanager.googleapis.com/{container}", safe=""), safe="")
    return f"/iam/v2/policies/{point}/denypolicies"


def deny(admin: Caller, container: str, **rule: Any) -> tuple[int, Any]:
    body = {"rules": [{"description": "no", "denyRule": {"deniedPrincipals": [EVERYBODY], **rule}}]}
    return admin("POST", f"{path(container)}?policyId=stop", body)


GET = {"deniedPermissions": ["cloudresourcemanager.googleapis.com/projects.get"]}


@pytest.mark.parametrize("container", ["projects/test-project", "organizations/123456789012"])
def test_a_denied_permission_is_refused_even_to_the_owner(admin: Caller, project: str, container: str) -> None:
    assert admin("GET", PROJECT)[0] == 200
    assert deny(admin, container, **GET)[0] == 200
    status, body = admin("GET", PROJECT)
    assert status == 403
    assert body["error"]["details"][0]["metadata"]["permission"] == "resourcemanager.projects.get"
    assert admin("DELETE", f"{path(container)}/stop")[0] == 200
    assert admin("GET", PROJECT)[0] == 200
    assert project == "test-project"


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    "exception",
    [
        {"exceptionPrincipals": ["principal://goog/subject/user@example.com"]},
        {"exceptionPrincipals": ["principalSet://goog/cloudIdentityCustomerId/C0sandbox"]},
        {"exceptionPermissions": ["cloudresourcemanager.googleapis.com/projects.get"]},
        {"denialCondition": {"title": "never", "expression": "resource.matchTag('1/env', 'prod')"}},
    ],
)
def test_an_exception_or_a_condition_that_does_not_hold_lets_the_grant_stand(
    admin: Caller, exception: dict[str, Any]
) -> None:
    assert deny(admin, "projects/test-project", **GET, **exception)[0] == 200
    assert admin("GET", PROJECT)[0] == 200


@pytest.mark.usefixtures("project")
def test_a_permission_group_denies_what_it_covers(admin: Caller) -> None:
    deny(admin, "projects/test-project", deniedPermissions=["cloudresourcemanager.googleapis.com/projects.*"])
    assert admin("GET", PROJECT)[0] == 403


@pytest.mark.usefixtures("project")
def test_only_the_denied_principal_is_refused(admin: Caller, as_member: Callable[[str], Caller]) -> None:
    assert (
        deny(admin, "projects/test-project", **GET, deniedPrincipals=["principal://goog/subject/jo@example.com"])[0]
        == 200
    )
    policy = admin("POST", f"{PROJECT}:getIamPolicy", {})[1]
    members = ["user:jo@example.com", "user:al@example.com"]
    policy["bindings"].append({"role": "roles/browser", "members": members})
    assert admin("POST", f"{PROJECT}:setIamPolicy", {"policy": policy})[0] == 200
    assert as_member("user:al@example.com")("GET", PROJECT)[0] == 200
    assert as_member("user:jo@example.com")("GET", PROJECT)[0] == 403


@pytest.mark.usefixtures("project")
def test_a_policy_is_made_listed_replaced_and_removed(admin: Caller) -> None:
    number = admin("GET", PROJECT)[1]["projectNumber"]
    operation = deny(admin, "projects/test-project", deniedPermissions=["storage.googleapis.com/objects.get"])[1]
    name = f"policies/cloudresourcemanager.googleapis.com%2Fprojects%2F{number}/denypolicies/stop"
    assert operation["response"]["name"] == name
    (listed,) = admin("GET", path("projects/test-project"))[1]["policies"]
    assert "rules" not in listed
    read = admin("GET", f"{path('projects/test-project')}/stop")[1]
    assert admin("PUT", f"{path('projects/test-project')}/stop", {**read, "displayName": "x"})[0] == 200
    assert admin("PUT", f"{path('projects/test-project')}/stop", {**read, "displayName": "y"})[0] == 409
    gone = admin("DELETE", f"{path('projects/test-project')}/stop")[1]["response"]
    assert gone["deleteTime"]
    status, body = admin("GET", f"{path('projects/test-project')}/stop")
    assert (status, body["error"]["message"]) == (404, f'Policy "{name}" not found.')


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"deniedPermissions": ["storage.objects.get"]}, "Invalid permission"),
        ({"deniedPrincipals": ["user:jo@example.com"], **GET}, "Invalid principal identifier"),
        ({**GET, "denialCondition": {"expression": "1 +"}}, "Condition expression compilation failed"),
    ],
)
def test_a_malformed_rule_is_refused(admin: Caller, rule: dict[str, Any], message: str) -> None:
    status, body = deny(admin, "projects/test-project", **rule)
    assert status == 400
    assert message in body["error"]["message"]


def test_a_policy_attaches_to_containers_only(admin: Caller) -> None:
    status, body = deny(admin, "buckets/b", **GET)
    assert (status, body["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert "attachment point" in body["error"]["message"]
