"""Resource Manager's v1 methods for organisation policies: the same policies as v2 keeps."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import ORGANIZATION, Caller

KEYS = "constraints/iam.disableServiceAccountKeyCreation"
USAGE = "constraints/gcp.restrictServiceUsage"


def v1(admin: Caller, resource: str, method: str, **body: Any) -> tuple[int, Any]:
    return admin("POST", f"/cloudresourcemanager/v1/{resource}:{method}", body)


def test_a_boolean_policy_is_set_read_by_v2_and_enforced(admin: Caller, project: str) -> None:
    name = f"projects/{project}"
    status, made = v1(admin, name, "setOrgPolicy", policy={"constraint": KEYS, "booleanPolicy": {"enforced": True}})
    assert (status, made["constraint"], made["booleanPolicy"]) == (200, KEYS, {"enforced": True})
    found = admin("GET", f"/orgpolicy/v2/{name}/policies/{KEYS.rpartition('/')[2]}")[1]
    assert found["spec"]["rules"] == [{"enforce": True}]
    assert v1(admin, name, "getOrgPolicy", constraint=KEYS)[1]["booleanPolicy"] == {"enforced": True}
    assert [one["constraint"] for one in v1(admin, name, "listOrgPolicies")[1]["policies"]] == [KEYS]


def test_what_the_organisation_sets_holds_below_it_until_it_is_cleared(admin: Caller, project: str) -> None:
    name = f"projects/{project}"
    listed = {"allowedValues": ["storage.googleapis.com"]}
    assert v1(admin, ORGANIZATION, "setOrgPolicy", policy={"constraint": USAGE, "listPolicy": listed})[0] == 200
    assert v1(admin, name, "getEffectiveOrgPolicy", constraint=USAGE)[1]["listPolicy"] == listed
    assert v1(admin, name, "getOrgPolicy", constraint=USAGE)[1].keys() == {"constraint", "version", "etag"}
    assert v1(admin, ORGANIZATION, "clearOrgPolicy", constraint=USAGE) == (200, {})
    assert v1(admin, name, "getEffectiveOrgPolicy", constraint=USAGE)[1]["listPolicy"] == {"allValues": "ALLOW"}


@pytest.mark.parametrize(
    "said",
    [
        {"listPolicy": {"allValues": "DENY"}},
        {"listPolicy": {"deniedValues": ["compute.googleapis.com"], "inheritFromParent": True}},
        {"restoreDefault": {}},
    ],
)
def test_what_was_said_is_read_back(admin: Caller, project: str, said: dict[str, Any]) -> None:
    assert v1(admin, f"projects/{project}", "setOrgPolicy", policy={"constraint": USAGE, **said})[0] == 200
    found = v1(admin, f"projects/{project}", "getOrgPolicy", constraint=USAGE)[1]
    assert {key: found[key] for key in said} == said


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ({"constraint": "gcp.restrictServiceUsage", "restoreDefault": {}}, "Invalid constraint"),
        ({"constraint": USAGE}, "exactly one of"),
        ({"constraint": USAGE, "booleanPolicy": {"enforced": True}}, "is a list constraint"),
        ({"constraint": USAGE, "listPolicy": {"allValues": "DENY", "allowedValues": ["x"]}}, "excludes"),
    ],
)
def test_what_makes_no_sense_is_refused(admin: Caller, project: str, policy: dict[str, Any], says: str) -> None:
    status, refused = v1(admin, f"projects/{project}", "setOrgPolicy", policy=policy)
    assert (status, says in refused["error"]["message"]) == (400, True), refused


def test_a_policy_that_changed_since_it_was_read_is_not_overwritten(admin: Caller, project: str) -> None:
    name = f"projects/{project}"
    first = v1(admin, name, "setOrgPolicy", policy={"constraint": KEYS, "booleanPolicy": {"enforced": True}})[1]
    assert v1(admin, name, "setOrgPolicy", policy={**first, "booleanPolicy": {}})[0] == 200
    status, refused = v1(admin, name, "setOrgPolicy", policy=first)
    assert (status, refused["error"]["status"]) == (409, "ABORTED")


def test_the_constraints_say_of_which_kind_they_are(admin: Caller, project: str) -> None:
    found = v1(admin, f"projects/{project}", "listAvailableOrgPolicyConstraints")[1]["constraints"]
    kinds = {one["name"]: "listConstraint" in one for one in found}
    assert (kinds[USAGE], kinds[KEYS]) == (True, False)
