"""Who has which access to what, and what is in the way of a move."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.cloudresourcemanager.test_folders import make
from tests.sandbox.conftest import ORGANIZATION, Caller

JO = "user:jo@example.com"
BUCKET = "//storage.googleapis.com/jo-images"


@pytest.fixture(autouse=True)
def granted(admin: Caller, project: str, enable: Callable[..., None]) -> None:
    enable("cloudasset")
    assert admin("POST", f"/storage/v1/b?project={project}", {"name": "jo-images"})[0] == 200
    binding = {"role": "roles/storage.objectViewer", "members": [JO]}
    assert admin("PUT", "/storage/v1/b/jo-images/iam", {"bindings": [binding]})[0] == 200
    path = f"/cloudresourcemanager/v3/projects/{project}"
    bindings = [{"role": "roles/browser", "members": ["user:al@example.com", JO]}]
    assert admin("POST", f"{path}:setIamPolicy", {"policy": {"bindings": bindings}})[0] == 200


def analyze(admin: Caller, scope: str, **query: Any) -> tuple[int, Any]:
    names = {"identity": "identitySelector.identity", "resource": "resourceSelector.fullResourceName"}
    names |= {"roles": "accessSelector.roles", "permissions": "accessSelector.permissions"}
    names |= {"expand": "options.expandRoles"}
    params = {f"analysisQuery.{names[key]}": value for key, value in query.items()}
    return admin("GET", f"/cloudasset/v1/{scope}:analyzeIamPolicy", params=params)


def results(admin: Caller, scope: str, **query: Any) -> list[tuple[str, str]]:
    status, found = analyze(admin, scope, **query)
    assert status == 200, found
    assert found["fullyExplored"] is True
    listed = found["mainAnalysis"].get("analysisResults", [])
    return [(one["attachedResourceFullName"].split("/")[-1][:9], one["iamBinding"]["role"]) for one in listed]


def test_an_identity_s_grants_are_found_wherever_they_are_attached(admin: Caller) -> None:
    found = {role for _, role in results(admin, ORGANIZATION, identity=JO)}
    assert found == {"roles/browser", "roles/storage.objectViewer"}
    assert results(admin, ORGANIZATION, identity="user:nobody@example.com") == []


def test_who_may_read_a_bucket_s_objects_is_answered_with_what_gives_it(admin: Caller) -> None:
    asked = {"resource": BUCKET, "identity": JO}
    assert results(admin, ORGANIZATION, **asked, permissions="storage.objects.get") == [
        ("jo-images", "roles/storage.objectViewer")
    ]
    assert results(admin, ORGANIZATION, **asked, permissions="storage.objects.delete") == []
    both = {role for _, role in results(admin, ORGANIZATION, **asked)}
    assert both == {"roles/browser", "roles/storage.objectViewer"}, "what is granted on the project governs the bucket"


def test_the_answer_names_identities_and_accesses(admin: Caller, project: str) -> None:
    found = analyze(admin, f"projects/{project}", roles="roles/browser")[1]["mainAnalysis"]["analysisResults"]
    assert [one["identityList"]["identities"] for one in found] == [[{"name": "user:al@example.com"}, {"name": JO}]]
    assert [one["accessControlLists"][0]["accesses"] for one in found] == [[{"role": "roles/browser"}]]
    [expanded] = analyze(admin, ORGANIZATION, identity="user:al@example.com", expand="true")[1]["mainAnalysis"][
        "analysisResults"
    ]
    assert {"permission": "resourcemanager.projects.get"} in expanded["accessControlLists"][0]["accesses"]


@pytest.mark.parametrize(
    ("query", "says"),
    [({}, "At least one of"), ({"resource": "//storage.googleapis.com/other"}, "is not found in scope")],
)
def test_a_question_about_nothing_is_refused(admin: Caller, query: dict[str, str], says: str) -> None:
    status, refused = analyze(admin, ORGANIZATION, **query)
    assert (status, says in refused["error"]["message"]) == (400, True), refused


def test_a_move_is_analysed_before_it_is_made(admin: Caller, project: str, as_member: Callable[[str], Caller]) -> None:
    folder = make(admin, "campaigns")
    path = f"/cloudasset/v1/projects/{project}:analyzeMove?destinationParent={folder}"
    [free] = admin("GET", path)[1]["moveAnalysis"]
    assert free["analysis"] == {"warnings": [{"detail": f"Policies of {folder} will apply."}]}
    assert admin("GET", f"{path}&view=BASIC")[1]["moveAnalysis"][0]["analysis"] == {}
    binding = {"role": "roles/owner", "members": [JO]}
    body = {"policy": {"bindings": [binding]}}
    assert admin("POST", f"/cloudresourcemanager/v3/projects/{project}:setIamPolicy", body)[0] == 200
    status, found = as_member(JO)("GET", path)
    assert status == 200, found
    blocked = [one["detail"] for one in found["moveAnalysis"][0]["analysis"]["blockers"]]
    assert blocked == [
        f"jo@example.com is missing resourcemanager.projects.move on {one}." for one in (ORGANIZATION, folder)
    ]
    assert admin("GET", path.replace(folder, "folders/1"))[0] == 400
