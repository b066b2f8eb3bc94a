from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.sandbox.conftest import Caller

from .conftest import grant

Document = dict[str, Any]


def test_default_and_required_buckets_are_there_from_the_start(admin: Caller, url: str) -> None:
    default = admin("GET", f"{url}/locations/global/buckets/_Default")[1]
    assert (default["retentionDays"], default["lifecycleState"]) == (30, "ACTIVE")
    required = admin("GET", f"{url}/locations/global/buckets/_Required")[1]
    assert (required["retentionDays"], required["locked"]) == (400, True)
    listed = admin("GET", f"{url}/locations/-/buckets")[1]["buckets"]
    assert [bucket["name"].rpartition("/")[2] for bucket in listed] == ["_Default", "_Required"]


def test_a_bucket_has_defaults_and_leaves_out_what_is_false(admin: Caller, url: str, project: str) -> None:
    path = f"{url}/locations/global/buckets"
    made = admin("POST", path, {"locked": False, "description": "d"}, params={"bucketId": "b"})[1]
    assert {key: made[key] for key in made if not key.endswith("Time")} == {
        "name": f"projects/{project}/locations/global/buckets/b",
        "description": "d",
        "retentionDays": 30,
        "lifecycleState": "ACTIVE",
    }


def test_creating_in_the_background_ends_with_the_bucket(admin: Caller, url: str) -> None:
    path = f"{url}/locations/europe-west4/buckets"
    operation = admin("POST", f"{path}:createAsync", {"retentionDays": 60}, params={"bucketId": "b"})[1]
    assert operation["done"] is True
    assert operation["response"]["@type"] == "type.googleapis.com/google.logging.v2.LogBucket"
    assert operation["metadata"]["createBucketRequest"]["bucketId"] == "b"
    assert admin("GET", f"/logging/v2/{operation['name']}")[1] == operation
    changed = admin("POST", f"{path}/b:updateAsync", {"retentionDays": 90}, params={"updateMask": "retentionDays"})[1]
    assert changed["response"]["retentionDays"] == 90


def test_a_missing_bucket_is_404_in_googles_words(admin: Caller, url: str) -> None:
    status, body = admin("GET", f"{url}/locations/global/buckets/gone")
    assert (status, body["error"]["message"]) == (404, "Bucket `gone` in location `global` does not exist")


def test_a_deleted_bucket_waits_and_can_be_taken_back(admin: Caller, url: str) -> None:
    path = f"{url}/locations/global/buckets"
    admin("POST", path, {}, params={"bucketId": "b"})
    assert admin("DELETE", f"{path}/b") == (200, {})
    assert admin("GET", f"{path}/b")[1]["lifecycleState"] == "DELETE_REQUESTED"
    status, body = admin("POST", path, {}, params={"bucketId": "b"})
    assert (status, body["error"]["message"]) == (409, "Bucket `b` already exists and is pending deletion")
    assert admin("POST", f"{path}/b:undelete", {})[0] == 200
    assert admin("GET", f"{path}/b")[1]["lifecycleState"] == "ACTIVE"


def test_a_locked_bucket_keeps_its_retention_and_stays(admin: Caller, url: str) -> None:
    path = f"{url}/locations/global/buckets"
    admin("POST", path, {"retentionDays": 400}, params={"bucketId": "b"})
    admin("PATCH", f"{path}/b", {"locked": True}, params={"updateMask": "locked"})
    for verb, body in (("PATCH", {"retentionDays": 30}), ("PATCH", {"locked": False}), ("DELETE", None)):
        mask = {"updateMask": next(iter(body))} if body else {}
        status, answer = admin(verb, f"{path}/b", body, params=mask)
        assert (status, answer["error"]["status"]) == (400, "FAILED_PRECONDITION")


def test_built_in_buckets_cannot_be_deleted_and_required_cannot_be_changed(admin: Caller, url: str) -> None:
    path = f"{url}/locations/global/buckets"
    assert admin("DELETE", f"{path}/_Default")[0] == 400
    body, mask = {"retentionDays": 500}, {"updateMask": "retentionDays"}
    assert admin("PATCH", f"{path}/_Default", body, params=mask)[1]["retentionDays"] == 500
    status, answer = admin("PATCH", f"{path}/_Required", body, params=mask)
    assert (status, answer["error"]["message"]) == (400, "The _Required bucket cannot be changed.")


