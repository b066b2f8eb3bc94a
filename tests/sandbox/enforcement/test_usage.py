"""Which grants were used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from sandbox.cloud import Cloud
from sandbox.control import TOKEN_HEADER
from sandbox.enforcement import usage
from tests.sandbox.conftest import Caller

JO = "user:jo@example.com"
PROJECT = "/cloudresourcemanager/v1/projects/test-project"
RESOURCE = "//cloudresourcemanager.googleapis.com/projects/test-project"


@pytest.fixture
def record(cloud: Cloud, client: TestClient) -> Callable[[bool], int]:
    cloud.control_token = "t"
    headers = {TOKEN_HEADER: "t"}

    def switch(on: bool) -> int:
        return client.post("/_sandbox/grants", json={"recording": on}, headers=headers).status_code

    return switch


def grant(admin: Caller, *roles: str) -> None:
    policy = admin("POST", f"{PROJECT}:getIamPolicy", {})[1]
    policy["bindings"] += [{"role": role, "members": [JO]} for role in roles]
    assert admin("POST", f"{PROJECT}:setIamPolicy", {"policy": policy})[0] == 200


def checks(client: TestClient, principal: str = JO) -> list[dict[str, Any]]:
    found = client.get("/_sandbox/grants").json()["checks"]
    return [check for check in found if check["principal"] == principal]


@pytest.mark.usefixtures("project")
def test_every_binding_that_gave_a_permission_is_recorded_with_its_step(
    admin: Caller, client: TestClient, as_member: Callable[[str], Caller], record: Callable[[bool], int]
) -> None:
    grant(admin, "roles/browser", "roles/viewer")
    assert record(True) == 200
    assert as_member(JO)("GET", PROJECT)[0] == as_member(JO)("GET", PROJECT)[0] == 200
    [check] = checks(client)
    assert (check["permission"], check["resource"]) == ("resourcemanager.projects.get", RESOURCE)
    assert (check["step"], check["count"]) == ("cloudresourcemanager.projects.get", 2)
    assert {found["role"] for found in check["grants"]} == {"roles/browser", "roles/viewer"}
    assert {found["resource"] for found in check["grants"]} == {RESOURCE}


@pytest.mark.usefixtures("project")
def test_a_refusal_and_a_question_use_no_grant(
    admin: Caller, client: TestClient, as_member: Callable[[str], Caller], record: Callable[[bool], int]
) -> None:
    grant(admin, "roles/browser")
    record(True)
    assert as_member(JO)("DELETE", PROJECT)[0] == 403
    asked = as_member(JO)("POST", f"{PROJECT}:testIamPermissions", {"permissions": ["resourcemanager.projects.get"]})
    assert asked == (200, {"permissions": ["resourcemanager.projects.get"]})
    assert checks(client) == []


@pytest.mark.usefixtures("project")
def test_nothing_is_recorded_unless_asked_for_and_a_new_start_forgets(
    admin: Caller, client: TestClient, record: Callable[[bool], int]
) -> None:
    assert client.get("/_sandbox/grants").json() == {"recording": False, "dropped": 0, "checks": []}
    record(True)
    admin("GET", PROJECT)
    record(False)
    admin("GET", "/cloudresourcemanager/v1/projects/test-project/nothing")
    admin("GET", f"{PROJECT}:getAncestry")
    assert {check["step"] for check in checks(client, "user:user@example.com")} == {"cloudresourcemanager.projects.get"}
    record(True)
    assert client.get("/_sandbox/grants").json()["checks"] == []


def test_what_there_is_no_room_for_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "CAPACITY", 1)
    recorder = usage.Usage()
    recorder.start()
    for name in ("a", "a", "b"):
        recorder.add(JO, "storage.objects.get", f"//storage.googleapis.com/b/{name}", [])
    found = recorder.document()
    assert (found["dropped"], [check["count"] for check in found["checks"]]) == (1, [2])
