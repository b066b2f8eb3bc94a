"""A sandbox in process: the real application and services, without sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from sandbox.app import create_app
from sandbox.call import Principal
from sandbox.cloud import Cloud
from sandbox.runtime.certificates import Authority
from sandbox.runtime.gateway import Gateway
from sandbox.runtime.instances import Instances
from sandbox.services.catalog import SERVICES
from sandbox.services.registry import Services
from sandbox.settings import Settings
from tests.sandbox.outbound import Watch

ORGANIZATION = "organizations/123456789012"

#: One for the whole run: what watches the interpreter can be switched off and never taken away.
WATCH = Watch()


def build_cloud(folder: Path, *, strict: bool = False) -> Cloud:
    """A sandbox on a folder; its gateway has no open socket."""
    cloud = Cloud(Settings(port=0, data=folder, strict=strict), Services(SERVICES))
    cloud.gateway = Gateway(Authority(folder / "authority"), 0)
    cloud.instances = Instances(cloud)
    return cloud


@pytest.fixture(autouse=True)
def nothing_leaves_the_machine() -> Iterator[None]:
    """No test here lets the sandbox, or a client of it, turn to another machine."""
    with WATCH.on():
        yield


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    built = build_cloud(tmp_path)
    yield built
    built.close()


@dataclass
class Caller:
    """Calls the sandbox as somebody; returns status and JSON."""

    client: TestClient
    token: str

    def __call__(self, verb: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        reply = self.client.request(verb, path, json=body, headers=headers, **options)
        return reply.status_code, reply.json() if reply.content else None


@pytest.fixture
def client(cloud: Cloud) -> TestClient:
    return TestClient(create_app(cloud), base_url="http://127.0.0.1")


@pytest.fixture
def admin(client: TestClient) -> Caller:
    """The organisation's administrator."""
    return Caller(client, "sandbox")


@pytest.fixture
def as_member(cloud: Cloud, client: TestClient) -> Callable[[str], Caller]:
    """Calls in the name of any principal."""
    return lambda member: Caller(client, cloud.tokens.access_token(Principal(member), 3600))


@pytest.fixture
def project(admin: Caller) -> str:
    """The id of a new project with billing."""
    body = {"projectId": "test-project", "name": "test", "parent": {"type": "organization", "id": "123456789012"}}
    assert admin("POST", "/cloudresourcemanager/v1/projects", body)[0] == 200
    billing = {"billingAccountName": "billingAccounts/010101-010101-010101"}
    assert admin("PUT", "/cloudbilling/v1/projects/test-project/billingInfo", billing)[0] == 200
    return "test-project"


@pytest.fixture
def enable(admin: Caller, project: str) -> Callable[..., None]:
    """Enables APIs of the project by their short names."""

    def switch_on(*names: str) -> None:
        for name in names:
            path = f"/serviceusage/v1/projects/{project}/services/{name}.googleapis.com:enable"
            assert admin("POST", path)[0] == 200

    return switch_on
