"""Queries over projects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.errors import InvalidArgument
from sandbox.services.cloudresourcemanager.queries import admits
from tests.sandbox.conftest import Caller

PROJECT: dict[str, Any] = {
    "projectId": "spring-images",
    "displayName": "How to paint",
    "parent": "folders/123",
    "state": "ACTIVE",
    "labels": {"team": "images"},
}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", True),
        ("name:how*", True),
        ("name:paint", False),
        ("id:spring-images AND state:active", True),
        ("projectId=spring-images lifecycleState=DELETE_REQUESTED", False),
        ("parent:folders/123", True),
        ("parent.type:folder parent.id:123", True),
        ("parent.id:124", False),
        ("labels.team:*", True),
        ("labels.owner:*", False),
        ('labels:"images"', True),
    ],
)
def test_a_query_admits_what_meets_all_its_terms(query: str, expected: bool) -> None:
    assert admits(query, PROJECT) is expected


@pytest.mark.parametrize("query", ["colour:red", "spring images"])
def test_what_is_no_term_is_refused(query: str) -> None:
    with pytest.raises(InvalidArgument, match="Invalid query"):
        admits(query, PROJECT)


def test_both_versions_take_queries(admin: Caller, project: str) -> None:
    found = admin("GET", f"/cloudresourcemanager/v3/projects:search?query=id:{project}")[1]["projects"]
    assert [item["projectId"] for item in found] == [project]
    assert admin("GET", "/cloudresourcemanager/v3/projects:search?query=id:none") == (200, {})
    assert admin("GET", "/cloudresourcemanager/v1/projects?filter=lifecycleState:ACTIVE%20name:none") == (200, {})


def test_a_role_id_has_no_hyphen(admin: Caller, project: str, enable: Callable[..., None]) -> None:
    enable("iam")
    role = {"roleId": "not-allowed", "role": {"title": "x", "includedPermissions": ["storage.objects.get"]}}
    status, answer = admin("POST", f"/iam/v1/projects/{project}/roles", role)
    assert (status, answer["error"]["status"]) == (400, "INVALID_ARGUMENT")
