"""The whole way with the real engine, the real provider and the real function. The tests run in the order below."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .deployment import TEAM, Deployment

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]

#: What exists before anybody deploys, or stays as a record.
GOOGLES_OWN = {
    "cloudbilling.billingAccounts",
    "cloudidentity.groups",
    "cloudidentity.memberships",
    "cloudresourcemanager.organizations",
    "cloudresourcemanager.projectNumbers",
    "iam.deletedServiceAccounts",
    "iam.policies",
    "iam.serviceAgents",
    "operations.slots",
    "run.images",
    "sandbox.denials",
    "sandbox.keys",
    "storage.clock",
    "storage.sessions",
}

PROMPT = "A ripe plantain on a marble table, product shot"


def policy(deployment: Deployment, path: str) -> dict[str, Any]:
    found: dict[str, Any] = deployment.call("POST", f"{path}:getIamPolicy", {}).json()
    return found


def without_role(found: dict[str, Any], role: str) -> dict[str, Any]:
    kept = [binding for binding in found["bindings"] if binding["role"] != role]
    assert len(kept) == len(found["bindings"]) - 1
    return {**found, "bindings": kept}


def model_path(deployment: Deployment) -> str:
    project = deployment.campaign()["projectId"]
    model = "publishers/google/models/gemini-3-pro-image"
    return f"aiplatform/v1/projects/{project}/locations/global/{model}:generateContent"


def test_the_second_preview_is_empty(deployment: Deployment) -> None:
    deployment.stack.preview(expect_no_changes=True)


def test_a_refresh_finds_no_change(deployment: Deployment) -> None:
    deployment.stack.refresh(expect_no_changes=True)


def test_nothing_that_was_asked_for_is_missing_in_the_sandbox(deployment: Deployment) -> None:
    report = deployment.sandbox.get("status")
    assert (report["notEmulated"], report["refusedHosts"], report["defects"]) == ({}, {}, 0)


def test_an_image_is_generated_stored_and_fetched_by_its_signed_url(deployment: Deployment) -> None:
    [made] = deployment.generate(PROMPT, "--aspect-ratio", "16:9", "--image-size", "2K", "--seed", "7")
    [image] = made["images"]
    assert (image["width"], image["height"], image["mimeType"]) == (2752, 1536, "image/png")
    assert image["uri"].startswith(f"gs://{deployment.campaign()['bucket']}/")
    assert made["cost"]["amount"]
    assert made["cached"] is False
    assert made["model"] == "gemini-3-pro-image"
    [path] = made["files"]
    content = (deployment.project / path).read_bytes()
    assert len(content) == image["bytes"]


def test_the_same_request_is_answered_from_the_bucket(deployment: Deployment) -> None:
    calls = "aiplatform.projects.locations.publishers.models.generateContent"
    before = deployment.sandbox.get("status")["methods"][calls]
    [made] = deployment.generate(PROMPT, "--aspect-ratio", "16:9", "--image-size", "2K", "--seed", "7")
    assert made["cached"] is True
    assert deployment.sandbox.get("status")["methods"][calls] == before


def test_the_stored_object_is_encrypted_with_the_campaigns_key(deployment: Deployment) -> None:
    bucket = deployment.campaign()["bucket"]
    listed = deployment.call("GET", f"storage/v1/b/{bucket}/o").json()["items"]
    assert listed
    project = deployment.campaign()["projectId"]
    assert all(item["kmsKeyName"].startswith(f"projects/{project}/locations/") for item in listed)


def test_a_prompt_that_the_model_refuses_is_a_safety_refusal(deployment: Deployment) -> None:
    network = deployment.campaign()["network"]
    done = deployment.plantain("generate", "--prompt", "a nude portrait", "--json", network=network)
    [refused] = json.loads(done.stdout)
    assert refused["error"]["kind"] == "safety"
    assert done.returncode == 6
    assert "Traceback" not in done.stderr


def test_without_the_user_role_generation_is_denied_in_googles_words(deployment: Deployment) -> None:
    campaign = deployment.campaign()
    path = f"cloudresourcemanager/v1/projects/{campaign['projectId']}"
    granted = policy(deployment, path)
    taken = without_role(granted, "roles/aiplatform.user")
    assert deployment.call("POST", f"{path}:setIamPolicy", {"policy": taken}).is_success
    try:
        [refused] = deployment.generate("A plantain without permission")
    finally:
        restored = {key: value for key, value in granted.items() if key != "etag"}
        assert deployment.call("POST", f"{path}:setIamPolicy", {"policy": restored}).is_success
    error = refused["error"]
    assert (error["code"], error["kind"]) == (403, "auth")
    assert "roles/aiplatform.user" in error["hint"]
    assert "aiplatform.endpoints.predict" in error["message"]


def test_a_caller_outside_the_perimeter_is_denied_although_its_roles_suffice(deployment: Deployment) -> None:
    campaign = deployment.campaign()
    member = "user:outsider@example.com"
    path = f"cloudresourcemanager/v1/projects/{campaign['projectId']}"
    granted = policy(deployment, path)
    added = [*granted["bindings"], {"role": "roles/owner", "members": [member]}]
    assert deployment.call("POST", f"{path}:setIamPolicy", {"policy": {**granted, "bindings": added}}).is_success
    token = deployment.sandbox.post("tokens", {"member": member})["token"]
    body = {"contents": [{"role": "user", "parts": [{"text": "A plantain"}]}]}
    try:
        reply = deployment.call("POST", model_path(deployment), body, token=token)
    finally:
        restored = {key: value for key, value in granted.items() if key != "etag"}
        assert deployment.call("POST", f"{path}:setIamPolicy", {"policy": restored}).is_success
    error = reply.json()["error"]
    assert (error["code"], error["status"]) == (403, "PERMISSION_DENIED")
    identifier = error["message"].rpartition(" ")[2]
    assert error["details"][0]["violations"] == [{"type": "VPC_SERVICE_CONTROLS", "description": identifier}]
    text = f'protoPayload.metadata.vpcServiceControlsUniqueId="{identifier}"'
    query = {"resourceNames": [f"projects/{campaign['projectId']}"], "filter": text}
    [entry] = deployment.call("POST", "logging/v2/entries:list", query).json()["entries"]
    assert entry["protoPayload"]["authenticationInfo"]["principalEmail"] == "outsider@example.com"


def test_the_function_cannot_be_called_from_outside_its_network(deployment: Deployment) -> None:
    done = deployment.plantain("generate", "--prompt", PROMPT)
    assert done.returncode == 6
    assert "ingress is internal" in done.stderr
    assert "Traceback" not in done.stderr


def test_who_is_not_in_the_team_may_not_invoke(deployment: Deployment) -> None:
    deployment.sandbox.post("groups", {"group": TEAM, "members": []})
    try:
        [refused] = deployment.generate(PROMPT)
    finally:
        deployment.admit_artist()
    assert (refused["error"]["code"], refused["error"]["reason"]) == (401, "INVOKER") or refused["error"]["code"] == 403


def test_a_disabled_key_stops_the_data_path(deployment: Deployment) -> None:
    bucket = deployment.call("GET", f"storage/v1/b/{deployment.campaign()['bucket']}").json()
    key = bucket["encryption"]["defaultKmsKeyName"]
    version = deployment.call("GET", f"cloudkms/v1/{key}").json()["primary"]["name"]
    state = f"cloudkms/v1/{version}?updateMask=state"
    assert deployment.call("PATCH", state, {"state": "DISABLED"}).is_success
    try:
        [refused] = deployment.generate("A plantain behind a locked door")
    finally:
        assert deployment.call("PATCH", state, {"state": "ENABLED"}).is_success
    assert refused["error"]["code"] >= 400
    assert "key" in (refused["error"]["message"] + refused["error"]["hint"]).lower()


def test_one_changed_setting_updates_what_depends_on_it_and_no_more(deployment: Deployment) -> None:
    deployment.edit_campaign("maxInstances: 10", "maxInstances: 12")
    plan = deployment.stack.preview()
    assert "Function" in plan
    assert "replace" not in plan.lower().replace("replaced", "")
    deployment.stack.up()
    deployment.stack.preview(expect_no_changes=True)
    campaign = deployment.campaign()
    region, name = campaign["functionUri"], campaign["functionName"]
    assert region
    reply = deployment.call("GET", f"cloudfunctions/v2/{name}").json()
    assert reply["serviceConfig"]["maxInstanceCount"] == 12


def test_destroy_leaves_only_what_google_itself_keeps(deployment: Deployment) -> None:
    project = deployment.campaign()["projectId"]
    deployment.stack.destroy()
    assert not deployment.stack.export()["deployment"].get("resources")
    state = deployment.call("GET", f"cloudresourcemanager/v1/projects/{project}").json()["lifecycleState"]
    assert state == "DELETE_REQUESTED"
    assert deployment.sandbox.get("status")["instances"] == []
    names = deployment.sandbox.get("resources")
    outside = {
        kind: [name for name in found if project not in name]
        for kind, found in names.items()
        if kind not in GOOGLES_OWN and not kind.endswith(".operations")
    }
    assert {kind: found for kind, found in outside.items() if found} == {}


def test_a_destroyed_campaign_can_be_deployed_again(deployment: Deployment) -> None:
    deployment.stack.up()
    [made] = deployment.generate(PROMPT)
    assert made["cached"] is False
