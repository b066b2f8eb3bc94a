from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.sandbox.conftest import Caller

from .conftest import BUCKET, Storage

OBJECTS = f"/storage/v1/b/{BUCKET}/o"
DENIED = (
    "Permission denied on Cloud KMS key. Please ensure that your Cloud Storage service account has been authorized to "
    "use this key."
)


def set_default(admin: Caller, key: str) -> tuple[int, Any]:
    return admin("PATCH", f"/storage/v1/b/{BUCKET}", {"encryption": {"defaultKmsKeyName": key}})


def switch(admin: Caller, key: str, state: str) -> None:
    path = f"/cloudkms/v1/{key}/cryptoKeyVersions/1?updateMask=state"
    assert admin("PATCH", path, {"state": state})[0] == 200


@pytest.mark.usefixtures("storage")
def test_a_default_key_needs_the_storage_agents_grant(admin: Caller, key: str) -> None:
    status, body = set_default(admin, key)
    assert (status, body["error"]["message"]) == (403, DENIED)
    fresh = {"name": "encrypted-bucket", "location": "us-central1", "encryption": {"defaultKmsKeyName": key}}
    assert admin("POST", "/storage/v1/b?project=test-project", fresh)[0] == 403
    assert admin("GET", "/storage/v1/b/encrypted-bucket")[0] == 404


def test_new_objects_name_the_version_of_the_default_key(admin: Caller, granted_key: str, storage: Storage) -> None:
    assert set_default(admin, granted_key)[0] == 200
    assert storage.put("e", b"x")[1]["kmsKeyName"] == f"{granted_key}/cryptoKeyVersions/1"
    admin("POST", f"/cloudkms/v1/{granted_key}/cryptoKeyVersions", {})
    admin("POST", f"/cloudkms/v1/{granted_key}:updatePrimaryVersion", {"cryptoKeyVersionId": "2"})
    assert storage.put("f", b"x")[1]["kmsKeyName"] == f"{granted_key}/cryptoKeyVersions/2"
    assert storage.content("e") == (200, b"x")


def test_a_key_can_be_named_for_one_object(granted_key: str, storage: Storage) -> None:
    assert storage.put("e", b"x", kmsKeyName=granted_key)[1]["kmsKeyName"].startswith(granted_key)


def test_a_disabled_version_stops_reading_and_writing_but_not_metadata(
    admin: Caller, granted_key: str, storage: Storage
) -> None:
    set_default(admin, granted_key)
    storage.put("e", b"x")
    switch(admin, granted_key, "DISABLED")
    status, raw = storage.content("e")
    assert (status, b"current state is: DISABLED" in raw) == (400, True)
    assert storage.put("f", b"x")[0] == 400
    shown = admin("GET", f"{OBJECTS}/e")[1]
    assert ("md5Hash" in shown, "crc32c" in shown, shown["size"]) == (False, False, "1")
    switch(admin, granted_key, "ENABLED")
    assert storage.content("e") == (200, b"x")
    assert "md5Hash" in admin("GET", f"{OBJECTS}/e")[1]


def test_a_withdrawn_grant_stops_reading(admin: Caller, granted_key: str, storage: Storage) -> None:
    set_default(admin, granted_key)
    storage.put("e", b"x")
    assert admin("POST", f"/cloudkms/v1/{granted_key}:setIamPolicy", {"policy": {"bindings": []}})[0] == 200
    status, raw = storage.content("e")
    assert (status, DENIED.encode() in raw) == (403, True)


@pytest.mark.usefixtures("storage")
def test_a_key_elsewhere_or_nowhere_is_refused(admin: Caller, granted_key: str) -> None:
    elsewhere = granted_key.replace("us-central1", "europe-west1")
    assert "must match the bucket's location" in set_default(admin, elsewhere)[1]["error"]["message"]
    absent = f"{granted_key}-absent"
    assert set_default(admin, absent)[1]["error"]["message"] == f"Cloud KMS key not found: {absent}."
    assert set_default(admin, "no-key")[1]["error"]["message"] == "Malformed Cloud KMS crypto key: no-key"


@pytest.mark.usefixtures("storage")
def test_a_resumable_upload_checks_the_key_before_the_bytes_are_sent(admin: Caller, key: str) -> None:
    reply = admin.client.post(
        f"/upload{OBJECTS}?uploadType=resumable&name=r&kmsKeyName={key}", headers={"Authorization": "Bearer sandbox"}
    )
    assert (reply.status_code, reply.json()["error"]["message"]) == (403, DENIED)


def test_objects_use_the_new_version_after_a_rotation(admin: Caller, granted_key: str, storage: Storage) -> None:
    set_default(admin, granted_key)
    due = {"rotationPeriod": "86400s", "nextRotationTime": in_days(admin, 1)}
    path = f"/cloudkms/v1/{granted_key}?updateMask=rotationPeriod,nextRotationTime"
    assert admin("PATCH", path, due)[0] == 200
    assert storage.put("before", b"x")[1]["kmsKeyName"].endswith("/1")
    admin("POST", "/_sandbox/clock", {"seconds": 86401})
    assert storage.put("after", b"x")[1]["kmsKeyName"].endswith("/2")
    assert storage.content("before") == (200, b"x")


def in_days(admin: Caller, days: int) -> str:
    now = datetime.fromisoformat(admin("POST", "/_sandbox/clock", {"seconds": 0})[1]["now"])
    return (now + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
