from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.services.cloudasset.queries import compile_query
from tests.sandbox.conftest import ORGANIZATION, Caller


@pytest.fixture
def bucket(admin: Caller, project: str, enable: Callable[..., None]) -> str:
    enable("cloudkms")
    ring = f"/cloudkms/v1/projects/{project}/locations/us-west1/keyRings"
    assert admin("POST", f"{ring}?keyRingId=ring", {})[0] == 200
    assert admin("POST", f"{ring}/ring/cryptoKeys?cryptoKeyId=key", {"purpose": "ENCRYPT_DECRYPT"})[0] == 200
    status, agent = admin("GET", f"/storage/v1/projects/{project}/serviceAccount")
    assert status == 200
    binding = {
        "role": "roles/cloudkms.cryptoKeyEncrypterDecrypter",
        "members": [f"serviceAccount:{agent['email_address']}"],
    }
    assert admin("POST", f"{ring}/ring/cryptoKeys/key:setIamPolicy", {"policy": {"bindings": [binding]}})[0] == 200
    body = {
        "name": "pictures-of-plantains",
        "location": "us-west1",
        "labels": {"campaign": "spring"},
        "encryption": {"defaultKmsKeyName": f"projects/{project}/locations/us-west1/keyRings/ring/cryptoKeys/key"},
    }
    assert admin("POST", f"/storage/v1/b?project={project}", body)[0] == 200
    return "pictures-of-plantains"


def search(admin: Caller, scope: str, **query: Any) -> list[dict[str, Any]]:
    status, answer = admin("GET", f"/cloudasset/v1/{scope}:searchAllResources", params=query)
    assert status == 200, answer
    return list(answer.get("results", []))


def test_a_bucket_is_found_with_its_project_labels_place_and_key(admin: Caller, bucket: str, project: str) -> None:
    (found,) = search(admin, ORGANIZATION, assetTypes="storage.googleapis.com/Bucket")
    assert found["name"] == f"//storage.googleapis.com/{bucket}"
    assert found["labels"] == {"campaign": "spring"}
    assert found["location"] == "us-west1"
    assert found["kmsKeys"] == [f"projects/{project}/locations/us-west1/keyRings/ring/cryptoKeys/key"]
    assert found["project"].startswith("projects/")
    assert found["parentAssetType"] == "cloudresourcemanager.googleapis.com/Project"


def test_the_full_resource_comes_on_demand(admin: Caller, bucket: str) -> None:
    (found,) = search(admin, ORGANIZATION, assetTypes="storage.googleapis.com/Bucket", readMask="*")
    assert found["versionedResources"][0]["resource"]["name"] == bucket


@pytest.mark.usefixtures("bucket")
def test_a_project_is_its_own_scope_and_another_project_holds_nothing_of_it(admin: Caller) -> None:
    body = {"projectId": "other-project", "parent": {"type": "organization", "id": "123456789012"}}
    assert admin("POST", "/cloudresourcemanager/v1/projects", body)[0] == 200
    assert search(admin, "projects/test-project", assetTypes="storage.googleapis.com/Bucket")
    assert not search(admin, "projects/other-project", assetTypes="storage.googleapis.com/Bucket")


@pytest.mark.usefixtures("bucket")
def test_pages_hold_each_asset_once(admin: Caller) -> None:
    whole = [asset["name"] for asset in search(admin, ORGANIZATION)]
    first = admin("GET", f"/cloudasset/v1/{ORGANIZATION}:searchAllResources", params={"pageSize": 7})[1]
    names, token = [asset["name"] for asset in first["results"]], first["nextPageToken"]
    while token:
        answer = admin(
            "GET", f"/cloudasset/v1/{ORGANIZATION}:searchAllResources", params={"pageSize": 7, "pageToken": token}
        )[1]
        names += [asset["name"] for asset in answer["results"]]
        token = answer.get("nextPageToken")
    assert names == whole
    assert len(set(names)) == len(names)


@pytest.mark.usefixtures("bucket")
def test_policies_are_found_by_member_role_and_permission(admin: Caller) -> None:
    def policies(query: str) -> list[str]:
        status, answer = admin("GET", f"/cloudasset/v1/{ORGANIZATION}:searchAllIamPolicies", params={"query": query})
        assert status == 200
        return [item["resource"] for item in answer.get("results", [])]

    key = "//cloudkms.googleapis.com/projects/test-project/locations/us-west1/keyRings/ring/cryptoKeys/key"
    assert key in policies("policy:roles/cloudkms.cryptoKeyEncrypterDecrypter")
    assert key in policies('policy.role.permissions:"cloudkms.cryptoKeyVersions.useToEncrypt"')
    assert policies("policy:user@example.com")
    assert not policies("policy:nobody@example.com")


