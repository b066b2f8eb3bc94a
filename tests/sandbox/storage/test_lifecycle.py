from __future__ import annotations

from typing import Any

import pytest

from sandbox.cloud import Cloud
from tests.sandbox.conftest import Caller

from .conftest import BUCKET, Storage

OBJECTS = f"/storage/v1/b/{BUCKET}/o"
DAY = 86400


def rules(admin: Caller, *given: dict[str, Any], **fields: Any) -> None:
    body = {"lifecycle": {"rule": list(given)}, "softDeletePolicy": {"retentionDurationSeconds": "0"}, **fields}
    assert admin("PATCH", f"/storage/v1/b/{BUCKET}", body)[0] == 200


def pass_days(admin: Caller, days: float) -> None:
    assert admin("POST", "/_sandbox/clock", {"seconds": days * DAY})[0] == 200


def names(admin: Caller, query: str = "") -> list[str]:
    return [o["name"] for o in admin("GET", f"{OBJECTS}{query}")[1].get("items", [])]


def test_old_objects_below_a_prefix_are_deleted(admin: Caller, storage: Storage) -> None:
    delete = {"action": {"type": "Delete"}, "condition": {"age": 30, "matchesPrefix": ["drafts/"]}}
    rules(admin, delete)
    for name in ("drafts/1", "final/1"):
        storage.put(name, b"x")
    pass_days(admin, 29)
    assert names(admin) == ["drafts/1", "final/1"]
    pass_days(admin, 2)
    assert names(admin) == ["final/1"]


def test_objects_move_to_colder_classes_only(admin: Caller, storage: Storage) -> None:
    cold = {"action": {"type": "SetStorageClass", "storageClass": "COLDLINE"}, "condition": {"age": 10}}
    near = {"action": {"type": "SetStorageClass", "storageClass": "NEARLINE"}, "condition": {"age": 5}}
    rules(admin, near, cold)
    storage.put("x", b"x")
    pass_days(admin, 6)
    assert admin("GET", f"{OBJECTS}/x")[1]["storageClass"] == "NEARLINE"
    pass_days(admin, 5)
    assert admin("GET", f"{OBJECTS}/x")[1]["storageClass"] == "COLDLINE"


def test_noncurrent_versions_are_thinned_out(admin: Caller, storage: Storage) -> None:
    thin = {"action": {"type": "Delete"}, "condition": {"numNewerVersions": 2, "isLive": False}}
    rules(admin, thin, versioning={"enabled": True})
    for _ in range(5):
        storage.put("v", b"x")
    pass_days(admin, 1)
    assert len(names(admin, "?versions=true")) == 2


def test_a_live_object_becomes_noncurrent_before_it_goes(admin: Caller, storage: Storage) -> None:
    live = {"action": {"type": "Delete"}, "condition": {"age": 1, "isLive": True}}
    gone = {"action": {"type": "Delete"}, "condition": {"daysSinceNoncurrentTime": 2}}
    rules(admin, live, gone, versioning={"enabled": True})
    storage.put("v", b"x")
    pass_days(admin, 1.5)
    assert (names(admin), names(admin, "?versions=true")) == ([], ["v"])
    pass_days(admin, 2)
    assert names(admin, "?versions=true") == []


def test_held_objects_stay(admin: Caller, storage: Storage) -> None:
    rules(admin, {"action": {"type": "Delete"}, "condition": {"age": 1}})
    storage.put("h", b"x")
    admin("PATCH", f"{OBJECTS}/h", {"eventBasedHold": True})
    pass_days(admin, 3)
    assert names(admin) == ["h"]


def test_soft_deleted_objects_are_forgotten_after_their_time(admin: Caller, storage: Storage) -> None:
    storage.put("s", b"x")
    admin("DELETE", f"{OBJECTS}/s")
    assert names(admin, "?softDeleted=true") == ["s"]
    pass_days(admin, 8)
    assert names(admin, "?softDeleted=true") == []


@pytest.mark.usefixtures("storage")
def test_an_upload_session_ends_after_a_week(admin: Caller, cloud: Cloud) -> None:
    reply = admin.client.post(
        f"/upload{OBJECTS}?uploadType=resumable&name=r", headers={"Authorization": "Bearer sandbox"}
    )
    url = reply.headers["location"]
    admin.client.put(url, content=b"x" * 262144, headers={"Content-Range": "bytes 0-262143/*"})
    pass_days(admin, 8)
    assert admin.client.put(url, content=b"x").status_code == 404
    assert not list((cloud.settings.data / "uploads").iterdir())


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"action": {"type": "Burn"}, "condition": {"age": 1}}, "no valid action: 'Burn'"),
        ({"action": {"type": "Delete"}, "condition": {}}, "at least one condition"),
        ({"action": {"type": "Delete"}, "condition": {"colour": 1}}, "unknown condition: colour"),
        ({"action": {"type": "SetStorageClass"}, "condition": {"age": 1}}, "must name one"),
    ],
)
@pytest.mark.usefixtures("storage")
def test_impossible_rules_are_refused(admin: Caller, rule: dict[str, Any], message: str) -> None:
    status, body = admin("PATCH", f"/storage/v1/b/{BUCKET}", {"lifecycle": {"rule": [rule]}})
    assert (status, message in body["error"]["message"]) == (400, True)
