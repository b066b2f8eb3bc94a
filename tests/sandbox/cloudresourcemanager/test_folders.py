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
