from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.conftest import Caller

Document = dict[str, Any]
BODY: Document = {"name": "release", "filename": "cloudbuild.yaml", "github": {"owner": "o", "name": "n"}}


@pytest.fixture
def root(project: str, enable: Callable[..., None]) -> str:
    enable("cloudbuild")
    return f"/cloudbuild/v1/projects/{project}"


def test_a_trigger_is_known_by_its_id_and_its_name_in_both_notations(admin: Caller, root: str, project: str) -> None:
    made = admin("POST", f"{root}/triggers", BODY)[1]
    assert (made["name"], made["createTime"][:3]) == ("release", "202")
    assert made["resourceName"] == f"projects/{project}/locations/global/triggers/{made['id']}"
    for place in (f"{root}/triggers", f"{root}/locations/global/triggers"):
        assert admin("GET", f"{place}/release") == (200, made)
        assert admin("GET", f"{place}/{made['id']}") == (200, made)
        assert admin("GET", place)[1] == {"triggers": [made]}
    assert admin("GET", f"{root}/locations/-/triggers")[1] == {"triggers": [made]}
    assert admin("GET", f"{root}/locations/europe-west1/triggers")[1] == {}


def test_a_change_with_a_mask_keeps_the_rest_and_one_without_replaces_it(admin: Caller, root: str) -> None:
    made = admin("POST", f"{root}/locations/europe-west1/triggers", {**BODY, "description": "a", "tags": ["t"]})[1]
    url = f"{root}/locations/europe-west1/triggers/{made['id']}"
    masked = admin("PATCH", url, {"description": "b"}, params={"updateMask": "description"})[1]
    assert masked == {**made, "description": "b"}
    replaced = admin("PATCH", url, {"filename": "other.yaml", "name": "renamed"})[1]
    kept = {key: made[key] for key in ("id", "resourceName", "createTime")}
    assert replaced == {**kept, "filename": "other.yaml", "name": "renamed"}
    assert admin("DELETE", url) == (200, {})
    status, refusal = admin("GET", url)
    assert (status, refusal["error"]["message"]) == (404, "Requested entity was not found.")


def test_what_cannot_be_a_trigger_is_refused(admin: Caller, root: str) -> None:
    url = f"{root}/triggers"
    assert admin("POST", url, BODY)[0] == 200
    assert [admin("POST", url, {"filename": "x.yaml"})[1]["name"] for _ in range(2)] == ["trigger", "trigger-1"]
    status, refusal = admin("POST", url, BODY)
    assert (status, refusal["error"]["status"]) == (409, "ALREADY_EXISTS")
    status, refusal = admin("POST", url, {"name": "-bad", "filename": "x.yaml"})
    assert (status, "invalid trigger name" in refusal["error"]["message"]) == (400, True)
    status, refusal = admin("POST", url, {"name": "two", "filename": "x.yaml", "autodetect": True})
    assert (status, "exactly one of" in refusal["error"]["message"]) == (400, True)
    assert admin("POST", f"{url}/release:run", {})[0] == 501
