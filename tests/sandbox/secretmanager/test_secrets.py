from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.cloud import Cloud
from tests.sandbox.conftest import Caller

ROOT = "/secretmanager/v1/projects/test-project"
SECRET = f"{ROOT}/secrets/token"
AUTOMATIC: dict[str, Any] = {"replication": {"automatic": {}}}


@pytest.fixture
def secret(admin: Caller, enable: Callable[..., None]) -> str:
    enable("secretmanager", "cloudkms")
    assert admin("POST", f"{ROOT}/secrets?secretId=token", AUTOMATIC)[0] == 200
    return SECRET


def add(admin: Caller, data: str, secret: str = SECRET) -> tuple[int, Any]:
    payload = {"data": base64.b64encode(data.encode()).decode()}
    return admin("POST", f"{secret}:addVersion", {"payload": payload})


def test_names_are_answered_with_the_projects_number(admin: Caller, cloud: Cloud, secret: str) -> None:
    number = cloud.hierarchy.project_number("test-project")
    shown = admin("GET", secret)[1]
    assert shown["name"] == f"projects/{number}/secrets/token"
    assert admin("GET", f"/secretmanager/v1/{shown['name']}")[1] == shown
    assert add(admin, "x")[1]["name"] == f"projects/{number}/secrets/token/versions/1"
    status, body = admin("GET", f"{secret}-absent")
    message = f"Secret [projects/{number}/secrets/token-absent] not found."
    assert (status, body["error"]["message"]) == (404, message)


def test_the_latest_version_is_accessed_by_alias(admin: Caller, secret: str) -> None:
    add(admin, "old")
    add(admin, "new")
    status, answer = admin("GET", f"{secret}/versions/latest:access")
    assert (status, base64.b64decode(answer["payload"]["data"])) == (200, b"new")
    assert answer["name"].endswith("/versions/2")
    admin("PATCH", f"{secret}?updateMask=versionAliases", {"versionAliases": {"stable": "1"}})
    stable = admin("GET", f"{secret}/versions/stable:access")[1]
    assert base64.b64decode(stable["payload"]["data"]) == b"old"
    listed = admin("GET", f"{secret}/versions")[1]
    assert [v["name"].rpartition("/")[2] for v in listed["versions"]] == ["2", "1"]
    assert listed["totalSize"] == 2


def test_a_disabled_and_a_destroyed_version_say_so(admin: Caller, cloud: Cloud, secret: str) -> None:
    add(admin, "x")
    assert admin("POST", f"{secret}/versions/1:disable", {})[1]["state"] == "DISABLED"
    status, body = admin("GET", f"{secret}/versions/1:access")
    assert (status, "is in DISABLED state" in body["error"]["message"]) == (400, True)
    assert admin("POST", f"{secret}/versions/1:enable", {})[1]["state"] == "ENABLED"
    gone = admin("POST", f"{secret}/versions/1:destroy", {})[1]
    assert (gone["state"], "destroyTime" in gone) == ("DESTROYED", True)
    assert admin("POST", f"{secret}/versions/1:enable", {})[0] == 400
    stored = cloud.store.get("secretmanager.versions", "projects/test-project/secrets/token/versions/1")
    assert "_data" not in (stored or {})


def test_destruction_can_be_delayed(admin: Caller, cloud: Cloud, secret: str) -> None:
    admin("PATCH", f"{secret}?updateMask=versionDestroyTtl", {"versionDestroyTtl": "86400s"})
    add(admin, "x")
    scheduled = admin("POST", f"{secret}/versions/1:destroy", {})[1]
    assert (scheduled["state"], "scheduledDestroyTime" in scheduled) == ("DISABLED", True)
    cloud.clock.advance(86401)
    assert admin("GET", f"{secret}/versions/1")[1]["state"] == "DESTROYED"


def test_a_secret_expires(admin: Caller, cloud: Cloud, secret: str) -> None:
    assert admin("POST", f"{ROOT}/secrets?secretId=brief", {**AUTOMATIC, "ttl": "60s"})[1]["expireTime"]
    cloud.clock.advance(61)
    assert admin("GET", f"{ROOT}/secrets/brief")[0] == 404
    assert admin("GET", secret)[0] == 200


