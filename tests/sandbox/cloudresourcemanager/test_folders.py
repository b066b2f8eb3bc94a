"""Folders go, and come back while their name is free."""

from __future__ import annotations

from tests.sandbox.conftest import ORGANIZATION, Caller

FOLDERS = "/cloudresourcemanager/v3/folders"


def make(admin: Caller, name: str) -> str:
    status, operation = admin("POST", FOLDERS, {"displayName": name, "parent": ORGANIZATION})
    assert status == 200
    return str(admin("GET", f"/cloudresourcemanager/v3/{operation['name']}")[1]["response"]["name"])


def test_a_deleted_folder_is_taken_back(admin: Caller) -> None:
    folder = f"/cloudresourcemanager/v3/{make(admin, 'campaigns')}"
    assert admin("POST", f"{folder}:undelete", {})[0] == 400
    assert admin("DELETE", folder)[0] == 200
    assert admin("GET", folder)[1]["state"] == "DELETE_REQUESTED"
    status, operation = admin("POST", f"{folder}:undelete", {})
    assert (status, operation["response"]["state"]) == (200, "ACTIVE")
    assert admin("GET", folder)[1]["state"] == "ACTIVE"


def test_a_folder_whose_name_was_taken_meanwhile_stays_deleted(admin: Caller) -> None:
    folder = f"/cloudresourcemanager/v3/{make(admin, 'campaigns')}"
    assert admin("DELETE", folder)[0] == 200
    make(admin, "campaigns")
    status, refused = admin("POST", f"{folder}:undelete", {})
    assert (status, "unique" in refused["error"]["message"]) == (400, True)


def test_gcloud_s_version_shows_folders_its_own_way(admin: Caller) -> None:
    root, parent = "/cloudresourcemanager/v2/folders", {"parent": "organizations/123456789012"}
    operation = admin("POST", root, {"displayName": "Brands"}, params=parent)[1]
    made = operation["response"]
    assert made.pop("@type") == "type.googleapis.com/google.cloud.resourcemanager.v2.Folder"
    assert set(made) == {"name", "parent", "displayName", "lifecycleState", "createTime"}
    assert (made["parent"], made["lifecycleState"]) == ("organizations/123456789012", "ACTIVE")
    url = f"/cloudresourcemanager/v2/{made['name']}"
    assert admin("GET", url) == (200, made)
    assert admin("GET", root, params=parent)[1] == {"folders": [made]}
    found = admin("POST", f"{root}:search", {"query": "lifecycleState=ACTIVE AND displayName=Brands"})[1]
    assert found == {"folders": [made]}
    assert admin("GET", f"/cloudresourcemanager/v3/{made['name']}")[1]["state"] == "ACTIVE"
    assert admin("DELETE", url)[1] == {**made, "lifecycleState": "DELETE_REQUESTED"}
    assert admin("GET", root, params=parent)[1] == {}
    assert len(admin("GET", root, params={**parent, "showDeleted": "true"})[1]["folders"]) == 1
    assert admin("POST", f"{url}:undelete", {})[1] == made
