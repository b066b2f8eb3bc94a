"""All levels or perimeters of a policy at once, all or none."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import ORGANIZATION, Caller

ROOT = "/accesscontextmanager/v1"


@pytest.fixture
def policy(admin: Caller) -> str:
    made = admin("POST", f"{ROOT}/accessPolicies", {"parent": ORGANIZATION, "title": "default"})[1]["response"]
    return str(made["name"])


def level(policy: str, name: str) -> dict[str, Any]:
    conditions = [{"ipSubnetworks": ["198.51.100.0/24"]}]
    return {"name": f"{policy}/accessLevels/{name}", "title": name, "basic": {"conditions": conditions}}


def names(admin: Caller, policy: str, collection: str) -> list[str]:
    listed = admin("GET", f"{ROOT}/{policy}/{collection}")[1].get(collection, [])
    return [item["name"].rpartition("/")[2] for item in listed]


def test_levels_are_replaced_as_a_whole(admin: Caller, policy: str) -> None:
    url = f"{ROOT}/{policy}/accessLevels:replaceAll"
    assert admin("POST", url, {"accessLevels": [level(policy, "a"), level(policy, "b")]})[0] == 200
    operation = admin("POST", url, {"accessLevels": [level(policy, "b"), level(policy, "c")]})[1]
    assert [item["title"] for item in operation["response"]["accessLevels"]] == ["b", "c"]
    assert names(admin, policy, "accessLevels") == ["b", "c"]
    assert admin("GET", f"{ROOT}/{operation['name']}")[1]["done"] is True


def test_one_wrong_level_leaves_all_as_they_were(admin: Caller, policy: str) -> None:
    url = f"{ROOT}/{policy}/accessLevels:replaceAll"
    admin("POST", url, {"accessLevels": [level(policy, "a")]})
    wrong = {"name": f"{policy}/accessLevels/w", "title": "w"}
    status, body = admin("POST", url, {"accessLevels": [level(policy, "b"), wrong]})
    assert (status, "either basic conditions or" in body["error"]["message"]) == (400, True)
    status, body = admin("POST", url, {"accessLevels": [level("accessPolicies/1", "b")]})
    assert (status, "must lie below" in body["error"]["message"]) == (400, True)
    assert names(admin, policy, "accessLevels") == ["a"]


def test_a_level_in_use_cannot_be_left_out(admin: Caller, policy: str) -> None:
    admin("POST", f"{ROOT}/{policy}/accessLevels:replaceAll", {"accessLevels": [level(policy, "a")]})
    status = {"accessLevels": [f"{policy}/accessLevels/a"]}
    perimeter = {"name": f"{policy}/servicePerimeters/p", "title": "p", "status": status}
    made = admin("POST", f"{ROOT}/{policy}/servicePerimeters:replaceAll", {"servicePerimeters": [perimeter]})
    assert made[0] == 200
    code, body = admin("POST", f"{ROOT}/{policy}/accessLevels:replaceAll", {})
    assert (code, "is referenced by service perimeter" in body["error"]["message"]) == (400, True)
    assert names(admin, policy, "accessLevels") == ["a"]


def test_two_perimeters_cannot_share_a_project(admin: Caller, policy: str, project: str) -> None:
    number = admin("GET", f"/cloudresourcemanager/v1/projects/{project}")[1]["projectNumber"]
    status = {"resources": [f"projects/{number}"]}
    both = [{"name": f"{policy}/servicePerimeters/{n}", "title": n, "status": status} for n in ("p", "q")]
    code, body = admin("POST", f"{ROOT}/{policy}/servicePerimeters:replaceAll", {"servicePerimeters": both})
    assert (code, "already belongs to the service perimeter" in body["error"]["message"]) == (400, True)
    assert names(admin, policy, "servicePerimeters") == []


def test_an_unknown_policy_is_404(admin: Caller) -> None:
    assert admin("POST", f"{ROOT}/accessPolicies/1/accessLevels:replaceAll", {})[0] == 404
