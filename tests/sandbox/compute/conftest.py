from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.conftest import Caller

Make = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def compute(admin: Caller, project: str, enable: Callable[..., None]) -> None:
    """The API is enabled in the project, which has no default network."""
    enable("orgpolicy")
    name = f"projects/{project}/policies/compute.skipDefaultNetworkCreation"
    body = {"name": name, "spec": {"rules": [{"enforce": True}]}}
    assert admin("POST", f"/orgpolicy/v2/projects/{project}/policies", body)[0] == 200
    enable("compute")


@pytest.fixture
def url(project: str) -> str:
    """Where the project's resources lie."""
    return f"/compute/v1/projects/{project}"


@pytest.fixture
def make(admin: Caller, url: str) -> Make:
    """Create something in a collection and read it back."""

    def create(collection: str, body: dict[str, Any]) -> dict[str, Any]:
        status, operation = admin("POST", f"{url}/{collection}", body)
        assert status == 200, operation
        assert operation["status"] == "DONE"
        status, found = admin("GET", f"{url}/{collection}/{body['name']}")
        assert status == 200, found
        return dict(found)

    return create


@pytest.fixture
def network(make: Make) -> dict[str, Any]:
    """A network in custom mode."""
    return make("global/networks", {"name": "net", "autoCreateSubnetworks": False})


@pytest.fixture
def subnetwork(make: Make, network: dict[str, Any]) -> dict[str, Any]:
    """A subnetwork of it."""
    body = {"name": "sub", "network": network["selfLink"], "ipCidrRange": "10.1.0.0/24"}
    return make("regions/europe-west4/subnetworks", body)
