from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.cloud import Cloud
from tests.sandbox.conftest import Caller

from .conftest import Storage


@pytest.fixture
def create(admin: Caller, project: str, enable: Callable[..., None]) -> Callable[..., tuple[int, Any]]:
    enable("storage")
    return lambda name, **fields: admin("POST", f"/storage/v1/b?project={project}", {"name": name, **fields})


def test_a_new_bucket_has_the_defaults_of_the_real_service(create: Callable[..., Any]) -> None:
    status, made = create("plain-bucket")
    assert status == 200
    assert made["location"] == "US"
    assert made["locationType"] == "multi-region"
    assert made["rpo"] == "DEFAULT"
    assert made["storageClass"] == "STANDARD"
    assert made["metageneration"] == "1"
    assert made["etag"] == "CAE="
    assert made["softDeletePolicy"]["retentionDurationSeconds"] == "604800"
    assert made["iamConfiguration"] == {
        "bucketPolicyOnly": {"enabled": False},
        "uniformBucketLevelAccess": {"enabled": False},
        "publicAccessPrevention": "inherited",
    }
    assert "acl" not in made


def test_a_regional_bucket_is_spelled_in_upper_case_and_can_have_uniform_access(create: Callable[..., Any]) -> None:
    made = create(
        "regional", location="europe-west4", iamConfiguration={"uniformBucketLevelAccess": {"enabled": True}}
    )[1]
    assert (made["location"], made["locationType"], made["satisfiesPZI"]) == ("EUROPE-WEST4", "region", True)
    assert made["iamConfiguration"]["bucketPolicyOnly"]["lockedTime"] > made["timeCreated"]


@pytest.mark.parametrize("name", ["ab", "Upper", "under_score_at_end_", "192.168.0.1", "goog-x", "a" * 64, "a..b", ""])
def test_names_that_google_refuses_are_refused(create: Callable[..., Any], name: str) -> None:
    status, body = create(name)
    assert (status, body["error"]["message"]) == (400, f"Invalid bucket name: '{name}'")


def test_a_taken_name_is_a_conflict_that_says_whose_it_is(admin: Caller, create: Callable[..., Any]) -> None:
    create("taken-bucket")
    status, body = create("taken-bucket")
    assert (status, body["error"]["errors"][0]["reason"]) == (409, "conflict")
    assert "you already own it" in body["error"]["message"]
    other = {"projectId": "other-project", "parent": {"type": "organization", "id": "123456789012"}}
    assert admin("POST", "/cloudresourcemanager/v1/projects", other)[0] == 200
    status, body = admin("POST", "/storage/v1/b?project=other-project", {"name": "taken-bucket"})
    assert (status, "is not available" in body["error"]["message"]) == (409, True)


def test_an_unknown_project_is_named(admin: Caller) -> None:
    status, body = admin("POST", "/storage/v1/b?project=nowhere-at-all", {"name": "some-bucket"})
    assert (status, body["error"]["message"]) == (400, "Unknown project id: nowhere-at-all")


def test_a_missing_bucket_is_answered_in_storages_own_envelope(admin: Caller) -> None:
    status, body = admin("GET", "/storage/v1/b/no-such-bucket")
    assert status == 404
    assert body == {
        "error": {
            "code": 404,
            "message": "The specified bucket does not exist.",
            "errors": [{"message": "The specified bucket does not exist.", "domain": "global", "reason": "notFound"}],
        }
    }


def test_a_denial_has_the_words_of_cloud_storage(bucket: str, as_member: Callable[[str], Caller], project: str) -> None:
    stranger = as_member("user:stranger@example.com")
    status, body = stranger("GET", f"/storage/v1/b/{bucket}")
    assert status == 403
    assert body["error"]["message"] == (
        "stranger@example.com does not have storage.buckets.get access to the Google Cloud Storage bucket. "
        "Permission 'storage.buckets.get' denied on resource (or it may not exist)."
    )
    status, body = stranger("POST", f"/storage/v1/b?project={project}", {"name": "mine"})
    assert body["error"]["message"].startswith(
        "stranger@example.com does not have storage.buckets.create access to the Google Cloud project."
    )


def test_a_disabled_api_stops_calls_on_the_buckets_project(admin: Caller, bucket: str) -> None:
    path = "/serviceusage/v1/projects/test-project/services/storage.googleapis.com:disable"
    assert admin("POST", path, {})[0] == 200
    status, body = admin("GET", f"/storage/v1/b/{bucket}")
    assert (status, body["error"]["details"][0]["reason"]) == (403, "SERVICE_DISABLED")


