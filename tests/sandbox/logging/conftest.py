from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.conftest import Caller

Document = dict[str, Any]
KEY = "projects/test-project/locations/europe-west4/keyRings/ring/cryptoKeys/key"
AGENT = "roles/cloudkms.cryptoKeyEncrypterDecrypter"


@pytest.fixture
def url(enable: Callable[..., None], project: str) -> str:
    """Where the project's resources lie."""
    enable("logging")
    return f"/logging/v2/projects/{project}"


@pytest.fixture
def key(admin: Caller, enable: Callable[..., None], project: str) -> str:
    """A customer's key in the region of the buckets."""
    enable("cloudkms")
    parent = f"/cloudkms/v1/projects/{project}/locations/europe-west4/keyRings"
    assert admin("POST", parent, {}, params={"keyRingId": "ring"})[0] == 200
    body = {"purpose": "ENCRYPT_DECRYPT"}
    assert admin("POST", f"{parent}/ring/cryptoKeys", body, params={"cryptoKeyId": "key"})[0] == 200
    return KEY


@pytest.fixture
def write(admin: Caller, url: str, project: str) -> Callable[..., None]:
    """Write one entry to a log of the project."""
    assert url

    def entry(log: str = "app", **fields: Any) -> None:
        document = {"logName": f"projects/{project}/logs/{log}", "resource": {"type": "global"}, **fields}
        status, body = admin("POST", "/logging/v2/entries:write", {"entries": [document]})
        assert status == 200, body

    return entry


@pytest.fixture
def read(admin: Caller, project: str) -> Callable[..., list[Document]]:
    """Entries by filter, without audit entries unless the filter names them."""

    def entries(text: str = 'logName:"logs/app"', name: str = f"projects/{project}", **fields: Any) -> list[Document]:
        status, body = admin("POST", "/logging/v2/entries:list", {"resourceNames": [name], "filter": text, **fields})
        assert status == 200, body
        return list(body.get("entries", []))

    return entries


def grant(admin: Caller, key: str, member: str) -> None:
    """Let a service account use the key."""
    policy = {"policy": {"bindings": [{"role": AGENT, "members": [f"serviceAccount:{member}"]}]}}
    status, body = admin("POST", f"/cloudkms/v1/{key}:setIamPolicy", policy)
    assert status == 200, body
