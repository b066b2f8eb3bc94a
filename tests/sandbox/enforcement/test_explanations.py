from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from sandbox.cloud import Cloud
from tests.sandbox.conftest import ORGANIZATION, Caller

JO = "user:jo@example.com"
PROJECT = "/cloudresourcemanager/v1/projects/test-project"


def last(client: TestClient) -> dict[str, Any]:
    found = client.get("/_sandbox/denials?count=1").json()
    return dict(found[0])


def grant(admin: Caller, role: str, member: str = JO, **more: Any) -> None:
    policy = admin("POST", f"{PROJECT}:getIamPolicy", {"options": {"requestedPolicyVersion": 3}})[1]
    policy["bindings"].append({"role": role, "members": [member], **more})
    assert admin("POST", f"{PROJECT}:setIamPolicy", {"policy": {**policy, "version": 3}})[0] == 200


@pytest.mark.usefixtures("project")
def test_a_missing_grant_is_explained_with_the_command_that_gives_it(
    admin: Caller, client: TestClient, as_member: Callable[[str], Caller]
) -> None:
    grant(admin, "roles/pubsub.publisher")
    assert as_member(JO)("GET", PROJECT)[0] == 403
    found = last(client)
    assert (found["refusedBy"], found["status"], found["caller"]) == ("permission", 403, JO)
    assert found["because"][1] == f"Roles that {JO} holds there: roles/pubsub.publisher."
    command = found["cure"][0]
    assert command.startswith(f"gcloud projects add-iam-policy-binding test-project --member={JO} --role=roles/")
    role = re.findall(r"--role=(\S+)", command)[0]
    grant(admin, role)
    assert as_member(JO)("GET", PROJECT)[0] == 200


@pytest.mark.usefixtures("project")
def test_the_request_log_names_the_refusal(client: TestClient, as_member: Callable[[str], Caller]) -> None:
    as_member(JO)("GET", PROJECT)
    entry = client.get("/_sandbox/requests?count=1").json()[0]
    assert client.get(f"/_sandbox/denials/{entry['denial']}").json()["method"] == entry["method"]


@pytest.mark.usefixtures("project")
def test_a_condition_that_does_not_hold_is_named(
    admin: Caller, client: TestClient, as_member: Callable[[str], Caller]
) -> None:
    grant(
        admin,
        "roles/browser",
        condition={"title": "past", "expression": "request.time < timestamp('2020-01-01T00:00:00Z')"},
    )
    assert as_member(JO)("GET", PROJECT)[0] == 403
    assert "but its condition does not hold: request.time <" in last(client)["because"][1]


@pytest.mark.usefixtures("project")
def test_a_deny_rule_is_named_with_its_place_and_words(admin: Caller, client: TestClient) -> None:
    point = quote(quote(f"cloudresourcemanager.googleapis.com/{ORGANIZATION}", safe=""), safe="")
    rule = {
        "description": "hands off",
        "denyRule": {
            "deniedPrincipals": ["principalSet://goog/public:all"],
            "deniedPermissions": ["cloudresourcemanager.googleapis.com/projects.get"],
        },
    }
    assert admin("POST", f"/iam/v2/policies/{point}/denypolicies?policyId=stop", {"rules": [rule]})[0] == 200
    assert admin("GET", PROJECT)[0] == 403
    found = last(client)
    assert found["refusedBy"] == "deny policy"
    assert "Rule 0 of" in found["because"][0]
    assert "hands off" in found["because"][0]


@pytest.mark.usefixtures("project")
def test_an_api_that_is_off_is_explained(admin: Caller, client: TestClient) -> None:
    assert admin("GET", "/cloudkms/v1/projects/test-project/locations/us-west1/keyRings")[0] == 403
    found = last(client)
    assert found["refusedBy"] == "api"
    assert found["cure"] == ["gcloud services enable cloudkms.googleapis.com --project=test-project"]


def test_a_missing_credential_is_explained(client: TestClient) -> None:
    assert client.get(PROJECT).status_code == 401
    assert last(client)["refusedBy"] == "identity"


@pytest.fixture
def perimeter(admin: Caller, project: str) -> str:
    number = admin("GET", f"/cloudresourcemanager/v1/projects/{project}")[1]["projectNumber"]
    body = {"parent": ORGANIZATION, "title": "default"}
    policy = admin("POST", "/accesscontextmanager/v1/accessPolicies", body)[1]["response"]["name"]
    config = {"resources": [f"projects/{number}"], "restrictedServices": ["storage.googleapis.com"]}
    perimeter = {"name": f"{policy}/servicePerimeters/images", "title": "images", "status": config}
    assert admin("POST", f"/accesscontextmanager/v1/{policy}/servicePerimeters", perimeter)[0] == 200
    return f"{policy}/servicePerimeters/images"