def test_patch_merges_and_null_clears(admin: Caller, bucket: str) -> None:
    path = f"/storage/v1/b/{bucket}"
    admin("PATCH", path, {"labels": {"a": "1", "b": "2"}, "versioning": {"enabled": True}})
    status, after = admin("PATCH", path, {"labels": {"a": None, "c": "3"}, "versioning": None})
    assert (status, after["labels"], after["metageneration"]) == (200, {"b": "2", "c": "3"}, "3")
    assert "versioning" not in after
    assert after["acl"][0]["entity"].startswith("project-owners-")
    assert after["iamConfiguration"]["uniformBucketLevelAccess"]["enabled"]


def test_an_empty_lifecycle_is_no_lifecycle(admin: Caller, bucket: str) -> None:
    rule = {"action": {"type": "Delete"}, "condition": {"age": 7}}
    shown = admin("PATCH", f"/storage/v1/b/{bucket}", {"lifecycle": {"rule": [rule]}})[1]
    assert shown["lifecycle"] == {"rule": [rule]}
    assert "lifecycle" not in admin("PATCH", f"/storage/v1/b/{bucket}", {"lifecycle": {"rule": []}})[1]


def test_what_is_fixed_at_creation_cannot_be_changed(admin: Caller, bucket: str) -> None:
    status, body = admin("PATCH", f"/storage/v1/b/{bucket}", {"location": "europe-west1"})
    assert (status, body["error"]["message"]) == (400, "Bucket's location cannot be changed after creation.")


def test_a_stale_metageneration_is_refused(admin: Caller, bucket: str) -> None:
    status, body = admin("PATCH", f"/storage/v1/b/{bucket}?ifMetagenerationMatch=7", {"labels": {"a": "1"}})
    assert (status, body["error"]["errors"][0]["reason"]) == (412, "conditionNotMet")


def test_uniform_access_can_be_switched_off_for_ninety_days(admin: Caller, cloud: Cloud, bucket: str) -> None:
    off = {"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": False}}}
    on = {"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}}}
    assert admin("PATCH", f"/storage/v1/b/{bucket}", off)[0] == 200
    assert admin("PATCH", f"/storage/v1/b/{bucket}", on)[0] == 200
    cloud.clock.advance(91 * 86400)
    assert admin("PATCH", f"/storage/v1/b/{bucket}", off)[0] == 412


def test_a_bucket_with_objects_stays_and_an_empty_one_goes(admin: Caller, bucket: str, storage: Storage) -> None:
    storage.put("one", b"1")
    status, body = admin("DELETE", f"/storage/v1/b/{bucket}")
    assert (status, body["error"]["message"]) == (409, "The bucket you tried to delete is not empty.")
    assert admin("DELETE", f"/storage/v1/b/{bucket}/o/one")[0] == 204
    assert admin("DELETE", f"/storage/v1/b/{bucket}") == (204, None)
    assert admin("GET", f"/storage/v1/b/{bucket}")[0] == 404


def test_buckets_of_a_project_are_listed_by_name(admin: Caller, project: str, create: Callable[..., Any]) -> None:
    for name in ("zebra-bucket", "alpha-bucket", "alpha-second"):
        create(name)
    listed = admin("GET", f"/storage/v1/b?project={project}&prefix=alpha&maxResults=1")[1]
    assert [b["name"] for b in listed["items"]] == ["alpha-bucket"]
    rest = admin("GET", f"/storage/v1/b?project={project}&prefix=alpha&pageToken={listed['nextPageToken']}")[1]
    assert [b["name"] for b in rest["items"]] == ["alpha-second"]


def test_a_locked_retention_policy_cannot_be_shortened_and_protects_objects(
    admin: Caller, cloud: Cloud, bucket: str, storage: Storage
) -> None:
    path = f"/storage/v1/b/{bucket}"
    admin("PATCH", path, {"retentionPolicy": {"retentionPeriod": "100"}})
    locked = admin("POST", f"{path}/lockRetentionPolicy?ifMetagenerationMatch=2")[1]
    assert locked["retentionPolicy"]["isLocked"]
    assert admin("PATCH", path, {"retentionPolicy": {"retentionPeriod": "99"}})[0] == 403
    storage.put("kept", b"x")
    status, body = admin("DELETE", f"{path}/o/kept")
    assert (status, body["error"]["errors"][0]["reason"]) == (403, "retentionPolicyNotMet")
    cloud.clock.advance(101)
    assert admin("DELETE", f"{path}/o/kept")[0] == 204


@pytest.mark.usefixtures("bucket")
def test_creating_a_bucket_leaves_an_audit_entry(cloud: Cloud) -> None:
    entries = cloud.store.documents("logging.entries", "projects/test-project/entries")
    methods = [entry["protoPayload"]["methodName"] for entry in entries]
    assert "storage.buckets.insert" in methods
