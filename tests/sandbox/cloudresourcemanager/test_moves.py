"""A project gets another parent, by whom both sides admit."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.sandbox.cloudresourcemanager.test_folders import make
from tests.sandbox.conftest import ORGANIZATION, Caller

ROOT = "/cloudresourcemanager/v3"


def test_a_moved_project_inherits_from_its_new_parent(admin: Caller, project: str) -> None:
    folder = make(admin, "campaigns")
    status, operation = admin("POST", f"{ROOT}/projects/{project}:move", {"destinationParent": folder})
    assert (status, operation["done"]) == (200, True)
    assert operation["metadata"]["@type"].endswith(".MoveProjectMetadata")
    assert admin("GET", f"{ROOT}/projects/{project}")[1]["parent"] == folder
    names = [one["resourceId"]["type"] for one in ancestors(admin, project)]
    assert names == ["project", "folder", "organization"]


def ancestors(admin: Caller, project: str) -> list[dict[str, dict[str, str]]]:
    return list(admin("POST", f"/cloudresourcemanager/v1/projects/{project}:getAncestry", {})[1]["ancestor"])


@pytest.mark.parametrize("destination", ["", "folders/1", "projects/test-project", ORGANIZATION])
def test_a_project_moves_to_another_folder_or_organisation_only(admin: Caller, project: str, destination: str) -> None:
    status, refused = admin("POST", f"{ROOT}/projects/{project}:move", {"destinationParent": destination})
    assert (status, refused["error"]["status"]) == (400, "INVALID_ARGUMENT")


def test_who_owns_the_project_alone_may_not_move_it(
    admin: Caller, project: str, as_member: Callable[[str], Caller]
) -> None:
    folder = make(admin, "campaigns")
    binding = {"role": "roles/owner", "members": ["user:jo@example.com"]}
    body = {"policy": {"bindings": [binding]}}
    assert admin("POST", f"{ROOT}/projects/{project}:setIamPolicy", body)[0] == 200
    jo = as_member("user:jo@example.com")
    status, refused = jo("POST", f"{ROOT}/projects/{project}:move", {"destinationParent": folder})
    assert (status, refused["error"]["status"]) == (403, "PERMISSION_DENIED")