def test_a_perimeter_s_refusal_is_found_by_its_unique_identifier_and_its_rule_mends_it(
    admin: Caller, client: TestClient, perimeter: str, project: str
) -> None:
    status, body = admin("GET", f"/storage/v1/b?project={project}")
    assert status == 403
    identifier = body["error"]["message"].rpartition(": ")[2]
    found = client.get(f"/_sandbox/denials/{identifier}").json()
    assert found["refusedBy"] == "perimeter"
    assert found["because"][0].startswith("NO_MATCHING_ACCESS_LEVEL: the internet address 203.0.113.1 is outside")
    assert "--set-ingress-policies=FILE" in found["cure"][0]
    current = admin("GET", f"/accesscontextmanager/v1/{perimeter}")[1]
    status_config = {**current["status"], "ingressPolicies": [found["rule"]]}
    path = f"/accesscontextmanager/v1/{perimeter}?updateMask=status"
    assert admin("PATCH", path, {"status": status_config})[0] == 200
    assert admin("GET", f"/storage/v1/b?project={project}")[0] == 200


def test_a_dry_run_refusal_is_kept_though_the_request_went_on(
    admin: Caller, client: TestClient, perimeter: str, project: str
) -> None:
    current = admin("GET", f"/accesscontextmanager/v1/{perimeter}")[1]
    body = {"status": {}, "spec": current["status"], "useExplicitDryRunSpec": True}
    path = f"/accesscontextmanager/v1/{perimeter}?updateMask=status,spec,useExplicitDryRunSpec"
    assert admin("PATCH", path, body)[0] == 200
    assert admin("GET", f"/storage/v1/b?project={project}")[0] == 200
    found = last(client)
    assert (found["refusedBy"], found["status"]) == ("perimeter", 200)
    assert "dry run" in found["because"][0]


def test_an_organisation_policy_is_named_with_the_place_where_it_is_set(
    admin: Caller, client: TestClient, project: str
) -> None:
    name = f"{ORGANIZATION}/policies/iam.disableServiceAccountCreation"
    body = {"name": name, "spec": {"rules": [{"enforce": True}]}}
    assert admin("POST", f"/orgpolicy/v2/{ORGANIZATION}/policies", body)[0] == 200
    admin("POST", f"/serviceusage/v1/projects/{project}/services/iam.googleapis.com:enable")
    assert admin("POST", f"/iam/v1/projects/{project}/serviceAccounts", {"accountId": "deployer"})[0] == 400
    found = last(client)
    assert found["refusedBy"] == "organization policy"
    assert found["because"][1] == f'It is set on {ORGANIZATION}: [{{"enforce": true}}]'


def test_a_refused_change_has_an_audit_entry_by_which_it_is_found(
    cloud: Cloud, client: TestClient, as_member: Callable[[str], Caller], project: str
) -> None:
    assert as_member(JO)("DELETE", f"/cloudresourcemanager/v1/projects/{project}")[0] == 403
    (entry,) = [e for e in cloud.store.documents("logging.entries") if e["severity"] == "ERROR"]
    payload = entry["protoPayload"]
    assert payload["status"]["code"] == 7
    assert payload["authorizationInfo"] == [
        {"resource": f"projects/{project}", "permission": "resourcemanager.projects.delete", "granted": False}
    ]
    found = client.get(f"/_sandbox/denials/{entry['insertId']}").json()
    assert found["method"] == "cloudresourcemanager.projects.delete"


def test_a_service_with_words_of_its_own_is_explained_like_the_others(
    admin: Caller, client: TestClient, as_member: Callable[[str], Caller], project: str
) -> None:
    body = {"name": "pictures-of-plantains", "location": "us-west1"}
    assert admin("POST", f"/storage/v1/b?project={project}", body)[0] == 200
    status, answer = as_member(JO)("GET", "/storage/v1/b/pictures-of-plantains/o")
    assert status == 403
    assert "details" not in answer["error"]
    found = last(client)
    assert found["refusedBy"] == "permission"
    bucket = "gs://pictures-of-plantains"
    command = f"gcloud storage buckets add-iam-policy-binding {bucket} --member={JO} --role=roles/storage."
    assert found["cure"][0].startswith(command)


def test_an_unknown_refusal_is_404(client: TestClient) -> None:
    reply = client.get("/_sandbox/denials/d7")
    assert reply.status_code == 404
    assert "GET /_sandbox/denials" in reply.json()["error"]["message"]