def test_reading_needs_the_accessors_role(admin: Caller, secret: str, as_member: Callable[[str], Caller]) -> None:
    add(admin, "x")
    reader = as_member("user:jo@example.com")
    status, body = reader("GET", f"{secret}/versions/1:access")
    assert (status, body["error"]["details"][0]["metadata"]["permission"]) == (403, "secretmanager.versions.access")
    binding = {"role": "roles/secretmanager.secretAccessor", "members": ["user:jo@example.com"]}
    assert admin("POST", f"{secret}:setIamPolicy", {"policy": {"bindings": [binding]}})[0] == 200
    assert reader("GET", f"{secret}/versions/1:access")[0] == 200
    assert reader("GET", secret)[0] == 403


def test_a_customers_key_must_be_granted_and_enabled(admin: Caller, cloud: Cloud, secret: str) -> None:
    assert secret
    ring = "projects/test-project/locations/global/keyRings/ring"
    admin("POST", "/cloudkms/v1/projects/test-project/locations/global/keyRings?keyRingId=ring")
    key = admin("POST", f"/cloudkms/v1/{ring}/cryptoKeys?cryptoKeyId=k", {"purpose": "ENCRYPT_DECRYPT"})[1]["name"]
    body = {"replication": {"automatic": {"customerManagedEncryption": {"kmsKeyName": key}}}}
    assert admin("POST", f"{ROOT}/secrets?secretId=sealed", body)[0] == 200
    status, answer = add(admin, "x", f"{ROOT}/secrets/sealed")
    assert (status, "cloudkms.cryptoKeyVersions.useToEncrypt" in answer["error"]["message"]) == (403, True)
    agent = f"service-{cloud.hierarchy.project_number('test-project')}@gcp-sa-secretmanager.iam.gserviceaccount.com"
    identity = "/serviceusage/v1beta1/projects/test-project/services/secretmanager.googleapis.com"
    assert admin("POST", f"{identity}:generateServiceIdentity", {})[0] == 200
    binding = {"role": "roles/cloudkms.cryptoKeyEncrypterDecrypter", "members": [f"serviceAccount:{agent}"]}
    assert admin("POST", f"/cloudkms/v1/{key}:setIamPolicy", {"policy": {"bindings": [binding]}})[0] == 200
    status, made = add(admin, "x", f"{ROOT}/secrets/sealed")
    used = made["replicationStatus"]["automatic"]["customerManagedEncryption"]["kmsKeyVersionName"]
    assert (status, used) == (200, f"{key}/cryptoKeyVersions/1")
    admin("PATCH", f"/cloudkms/v1/{key}/cryptoKeyVersions/1?updateMask=state", {"state": "DISABLED"})
    assert admin("GET", f"{ROOT}/secrets/sealed/versions/1:access")[0] == 400


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("secrets?secretId=a.b", AUTOMATIC, "does not match the expected format"),
        ("secrets?secretId=none", {}, "The replication field must be set"),
        ("secrets/token:addVersion", {"payload": {"data": ""}}, "1 to 65536 bytes"),
        ("secrets/token:addVersion", {"payload": {"data": "eA==", "dataCrc32c": "1"}}, "checksum"),
    ],
)
def test_bad_requests_are_refused(admin: Caller, secret: str, path: str, body: dict[str, Any], message: str) -> None:
    assert secret
    status, answer = admin("POST", f"{ROOT}/{path}", body)
    assert (status, message in answer["error"]["message"]) == (400, True)


def test_a_stale_etag_is_refused(admin: Caller, secret: str) -> None:
    etag = admin("GET", secret)[1]["etag"]
    assert admin("PATCH", f"{secret}?updateMask=labels", {"labels": {"a": "1"}, "etag": etag})[0] == 200
    assert admin("PATCH", f"{secret}?updateMask=labels", {"labels": {"a": "2"}, "etag": etag})[0] == 409
