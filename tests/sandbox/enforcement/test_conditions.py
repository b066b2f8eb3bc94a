from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.enforcement.expressions import ExpressionError, evaluate, extract, holds
from tests.sandbox.conftest import ORGANIZATION, Caller

JO = "user:jo@example.com"
PROJECT = "/cloudresourcemanager/v1/projects/test-project"
MOMENT = datetime(2026, 11, 21, 22, 30, tzinfo=UTC)


def grant(admin: Caller, role: str, expression: str, member: str = JO) -> tuple[int, Any]:
    policy = admin("POST", f"{PROJECT}:getIamPolicy", {"options": {"requestedPolicyVersion": 3}})[1]
    condition = {"title": "test", "expression": expression}
    binding = {"role": role, "members": [member], "condition": condition}
    body = {**policy, "version": 3, "bindings": [*policy.get("bindings", []), binding]}
    return admin("POST", f"{PROJECT}:setIamPolicy", {"policy": body})


@pytest.fixture
def buckets(admin: Caller, project: str) -> tuple[str, str]:
    for name in ("plantain-open", "plantain-closed"):
        assert admin("POST", f"/storage/v1/b?project={project}", {"name": name, "location": "us-west1"})[0] == 200
    return "plantain-open", "plantain-closed"


def test_a_condition_on_the_name_admits_one_bucket_only(
    admin: Caller, as_member: Callable[[str], Caller], buckets: tuple[str, str]
) -> None:
    expression = 'resource.name.startsWith("projects/_/buckets/plantain-open")'
    assert grant(admin, "roles/storage.admin", expression)[0] == 200
    jo = as_member(JO)
    assert jo("GET", f"/storage/v1/b/{buckets[0]}")[0] == 200
    assert jo("GET", f"/storage/v1/b/{buckets[1]}")[0] == 403


@pytest.mark.usefixtures("buckets")
def test_a_condition_on_time_ends_with_it(admin: Caller, as_member: Callable[[str], Caller], client: Any) -> None:
    end = client.get("/_sandbox/status").json()["now"]
    assert grant(admin, "roles/storage.admin", f'request.time < timestamp("{end}") + duration("3600s")')[0] == 200
    jo = as_member(JO)
    assert jo("GET", "/storage/v1/b/plantain-open")[0] == 200
    client.post("/_sandbox/clock", json={"seconds": 3500})
    token_still_valid = jo("GET", "/storage/v1/b/plantain-open")[0]
    client.post("/_sandbox/clock", json={"seconds": 200})
    assert (token_still_valid, as_member(JO)("GET", "/storage/v1/b/plantain-open")[0]) == (200, 403)


@pytest.mark.usefixtures("buckets")
def test_a_condition_on_the_type_tells_objects_from_buckets(admin: Caller, as_member: Callable[[str], Caller]) -> None:
    assert grant(admin, "roles/storage.admin", 'resource.type == "storage.googleapis.com/Object"')[0] == 200
    jo = as_member(JO)
    assert jo("GET", "/storage/v1/b/plantain-open")[0] == 403
    assert jo("POST", "/upload/storage/v1/b/plantain-open/o?uploadType=media&name=a", {})[0] == 200


def test_a_limited_administrator_may_grant_the_listed_roles_only(
    admin: Caller, as_member: Callable[[str], Caller], project: str
) -> None:
    expression = (
        "api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(['roles/storage.objectViewer'])"
    )
    assert grant(admin, "roles/resourcemanager.organizationAdmin", expression)[0] == 200
    policy = admin("POST", f"{PROJECT}:getIamPolicy", {"options": {"requestedPolicyVersion": 3}})[1]

    def set_with(role: str) -> int:
        bindings = [*policy["bindings"], {"role": role, "members": ["user:al@example.com"]}]
        return as_member(JO)("POST", f"{PROJECT}:setIamPolicy", {"policy": {**policy, "bindings": bindings}})[0]

    assert set_with("roles/storage.admin") == 403
    assert set_with("roles/storage.objectViewer") == 200
    assert project == "test-project"


def test_a_condition_on_a_tag_follows_the_tag(admin: Caller, as_member: Callable[[str], Caller], project: str) -> None:
    number = admin("GET", PROJECT)[1]["projectNumber"]
    key = admin("POST", "/cloudresourcemanager/v3/tagKeys", {"parent": ORGANIZATION, "shortName": "env"})
    key_name = key[1]["response"]["name"]
    value = admin("POST", "/cloudresourcemanager/v3/tagValues", {"parent": key_name, "shortName": "prod"})
    assert grant(admin, "roles/browser", "resource.matchTag('123456789012/env', 'prod')")[0] == 200
    jo = as_member(JO)
    assert jo("GET", PROJECT)[0] == 403
    binding = {
        "parent": f"//cloudresourcemanager.googleapis.com/projects/{number}",
        "tagValue": value[1]["response"]["name"],
    }
    assert admin("POST", "/cloudresourcemanager/v3/tagBindings", binding)[0] == 200
    assert jo("GET", PROJECT)[0] == 200
    assert project == "test-project"


@pytest.mark.usefixtures("project")
def test_conditions_that_google_refuses_are_refused(admin: Caller) -> None:
    status, body = grant(admin, "roles/storage.admin", "resource.name ==")
    assert status == 400
    assert "Condition expression compilation failed" in body["error"]["message"]
    status, body = grant(admin, "roles/viewer", "true")
    assert (status, body["error"]["message"]) == (400, "Basic roles cannot be granted with a condition: roles/viewer.")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('now.getHours("Europe/Berlin")', 23),
        ('now.getDayOfWeek("Asia/Tokyo")', 0),
        ("now.getFullYear()", 2026),
        ('"projects/p/buckets/b/objects/x".extract("/buckets/{name}/objects")', "b"),
        ('"a,b".split(",")', ["a", "b"]),
        ('inIpRange("10.1.2.3", ["10.0.0.0/8", "192.0.2.0/24"])', True),
        ('inIpRange("11.1.2.3", ["10.0.0.0/8"])', False),
        ('now < date("2026-12-01")', True),
        ("[1, 2].hasOnly([1, 2, 3])", True),
    ],
)
def test_functions_give_what_google_documents(expression: str, value: Any) -> None:
    assert evaluate(expression, {"now": MOMENT}) == value


@pytest.mark.parametrize("expression", ["nothing.known", "1 +", '"text"', 'now.getHours("Nowhere/None") > 0'])
def test_what_cannot_be_evaluated_to_true_does_not_hold(expression: str) -> None:
    assert not holds(expression, {"now": MOMENT})


def test_an_expression_that_is_no_cel_says_so() -> None:
    with pytest.raises(ExpressionError, match="Syntax error"):
        evaluate("1 +", {})


def test_an_extraction_that_does_not_fit_is_empty() -> None:
    assert extract("projects/p", "/buckets/{name}") == ""
    assert extract("projects/p", "no placeholder") == ""
    assert extract("/buckets/b", "/buckets/{name}/objects") == ""