def test_the_list_has_each_kind_of_content(admin: Caller, bucket: str) -> None:
    def assets(**query: Any) -> list[dict[str, Any]]:
        status, answer = admin("GET", f"/cloudasset/v1/{ORGANIZATION}/assets", params={"pageSize": 1000, **query})
        assert status == 200
        return list(answer["assets"])

    (resource,) = assets(contentType="RESOURCE", assetTypes="storage.googleapis.com/Bucket")
    assert resource["resource"]["data"]["name"] == bucket
    assert resource["ancestors"][-1] == ORGANIZATION
    (granted,) = assets(contentType="IAM_POLICY", assetTypes="cloudkms.googleapis.com/CryptoKey")
    assert granted["iamPolicy"]["bindings"]


def test_an_export_writes_one_line_for_each_asset(admin: Caller, bucket: str) -> None:
    def export(**destination: str) -> tuple[int, Any]:
        body = {"contentType": "RESOURCE", "outputConfig": {"gcsDestination": destination}}
        return admin("POST", f"/cloudasset/v1/{ORGANIZATION}:exportAssets", body)

    status, operation = export(uri=f"gs://{bucket}/inventory.json")
    assert (status, operation["done"]) == (200, True)
    assert admin("GET", f"/cloudasset/v1/{operation['name']}")[1]["response"] == operation["response"]
    reply = admin.client.get(
        f"/storage/v1/b/{bucket}/o/inventory.json?alt=media", headers={"Authorization": "Bearer sandbox"}
    )
    assets = [json.loads(line) for line in reply.text.splitlines()]
    assert f"//storage.googleapis.com/{bucket}" in {asset["name"] for asset in assets}
    split = export(uriPrefix=f"gs://{bucket}/parts")[1]["response"]["outputResult"]["gcsResult"]["uris"]
    assert f"gs://{bucket}/parts/storage.googleapis.com/Bucket/0" in split
    assert export()[0] == 400
    assert export(uri="s3://x/y")[0] == 400


def test_an_export_needs_the_right_to_write(admin: Caller, as_member: Callable[[str], Caller], bucket: str) -> None:
    path = f"/cloudresourcemanager/v3/{ORGANIZATION}"
    policy = admin("POST", f"{path}:getIamPolicy", {})[1]
    policy["bindings"].append({"role": "roles/cloudasset.viewer", "members": ["user:jo@example.com"]})
    assert admin("POST", f"{path}:setIamPolicy", {"policy": policy})[0] == 200
    body = {"outputConfig": {"gcsDestination": {"uri": f"gs://{bucket}/inventory.json"}}}
    status, answer = as_member("user:jo@example.com")("POST", f"/cloudasset/v1/{ORGANIZATION}:exportAssets", body)
    assert status == 403
    assert "storage.objects.create" in answer["error"]["message"]


def test_an_unknown_asset_type_is_refused(admin: Caller) -> None:
    status, body = admin(
        "GET", f"/cloudasset/v1/{ORGANIZATION}:searchAllResources", params={"assetTypes": "storage.googleapis.com/Tub"}
    )
    assert (status, body["error"]["message"]) == (400, "Invalid asset type: storage.googleapis.com/Tub.")


def test_a_search_needs_a_permission(as_member: Callable[[str], Caller]) -> None:
    status, body = as_member("user:jo@example.com")("GET", f"/cloudasset/v1/{ORGANIZATION}:searchAllResources")
    assert status == 403
    assert body["error"]["details"][0]["metadata"]["permission"] == "cloudasset.assets.searchAllResources"


ITEM = {
    "name": "//storage.googleapis.com/my-bucket",
    "labels": {"env": "prod"},
    "location": "us-west1",
    "state": "ACTIVE",
}


@pytest.mark.parametrize(
    ("query", "hit"),
    [
        ("name:bucket", True),
        ("name:buck", False),
        ("name:buck*", True),
        ("labels.env=prod", True),
        ("labels.env:(dev OR prod)", True),
        ("location=us-west1 AND NOT state:ACTIVE", False),
        ("location:europe OR state=active", True),
        ("(location:europe OR state=active) labels:env", True),
        ("prod", True),
        ('"west1"', True),
        ("", True),
    ],
)
def test_queries_follow_the_documented_syntax(query: str, hit: bool) -> None:
    assert compile_query(query)(ITEM) is hit
