from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from sandbox.app import create_app
from sandbox.cloud import Cloud
from sandbox.settings import Settings
from tests.sandbox.conftest import ORGANIZATION, Caller, build_cloud


@pytest.fixture
def small(tmp_path: Path) -> Iterator[TestClient]:
    """A sandbox that takes 2 KB at once."""
    cloud: Cloud = build_cloud(tmp_path)
    cloud.settings = Settings(**{**cloud.settings.model_dump(), "largest_body": 2048})
    yield TestClient(create_app(cloud), base_url="http://127.0.0.1")
    cloud.close()


def test_a_body_that_says_it_is_too_large_is_refused(small: TestClient) -> None:
    reply = small.post(
        "/cloudresourcemanager/v1/projects", content=b"x" * 4096, headers={"Authorization": "Bearer sandbox"}
    )
    assert reply.status_code == 413
    assert reply.json()["error"]["message"].startswith("The request's body is larger than 2048 bytes")


def test_a_body_that_does_not_say_its_size_is_refused_once_it_is_too_large(small: TestClient) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(8):
            yield b"x" * 1024

    reply = small.post(
        "/cloudresourcemanager/v1/projects", content=pieces(), headers={"Authorization": "Bearer sandbox"}
    )
    assert reply.status_code == 413


def test_a_rule_of_an_organisation_policy_may_depend_on_a_tag(
    admin: Caller, project: str, enable: Callable[..., None]
) -> None:
    enable("iam")
    key = admin("POST", "/cloudresourcemanager/v3/tagKeys", {"parent": ORGANIZATION, "shortName": "env"})
    body = {"parent": key[1]["response"]["name"], "shortName": "prod"}
    value = admin("POST", "/cloudresourcemanager/v3/tagValues", body)[1]["response"]["name"]
    condition = {"expression": "resource.matchTag('123456789012/env', 'prod')"}
    rules: list[dict[str, Any]] = [{"enforce": True, "condition": condition}, {"enforce": False}]
    name = f"{ORGANIZATION}/policies/iam.disableServiceAccountCreation"
    assert admin("POST", f"/orgpolicy/v2/{ORGANIZATION}/policies", {"name": name, "spec": {"rules": rules}})[0] == 200
    accounts = f"/iam/v1/projects/{project}/serviceAccounts"
    assert admin("POST", accounts, {"accountId": "before-tag"})[0] == 200
    number = admin("GET", f"/cloudresourcemanager/v1/projects/{project}")[1]["projectNumber"]
    binding = {"parent": f"//cloudresourcemanager.googleapis.com/projects/{number}", "tagValue": value}
    assert admin("POST", "/cloudresourcemanager/v3/tagBindings", binding)[0] == 200
    status, answer = admin("POST", accounts, {"accountId": "after-tag"})
    assert (status, answer["error"]["status"]) == (400, "FAILED_PRECONDITION")
