"""The project that a caller names as the one to charge."""

from __future__ import annotations

from collections.abc import Callable

from tests.sandbox.conftest import Caller

JO = "user:jo@example.com"
PROJECT = "/cloudresourcemanager/v1/projects/test-project"
CHARGED = {"X-Goog-User-Project": "test-project"}


def grant(admin: Caller, *roles: str) -> None:
    policy = admin("POST", f"{PROJECT}:getIamPolicy", {})[1]
    bindings = [*policy["bindings"], *({"role": role, "members": [JO]} for role in roles)]
    assert admin("POST", f"{PROJECT}:setIamPolicy", {"policy": {"bindings": bindings}})[0] == 200


def test_charging_a_project_needs_a_role_on_it(
    admin: Caller, as_member: Callable[[str], Caller], project: str, enable: Callable[..., None]
) -> None:
    enable("cloudresourcemanager")
    grant(admin, "roles/browser")
    assert as_member(JO)("GET", PROJECT)[0] == 200
    code, answer = as_member(JO)("GET", PROJECT, headers=CHARGED)
    assert code == 403
    [info] = [detail for detail in answer["error"]["details"] if "reason" in detail]
    assert info["reason"] == "USER_PROJECT_DENIED"
    assert info["metadata"] == {
        "consumer": f"projects/{project}",
        "service": "cloudresourcemanager.googleapis.com",
    }
    grant(admin, "roles/serviceusage.serviceUsageConsumer")
    assert as_member(JO)("GET", PROJECT, headers=CHARGED)[0] == 200


def test_the_charged_project_must_have_the_api_enabled(admin: Caller, project: str) -> None:
    code, answer = admin("GET", f"/cloudresourcemanager/v1/projects/{project}", headers=CHARGED)
    assert (code, answer["error"]["details"][0]["reason"]) == (403, "SERVICE_DISABLED")
