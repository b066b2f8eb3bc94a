from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.cloud import Cloud
from tests.sandbox.conftest import Caller

from .conftest import LOCATION, MakeKey


def state(admin: Caller, name: str) -> str:
    return str(admin("GET", f"/cloudkms/v1/{name}")[1]["state"])


def test_a_key_gets_a_first_version_and_the_defaults(admin: Caller, make_key: MakeKey) -> None:
    name = make_key()
    made = admin("GET", f"/cloudkms/v1/{name}")[1]
    assert made["destroyScheduledDuration"] == "2592000s"
    assert made["versionTemplate"] == {"protectionLevel": "SOFTWARE", "algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION"}
    assert (made["primary"]["name"], made["primary"]["state"]) == (f"{name}/cryptoKeyVersions/1", "ENABLED")
    assert not [field for field in made if field.startswith("_")]
    listed = admin("GET", f"/cloudkms/v1/{name}/cryptoKeyVersions")[1]
    assert (listed["totalSize"], "_material" in listed["cryptoKeyVersions"][0]) == (1, False)


def test_missing_and_taken_names_are_told_in_full(admin: Caller, ring: str, make_key: MakeKey) -> None:
    name = make_key()
    status, body = admin("GET", f"/cloudkms/v1/{ring}-absent")
    assert (status, body["error"]["message"]) == (404, f"KeyRing {ring}-absent not found.")
    status, body = admin("POST", f"/cloudkms/v1/{ring}/cryptoKeys?cryptoKeyId=key", {"purpose": "ENCRYPT_DECRYPT"})
    assert (status, body["error"]["message"]) == (409, f"CryptoKey {name} already exists.")
    path = f"/cloudkms/v1/{ring}-absent/cryptoKeys?cryptoKeyId=key"
    assert admin("POST", path, {"purpose": "ENCRYPT_DECRYPT"})[1]["error"]["message"].startswith("KeyRing ")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"purpose": "NONE"}, "Invalid value at 'purpose', \"NONE\""),
        ({"versionTemplate": {"algorithm": "HMAC_SHA256"}}, "cannot be used with purpose ENCRYPT_DECRYPT"),
        ({"rotationPeriod": "3600s"}, "must be at least 24 hours"),
        ({"destroyScheduledDuration": "99999999s"}, "at most 120 days"),
    ],
)
def test_impossible_keys_are_refused(admin: Caller, ring: str, fields: dict[str, Any], message: str) -> None:
    body = {"purpose": "ENCRYPT_DECRYPT", **fields}
    status, answer = admin("POST", f"/cloudkms/v1/{ring}/cryptoKeys?cryptoKeyId=k", body)
    assert (status, message in answer["error"]["message"]) == (400, True)


def test_a_place_without_kms_is_refused(admin: Caller, enable: Callable[..., None]) -> None:
    enable("cloudkms")
    elsewhere = LOCATION.replace("europe-west4", "atlantis")
    status, body = admin("POST", f"/cloudkms/v1/{elsewhere}/keyRings?keyRingId=r")
    assert (status, "Cloud KMS is not available in 'atlantis'" in body["error"]["message"]) == (400, True)
    assert admin("GET", f"/cloudkms/v1/{LOCATION}")[1]["metadata"]["hsmAvailable"]
    assert "global" in {
        p["locationId"] for p in admin("GET", f"/cloudkms/v1/{LOCATION.rpartition('/')[0]}")[1]["locations"]
    }


def test_a_key_rotates_when_its_time_has_come(admin: Caller, cloud: Cloud, make_key: MakeKey) -> None:
    due = cloud.clock.now().timestamp() + 86400
    moment = cloud.clock.now().fromtimestamp(due, cloud.clock.now().tzinfo).strftime("%Y-%m-%dT%H:%M:%SZ")
    name = make_key(rotationPeriod="86400s", nextRotationTime=moment)
    assert admin("GET", f"/cloudkms/v1/{name}")[1]["primary"]["name"].endswith("/1")
    cloud.clock.advance(86401)
    shown = admin("GET", f"/cloudkms/v1/{name}")[1]
    assert shown["primary"]["name"].endswith("/2")
    assert shown["nextRotationTime"] > moment
    cleared = admin(
        "PATCH", f"/cloudkms/v1/{name}?updateMask=rotationPeriod,nextRotationTime", {"rotationPeriod": None}
    )
    assert "rotationPeriod" not in cleared[1]


def test_destruction_waits_and_can_be_taken_back(admin: Caller, cloud: Cloud, make_key: MakeKey) -> None:
    version = f"{make_key()}/cryptoKeyVersions/1"
    status, scheduled = admin("POST", f"/cloudkms/v1/{version}:destroy", {})
    assert (status, scheduled["state"]) == (200, "DESTROY_SCHEDULED")
    assert admin("POST", f"/cloudkms/v1/{version}:restore", {})[1]["state"] == "DISABLED"
    admin("POST", f"/cloudkms/v1/{version}:destroy", {})
    cloud.clock.advance(2592001)
    assert state(admin, version) == "DESTROYED"
    status, body = admin("POST", f"/cloudkms/v1/{version}:restore", {})
    assert (status, "has state DESTROYED" in body["error"]["message"]) == (400, True)
    assert "_material" not in (cloud.store.get("cloudkms.cryptoKeyVersions", version) or {})