def test_a_key_is_used_only_once_logging_may(admin: Caller, url: str, key: str) -> None:
    account = admin("GET", f"{url}/cmekSettings")[1]["serviceAccountId"]
    path, body = f"{url}/locations/europe-west4/buckets", {"cmekSettings": {"kmsKeyName": key}}
    status, answer = admin("POST", f"{path}:createAsync", body, params={"bucketId": "b"})
    assert (status, answer["error"]["status"]) == (403, "PERMISSION_DENIED")
    assert account in answer["error"]["message"]
    grant(admin, key, account)
    made = admin("POST", f"{path}:createAsync", body, params={"bucketId": "b"})[1]["response"]
    assert made["cmekSettings"]["kmsKeyName"] == key
    assert made["cmekSettings"]["kmsKeyVersionName"] == f"{key}/cryptoKeyVersions/1"
    assert made["cmekSettings"]["serviceAccountId"] == account


def test_a_key_must_lie_in_the_buckets_region(admin: Caller, url: str, key: str) -> None:
    body = {"cmekSettings": {"kmsKeyName": key}}
    for location in ("global", "us-east1"):
        status, answer = admin("POST", f"{url}/locations/{location}/buckets", body, params={"bucketId": "b"})
        assert (status, f"which is in {location}" in answer["error"]["message"]) == (400, True)


def test_a_disabled_key_stops_reading(
    admin: Caller, url: str, key: str, write: Callable[..., None], project: str
) -> None:
    grant(admin, key, admin("GET", f"{url}/cmekSettings")[1]["serviceAccountId"])
    bucket = f"projects/{project}/locations/europe-west4/buckets/b"
    body = {"cmekSettings": {"kmsKeyName": key}}
    admin("POST", f"{url}/locations/europe-west4/buckets", body, params={"bucketId": "b"})
    sink = {"name": "s", "destination": f"logging.googleapis.com/{bucket}", "filter": 'LOG_ID("app")'}
    admin("POST", f"{url}/sinks", sink)
    write(textPayload="hello")
    asked = {"resourceNames": [f"{bucket}/views/_AllLogs"]}
    assert len(admin("POST", "/logging/v2/entries:list", asked)[1]["entries"]) == 1
    version = f"/cloudkms/v1/{key}/cryptoKeyVersions/1"
    assert admin("PATCH", version, {"state": "DISABLED"}, params={"updateMask": "state"})[0] == 200
    status, answer = admin("POST", "/logging/v2/entries:list", asked)
    assert (status, answer["error"]["status"]) == (400, "FAILED_PRECONDITION")
    assert "is not enabled" in answer["error"]["message"]


def test_links_need_analytics_and_name_the_project_by_number(admin: Caller, url: str) -> None:
    path = f"{url}/locations/global/buckets"
    admin("POST", path, {}, params={"bucketId": "plain"})
    status, body = admin("POST", f"{path}/plain/links", {}, params={"linkId": "l"})
    assert (status, "Log Analytics" in body["error"]["message"]) == (400, True)
    admin("POST", path, {"analyticsEnabled": True}, params={"bucketId": "b"})
    operation = admin("POST", f"{path}/b/links", {}, params={"linkId": "l"})[1]
    assert operation["name"].split("/")[1].isdigit()
    assert operation["metadata"]["createLinkRequest"]["linkId"] == "l"
    assert operation["metadata"]["state"] == "OPERATION_STATE_SCHEDULED"
    ended = admin("GET", f"/logging/v2/{operation['name']}")[1]
    assert (ended["done"], ended["metadata"]["state"]) == (True, "OPERATION_STATE_SUCCEEDED")
    assert ended["response"]["bigqueryDataset"]["datasetId"].endswith("/datasets/l")
    assert admin("DELETE", f"{path}/b")[0] == 400
    removed = admin("DELETE", f"{path}/b/links/l")[1]
    assert admin("GET", f"/logging/v2/{removed['name']}")[1]["done"] is True
    assert admin("DELETE", f"{path}/b")[0] == 200


