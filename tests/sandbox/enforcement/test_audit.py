from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.cloud import Cloud
from tests.sandbox.conftest import ORGANIZATION, Caller

RINGS = "/cloudkms/v1/projects/test-project/locations/us-west1/keyRings"


@pytest.fixture
def accesses(cloud: Cloud) -> Callable[[], list[str]]:
    """Methods of the data access entries."""

    def found() -> list[str]:
        return [
            entry["protoPayload"]["methodName"].rpartition(".")[2]
            for entry in cloud.store.documents("logging.entries")
            if entry["logName"].endswith("%2Fdata_access")
        ]

    return found


def audit(admin: Caller, resource: str, service: str, *kinds: str, **more: Any) -> None:
    version = "v3" if resource.startswith("organizations") else "v1"
    path = f"/cloudresourcemanager/{version}/{resource}"
    policy = admin("POST", f"{path}:getIamPolicy", {})[1]
    config = {"service": service, "auditLogConfigs": [{"logType": kind, **more} for kind in kinds]}
    body = {"policy": {**policy, "auditConfigs": [config]}, "updateMask": "bindings,etag,auditConfigs"}
    assert admin("POST", f"{path}:setIamPolicy", body)[0] == 200


@pytest.fixture(autouse=True)
def key(admin: Caller, project: str, enable: Callable[..., None]) -> None:
    enable("cloudkms")
    assert admin("POST", f"{RINGS}?keyRingId=ring", {})[0] == 200
    assert admin("POST", f"{RINGS}/ring/cryptoKeys?cryptoKeyId=key", {"purpose": "ENCRYPT_DECRYPT"})[0] == 200
    assert project


def use(admin: Caller) -> None:
    assert admin("GET", f"{RINGS}/ring")[0] == 200
    assert admin("POST", f"{RINGS}/ring/cryptoKeys/key:encrypt", {"plaintext": "YQ=="})[0] == 200


def test_no_access_is_logged_unless_it_is_asked_for(admin: Caller, accesses: Callable[[], list[str]]) -> None:
    use(admin)
    assert accesses() == []


@pytest.mark.parametrize(
    ("service", "kinds", "logged"),
    [
        ("cloudkms.googleapis.com", ("DATA_READ",), ["encrypt"]),
        ("cloudkms.googleapis.com", ("ADMIN_READ",), ["get"]),
        ("cloudkms.googleapis.com", ("DATA_WRITE",), []),
        ("storage.googleapis.com", ("DATA_READ", "ADMIN_READ"), []),
    ],
)
def test_what_is_asked_for_is_logged(
    admin: Caller, accesses: Callable[[], list[str]], service: str, kinds: tuple[str, ...], logged: list[str]
) -> None:
    audit(admin, "projects/test-project", service, *kinds)
    use(admin)
    assert accesses() == logged


def test_the_organisation_asks_for_all_below_it(admin: Caller, accesses: Callable[[], list[str]]) -> None:
    audit(admin, ORGANIZATION, "allServices", "DATA_READ")
    use(admin)
    assert accesses() == ["encrypt"]


def test_an_exempted_member_is_not_logged(admin: Caller, accesses: Callable[[], list[str]]) -> None:
    exempted = ["user:user@example.com"]
    audit(admin, "projects/test-project", "allServices", "DATA_READ", exemptedMembers=exempted)
    use(admin)
    assert accesses() == []