def test_only_enabled_and_disabled_can_be_set(admin: Caller, make_key: MakeKey) -> None:
    path = f"/cloudkms/v1/{make_key()}/cryptoKeyVersions/1?updateMask=state"
    assert admin("PATCH", path, {"state": "DISABLED"})[1]["state"] == "DISABLED"
    assert admin("PATCH", path, {"state": "ENABLED"})[1]["state"] == "ENABLED"
    assert admin("PATCH", path, {"state": "DESTROYED"})[0] == 400


def test_a_new_version_becomes_primary_when_told(admin: Caller, make_key: MakeKey) -> None:
    name = make_key()
    assert admin("POST", f"/cloudkms/v1/{name}/cryptoKeyVersions", {})[1]["name"].endswith("/2")
    assert admin("GET", f"/cloudkms/v1/{name}")[1]["primary"]["name"].endswith("/1")
    status, shown = admin("POST", f"/cloudkms/v1/{name}:updatePrimaryVersion", {"cryptoKeyVersionId": "2"})
    assert (status, shown["primary"]["name"]) == (200, f"{name}/cryptoKeyVersions/2")


def test_a_key_keeps_its_purpose(admin: Caller, make_key: MakeKey) -> None:
    status, body = admin("PATCH", f"/cloudkms/v1/{make_key()}?updateMask=purpose", {"purpose": "MAC"})
    assert (status, "immutable" in body["error"]["message"]) == (400, True)


def test_import_jobs_become_active_and_expire(admin: Caller, cloud: Cloud, ring: str) -> None:
    body = {"importMethod": "RSA_OAEP_3072_SHA256", "protectionLevel": "SOFTWARE"}
    status, made = admin("POST", f"/cloudkms/v1/{ring}/importJobs?importJobId=job", body)
    assert (status, made["state"]) == (200, "PENDING_GENERATION")
    shown = admin("GET", f"/cloudkms/v1/{made['name']}")[1]
    assert (shown["state"], "BEGIN PUBLIC KEY" in shown["publicKey"]["pem"]) == ("ACTIVE", True)
    cloud.clock.advance(4 * 86400)
    assert admin("GET", f"/cloudkms/v1/{made['name']}")[1]["state"] == "EXPIRED"


def test_autokey_makes_a_key_in_the_folders_key_project(admin: Caller) -> None:
    body = {"displayName": "images", "parent": "organizations/123456789012"}
    folder = admin("POST", "/cloudresourcemanager/v3/folders", body)[1]["response"]["name"]
    parent = {"type": "folder", "id": folder.rpartition("/")[2]}
    made = admin("POST", "/cloudresourcemanager/v1/projects", {"projectId": "autokey-project", "parent": parent})
    assert made[0] == 200
    assert admin("POST", "/serviceusage/v1/projects/autokey-project/services/cloudkms.googleapis.com:enable")[0] == 200
    location = LOCATION.replace("test-project", "autokey-project")
    handles = f"/cloudkms/v1/{location}/keyHandles?keyHandleId=disks"
    wanted = {"resourceTypeSelector": "compute.googleapis.com/Disk"}
    status, answer = admin("POST", handles, wanted)
    assert (status, "Autokey is not configured" in answer["error"]["message"]) == (400, True)
    config = f"/cloudkms/v1/{folder}/autokeyConfig"
    assert admin("GET", config)[1]["state"] == "UNINITIALIZED"
    set_up = admin("PATCH", f"{config}?updateMask=keyProject", {"keyProject": "projects/autokey-project"})
    assert set_up[1]["state"] == "ACTIVE"
    handle = admin("POST", handles, wanted)[1]["response"]
    assert handle["kmsKey"].startswith(f"{location}/keyRings/autokey/cryptoKeys/")
    assert admin("GET", f"/cloudkms/v1/{handle['kmsKey']}")[1]["primary"]["state"] == "ENABLED"


def test_the_answer_to_a_key_s_update_is_a_minute_behind_its_primary_version(
    admin: Caller, make_key: MakeKey, cloud: Cloud
) -> None:
    path = f"/cloudkms/v1/{make_key()}"

    def shown(verb: str, body: dict[str, str] | None = None) -> str:
        query = "?updateMask=rotationPeriod" if body else ""
        return str(admin(verb, path + query, body)[1]["primary"]["state"])

    never = {"rotationPeriod": "0s"}
    admin("PATCH", f"{path}/cryptoKeyVersions/1?updateMask=state", {"state": "DISABLED"})
    assert (shown("PATCH", never), shown("GET")) == ("ENABLED", "DISABLED")
    cloud.clock.advance(61)
    assert shown("PATCH", never) == "DISABLED"
    admin("PATCH", f"{path}/cryptoKeyVersions/1?updateMask=state", {"state": "ENABLED"})
    admin("POST", f"{path}/cryptoKeyVersions/1:destroy", {})
    assert (shown("PATCH", never), shown("GET")) == ("ENABLED", "DESTROY_SCHEDULED")