def test_settings_name_the_accounts_of_every_level(admin: Caller, url: str) -> None:
    settings = admin("GET", f"{url}/settings")[1]
    number = settings["loggingServiceAccountId"].removeprefix("service-").partition("@")[0]
    assert settings["kmsServiceAccountId"] == f"cmek-p{number}@gcp-sa-logging.iam.gserviceaccount.com"
    organization = admin("GET", "/logging/v2/organizations/123456789012/cmekSettings")[1]
    assert organization["serviceAccountId"] == "cmek-o123456789012@gcp-sa-logging.iam.gserviceaccount.com"
    body, mask = {"storageLocation": "europe-west4"}, {"updateMask": "storageLocation"}
    path = "/logging/v2/organizations/123456789012/settings"
    assert admin("PATCH", path, body, params=mask)[1]["storageLocation"] == "europe-west4"
    assert admin("GET", path)[1]["storageLocation"] == "europe-west4"


def test_who_may_read_a_view_reads_nothing_else(
    admin: Caller, as_member: Callable[[str], Caller], write: Callable[..., None], project: str
) -> None:
    write(textPayload="hello")
    view = f"projects/{project}/locations/global/buckets/_Default/views/_AllLogs"
    place, jo = f"/cloudresourcemanager/v1/projects/{project}", "user:jo@example.com"
    asked = {"resourceNames": [view]}
    assert as_member(jo)("POST", "/logging/v2/entries:list", asked)[0] == 403
    policy = admin("POST", f"{place}:getIamPolicy", {})[1]
    bindings = [*policy["bindings"], {"role": "roles/logging.viewAccessor", "members": [jo]}]
    assert admin("POST", f"{place}:setIamPolicy", {"policy": {"bindings": bindings}})[0] == 200
    assert len(as_member(jo)("POST", "/logging/v2/entries:list", asked)[1]["entries"]) == 1
    status, answer = as_member(jo)("POST", "/logging/v2/entries:list", {"resourceNames": [f"projects/{project}"]})
    assert status == 403
    assert "logging.logEntries.list" in answer["error"]["message"]
    assert admin("POST", "/logging/v2/entries:list", {})[0] == 400


def test_new_projects_take_their_first_buckets_from_the_settings_above(admin: Caller, url: str, key: str) -> None:
    path = "/logging/v2/organizations/123456789012/settings"
    grant(admin, key, admin("GET", path)[1]["kmsServiceAccountId"])
    body = {"kmsKeyName": key, "storageLocation": "europe-west4", "disableDefaultSink": True}
    mask = {"updateMask": "kmsKeyName,storageLocation,disableDefaultSink"}
    assert admin("PATCH", path, body, params=mask)[0] == 200
    made = {"projectId": "later-project", "parent": {"type": "organization", "id": "123456789012"}}
    assert admin("POST", "/cloudresourcemanager/v1/projects", made)[0] == 200
    admin("POST", "/serviceusage/v1/projects/later-project/services/logging.googleapis.com:enable")
    later = "/logging/v2/projects/later-project"
    for name in ("_Default", "_Required"):
        bucket = admin("GET", f"{later}/locations/europe-west4/buckets/{name}")[1]
        assert bucket["cmekSettings"]["kmsKeyName"] == key
        assert admin("GET", f"{later}/locations/global/buckets/{name}")[0] == 404
    sink = admin("GET", f"{later}/sinks/_Default")[1]
    assert (sink["destination"].split("/")[-3], sink["disabled"]) == ("europe-west4", True)
    assert admin("GET", f"{url}/locations/global/buckets/_Required")[0] == 200, "an older project keeps its own"


def test_a_default_key_lies_where_the_buckets_will(admin: Caller, key: str) -> None:
    path, mask = "/logging/v2/organizations/123456789012/settings", {"updateMask": "kmsKeyName,storageLocation"}
    body = {"kmsKeyName": key, "storageLocation": "us-central1"}
    assert admin("PATCH", path, body, params=mask)[0] == 403, "nobody has granted the key yet"
    grant(admin, key, admin("GET", path)[1]["kmsServiceAccountId"])
    status, answer = admin("PATCH", path, body, params=mask)
    assert (status, "must be in the storage location, us-central1" in answer["error"]["message"]) == (400, True)
