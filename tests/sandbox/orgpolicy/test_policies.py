from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.conftest import ORGANIZATION, Caller

Document = dict[str, Any]
KEYS = "iam.disableServiceAccountKeyCreation"
USAGE = "gcp.restrictServiceUsage"


@pytest.fixture
def put(admin: Caller) -> Callable[..., tuple[int, Document]]:
    """Set a policy on a resource."""

    def policy(parent: str, constraint: str, **spec: Any) -> tuple[int, Document]:
        body = {"name": f"{parent}/policies/{constraint}", "spec": spec}
        return admin("POST", f"/orgpolicy/v2/{parent}/policies", body)

    return policy


Put = Callable[..., tuple[int, Document]]


def effective(admin: Caller, name: str) -> list[Document]:
    status, body = admin("GET", f"/orgpolicy/v2/{name}:getEffectivePolicy")
    assert status == 200, body
    return list(body["spec"]["rules"])


def test_a_policy_has_etags_and_times_for_each_spec(put: Put, project: str) -> None:
    status, made = put(f"projects/{project}", KEYS, rules=[{"enforce": False}])
    assert (status, made["name"]) == (200, f"projects/{project}/policies/{KEYS}")
    assert made["spec"]["rules"] == [{"enforce": False}]
    assert made["etag"]
    assert made["spec"]["etag"]
    assert made["spec"]["updateTime"]


def test_masks_may_start_with_policy_and_keep_the_other_spec(admin: Caller, put: Put, project: str) -> None:
    parent = f"projects/{project}"
    assert put(parent, KEYS, rules=[{"enforce": False}])[0] == 200
    path = f"/orgpolicy/v2/{parent}/policies/{KEYS}"
    dry = {"dryRunSpec": {"rules": [{"enforce": True}]}}
    changed = admin("PATCH", path, dry, params={"updateMask": "policy.dryRunSpec"})[1]
    assert changed["spec"]["rules"] == [{"enforce": False}]
    assert changed["dryRunSpec"]["rules"] == [{"enforce": True}]
    gone = admin("PATCH", path, dry, params={"updateMask": "policy.spec,policy.dryRunSpec"})[1]
    assert "spec" not in gone
    assert admin("DELETE", path) == (200, {})
    assert admin("GET", path)[1]["error"]["message"] == "Requested entity was not found."


def test_a_stale_etag_is_409(admin: Caller, put: Put, project: str) -> None:
    made = put(f"projects/{project}", KEYS, rules=[{"enforce": False}])[1]
    body = {"spec": {"rules": [{"enforce": True}]}, "etag": made["etag"]}
    assert admin("PATCH", f"/orgpolicy/v2/{made['name']}", body)[0] == 200
    status, answer = admin("PATCH", f"/orgpolicy/v2/{made['name']}", body)
    assert (status, answer["error"]["status"]) == (409, "ABORTED")


@pytest.mark.parametrize(
    ("constraint", "spec", "reason"),
    [
        (KEYS, {"rules": [{"allowAll": True}]}, "is a boolean constraint"),
        (USAGE, {"rules": [{"enforce": True}]}, "is a list constraint"),
        (KEYS, {"rules": [{"enforce": True, "denyAll": True}]}, "exactly one of"),
        (KEYS, {"reset": True, "rules": [{"enforce": True}]}, "reset excludes rules"),
        ("nonsense", {"rules": [{"enforce": True}]}, "Invalid policy name"),
    ],
)
def test_contradictory_policies_are_refused(
    put: Put, project: str, constraint: str, spec: Document, reason: str
) -> None:
    status, body = put(f"projects/{project}", constraint, **spec)
    assert (status, reason in body["error"]["message"]) == (400, True)


def test_a_custom_constraint_must_exist_before_its_policy(admin: Caller, put: Put) -> None:
    assert put(ORGANIZATION, "custom.x", rules=[{"enforce": True}])[0] == 404
    body = {
        "name": f"{ORGANIZATION}/customConstraints/custom.x",
        "resourceTypes": ["storage.googleapis.com/Bucket"],
        "methodTypes": ["CREATE"],
        "condition": "resource.name != ''",
        "actionType": "ALLOW",
    }
    path = f"/orgpolicy/v2/{ORGANIZATION}/customConstraints"
    assert admin("POST", path, {**body, "condition": ""})[0] == 400
    assert admin("POST", path, body)[0] == 200
    assert put(ORGANIZATION, "custom.x", rules=[{"enforce": True}])[0] == 200


def test_the_nearest_policy_decides_and_lists_may_inherit(admin: Caller, put: Put, project: str) -> None:
    parent, name = f"projects/{project}", f"projects/{project}/policies/{USAGE}"
    assert effective(admin, name) == [{"allowAll": True}]
    put(ORGANIZATION, USAGE, rules=[{"values": {"deniedValues": ["sqladmin.googleapis.com"]}}])
    assert effective(admin, name) == [{"values": {"deniedValues": ["sqladmin.googleapis.com"]}}]
    put(parent, USAGE, inheritFromParent=True, rules=[{"values": {"deniedValues": ["dns.googleapis.com"]}}])
    denied = ["dns.googleapis.com", "sqladmin.googleapis.com"]
    assert effective(admin, name) == [{"values": {"deniedValues": denied}}]
    admin("PATCH", f"/orgpolicy/v2/{name}", {"spec": {"reset": True}})
    assert effective(admin, name) == [{"allowAll": True}]


def test_keys_of_service_accounts_are_made_only_where_it_is_allowed(
    admin: Caller, put: Put, enable: Callable[..., None], project: str
) -> None:
    enable("iam")
    accounts = f"/iam/v1/projects/{project}/serviceAccounts"
    email = admin("POST", accounts, {"accountId": "worker"})[1]["email"]
    put(ORGANIZATION, KEYS, rules=[{"enforce": True}])
    status, body = admin("POST", f"{accounts}/{email}/keys", {})
    assert (status, body["error"]["status"]) == (400, "FAILED_PRECONDITION")
    assert body["error"]["details"][0]["violations"][0]["type"] == f"constraints/{KEYS}"
    put(f"projects/{project}", KEYS, rules=[{"enforce": False}])
    assert admin("POST", f"{accounts}/{email}/keys", {})[0] == 200


def test_a_service_that_is_not_allowed_is_403_although_enabled(
    admin: Caller, put: Put, enable: Callable[..., None], project: str
) -> None:
    enable("dns", "pubsub")
    put(f"projects/{project}", USAGE, rules=[{"values": {"allowedValues": ["is:pubsub.googleapis.com"]}}])
    status, body = admin("GET", f"/dns/v1/projects/{project}/managedZones")
    assert (status, body["error"]["status"]) == (403, "PERMISSION_DENIED")
    assert "constraints/gcp.restrictServiceUsage" in body["error"]["message"]
    assert "attempting to use service dns.googleapis.com" in body["error"]["message"]
    assert admin("GET", f"/pubsub/v1/projects/{project}/topics")[0] == 200


def test_googles_constraints_are_listed_with_their_kind(admin: Caller, project: str) -> None:
    found = admin("GET", f"/orgpolicy/v2/projects/{project}/constraints")[1]["constraints"]
    by_name = {entry["name"].rpartition("/")[2]: entry for entry in found}
    assert "booleanConstraint" in by_name[KEYS]
    assert "listConstraint" in by_name[USAGE]
    assert by_name[USAGE]["supportsDryRun"] is True
