from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.conftest import ORGANIZATION, Caller

ROOT = "/compute/v1/locations/global/firewallPolicies"
RULE = {
    "priority": 10,
    "direction": "INGRESS",
    "action": "deny",
    "match": {"srcIpRanges": ["0.0.0.0/0"], "layer4Configs": [{"ipProtocol": "all"}]},
}


@pytest.fixture
def folder(admin: Caller) -> str:
    body = {"displayName": "campaigns", "parent": ORGANIZATION}
    operation = admin("POST", "/cloudresourcemanager/v3/folders", body)[1]
    return str(operation["response"]["name"])


@pytest.fixture
def policy(admin: Caller) -> str:
    """The path of a policy of the organisation."""
    status, operation = admin("POST", f"{ROOT}?parentId={ORGANIZATION}", {"shortName": "base"})
    assert (status, operation["status"]) == (200, "DONE"), operation
    return f"{ROOT}/{operation['targetLink'].rpartition('/')[2]}"


def test_a_policy_of_the_organisation_is_named_by_its_number(admin: Caller, policy: str) -> None:
    status, found = admin("GET", policy)
    assert status == 200
    assert found["name"] == found["id"] == policy.rpartition("/")[2]
    assert (found["shortName"], found["displayName"], found["parent"]) == ("base", "base", ORGANIZATION)
    assert [rule["action"] for rule in found["rules"]] == ["goto_next"] * 4
    listed = admin("GET", f"{ROOT}?parentId={ORGANIZATION}")[1]
    assert [(entry["name"], "rules" in entry) for entry in listed["items"]] == [(found["name"], False)]


def test_operations_of_an_organisation_can_be_asked_for(admin: Caller) -> None:
    operation = admin("POST", f"{ROOT}?parentId={ORGANIZATION}", {"shortName": "base"})[1]
    path = f"/compute/v1/locations/global/operations/{operation['name']}?parentId={ORGANIZATION}"
    assert operation["selfLink"].endswith(f"/locations/global/operations/{operation['name']}")
    assert admin("GET", path)[1]["targetLink"] == operation["targetLink"]
    assert admin("GET", path.replace("operation-", "nothing-"))[0] == 404


def test_a_short_name_is_free_below_each_parent_once(admin: Caller, policy: str, folder: str) -> None:
    assert policy
    assert admin("POST", f"{ROOT}?parentId={ORGANIZATION}", {"shortName": "base"})[0] == 409
    assert admin("POST", f"{ROOT}?parentId={folder}", {"shortName": "base"})[0] == 200
    status, answer = admin("POST", f"{ROOT}?parentId={ORGANIZATION}", {"shortName": "No"})
    assert (status, "shortName" in answer["error"]["message"]) == (400, True)
    assert admin("POST", f"{ROOT}?parentId=folders/404", {"shortName": "x"})[0] == 403
    status, answer = admin("POST", ROOT, {"shortName": "x", "parent": ""})
    assert (status, "existing organization or folder" in answer["error"]["message"]) == (400, True)


def test_rules_are_added_changed_read_and_removed(admin: Caller, policy: str) -> None:
    assert admin("POST", f"{policy}/addRule", RULE)[0] == 200
    assert admin("POST", f"{policy}/addRule", RULE)[0] == 400
    assert admin("POST", f"{policy}/patchRule?priority=10", {"action": "allow"})[0] == 200
    assert admin("GET", f"{policy}/getRule?priority=10")[1]["action"] == "allow"
    copy = admin("POST", f"{ROOT}?parentId={ORGANIZATION}", {"shortName": "copy"})[1]["targetLink"].rpartition("/")[2]
    source = f"locations/global/{policy.partition('/global/')[2]}"
    assert admin("POST", f"{ROOT}/{copy}/cloneRules?sourceFirewallPolicy={source}")[0] == 200
    assert admin("GET", f"{ROOT}/{copy}/getRule?priority=10")[1]["action"] == "allow"
    assert admin("POST", f"{ROOT}/{copy}/cloneRules?sourceFirewallPolicy=404")[0] == 404
    assert admin("POST", f"{policy}/removeRule?priority=10")[0] == 200
    assert admin("GET", f"{policy}/getRule?priority=10")[0] == 400


def test_a_project_inherits_what_the_nodes_above_it_follow(
    admin: Caller, policy: str, folder: str, project: str, network: dict[str, Any]
) -> None:
    below = f"{ROOT}/{admin('POST', f'{ROOT}?parentId={folder}', {'shortName': 'x'})[1]['targetLink'].split('/')[-1]}"
    assert admin("POST", f"{below}/addAssociation", {"name": "up", "attachmentTarget": ORGANIZATION})[0] == 400
    assert admin("POST", f"{policy}/addAssociation", {"name": "all", "attachmentTarget": ORGANIZATION})[0] == 200
    assert admin("POST", f"{below}/addAssociation", {"name": "folder", "attachmentTarget": folder})[0] == 200
    status, answer = admin("POST", f"{policy}/addAssociation", {"name": "again", "attachmentTarget": folder})
    assert (status, "already exists" in answer["error"]["message"]) == (400, True)
    listed = admin("GET", f"{ROOT}/listAssociations?targetResource={folder}&includeInheritedPolicies=true")[1]
    assert [entry["name"] for entry in listed["associations"]] == ["all", "folder"]
    effective = admin("GET", f"/compute/v1/projects/{project}/global/networks/{network['name']}/getEffectiveFirewalls")
    assert [(entry["shortName"], entry["type"]) for entry in effective[1]["firewallPolicys"]] == [("base", "HIERARCHY")]
    replacing = f"{policy}/addAssociation?replaceExistingAssociation=true"
    assert admin("POST", replacing, {"name": "again", "attachmentTarget": folder})[0] == 200
    assert "associations" not in admin("GET", below)[1] or admin("GET", below)[1]["associations"] == []


def test_a_policy_that_is_followed_cannot_be_deleted(admin: Caller, policy: str) -> None:
    admin("POST", f"{policy}/addAssociation", {"name": "all", "attachmentTarget": ORGANIZATION})
    status, answer = admin("DELETE", policy)
    assert (status, answer["error"]["errors"][0]["reason"]) == (400, "resourceInUseByAnotherResource")
    assert admin("GET", f"{policy}/getAssociation?name=all")[1]["attachmentTarget"] == ORGANIZATION
    assert admin("POST", f"{policy}/removeAssociation?name=all")[0] == 200
    assert admin("DELETE", policy)[0] == 200
    assert admin("GET", policy)[0] == 404


def test_who_may_do_what_is_decided_by_the_node_that_holds_the_policy(
    admin: Caller, as_member: Callable[[str], Caller], policy: str, folder: str
) -> None:
    jo = as_member("user:jo@example.com")
    role = {"bindings": [{"role": "roles/compute.orgFirewallPolicyAdmin", "members": ["user:jo@example.com"]}]}
    admin("POST", f"/cloudresourcemanager/v3/{folder}:setIamPolicy", {"policy": role})
    assert jo("GET", policy)[0] == 403
    made = jo("POST", f"{ROOT}?parentId={folder}", {"shortName": "own"})
    own = f"{ROOT}/{made[1]['targetLink'].rpartition('/')[2]}"
    assert jo("GET", own)[0] == 200
    status, answer = jo("POST", f"{own}/addAssociation", {"name": "x", "attachmentTarget": folder})
    assert status == 403
    assert answer["error"]["details"][0]["metadata"]["permission"] == "compute.organizations.setFirewallPolicy"
    assert admin("POST", f"{own}/move?parentId={ORGANIZATION}")[0] == 200
    assert jo("GET", own)[0] == 403
