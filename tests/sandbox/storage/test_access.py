from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.sandbox.conftest import Caller

from .conftest import Storage, account, grant


def test_a_new_buckets_policy_names_the_projects_teams(admin: Caller, bucket: str) -> None:
    status, policy = admin("GET", f"/storage/v1/b/{bucket}/iam?optionsRequestedPolicyVersion=3")
    assert (status, policy["kind"], policy["resourceId"]) == (
        200,
        "storage#policy",
        f"projects/_/buckets/{bucket}",
    )
    assert {b["role"]: b["members"] for b in policy["bindings"]} == {
        "roles/storage.legacyBucketOwner": ["projectEditor:test-project", "projectOwner:test-project"],
        "roles/storage.legacyBucketReader": ["projectViewer:test-project"],
        "roles/storage.legacyObjectOwner": ["projectEditor:test-project", "projectOwner:test-project"],
        "roles/storage.legacyObjectReader": ["projectViewer:test-project"],
    }


def test_a_role_on_the_bucket_opens_its_objects_and_no_other_buckets(
    admin: Caller, storage: Storage, bucket: str, enable: Callable[..., None], as_member: Callable[[str], Caller]
) -> None:
    email = account(admin, enable, "reader-account")
    storage.put("one", b"1")
    reader = as_member(f"serviceAccount:{email}")
    status, body = reader("GET", f"/storage/v1/b/{bucket}/o/one")
    assert status == 403
    assert body["error"]["message"].startswith(f"{email} does not have storage.objects.get access to the Google Cloud")
    grant(admin, bucket, "roles/storage.objectViewer", f"serviceAccount:{email}")
    assert reader("GET", f"/storage/v1/b/{bucket}/o/one")[0] == 200
    assert Storage(reader).put("two", b"2")[0] == 403


@pytest.mark.usefixtures("storage")
def test_replacing_an_object_needs_the_permission_to_delete(
    admin: Caller, bucket: str, enable: Callable[..., None], as_member: Callable[[str], Caller]
) -> None:
    email = account(admin, enable, "creator-account")
    grant(admin, bucket, "roles/storage.objectCreator", f"serviceAccount:{email}")
    creator = Storage(as_member(f"serviceAccount:{email}"))
    assert creator.put("new", b"1")[0] == 200
    status, body = creator.put("new", b"2")
    assert (status, "storage.objects.delete" in body["error"]["message"]) == (403, True)


@pytest.mark.usefixtures("storage")
def test_who_may_not_list_does_not_learn_that_an_object_is_missing(
    admin: Caller, bucket: str, enable: Callable[..., None], as_member: Callable[[str], Caller]
) -> None:
    email = account(admin, enable, "getter-account")
    grant(admin, bucket, "roles/storage.legacyObjectReader", f"serviceAccount:{email}")
    status, body = as_member(f"serviceAccount:{email}")("GET", f"/storage/v1/b/{bucket}/o/absent")
    assert (status, "storage.objects.list" in body["error"]["message"]) == (403, True)
    status, body = admin("GET", f"/storage/v1/b/{bucket}/o/absent")
    assert (status, body["error"]["message"]) == (404, f"No such object: {bucket}/absent")


def test_anybody_reads_what_is_granted_to_all_users(admin: Caller, storage: Storage, bucket: str) -> None:
    storage.put("one", b"public")
    anonymous = admin.client.get(f"/storage/v1/b/{bucket}/o/one?alt=media")
    assert anonymous.status_code == 401
    assert anonymous.json()["error"]["message"].startswith("Anonymous caller does not have storage.objects.get access")
    grant(admin, bucket, "roles/storage.objectViewer", "allUsers")
    assert admin.client.get(f"/storage/v1/b/{bucket}/o/one?alt=media").content == b"public"


def test_public_access_prevention_refuses_all_users(admin: Caller, bucket: str) -> None:
    admin("PATCH", f"/storage/v1/b/{bucket}", {"iamConfiguration": {"publicAccessPrevention": "enforced"}})
    policy = {"bindings": [{"role": "roles/storage.objectViewer", "members": ["allUsers"]}]}
    assert admin("PUT", f"/storage/v1/b/{bucket}/iam", policy)[0] == 412


def test_a_stale_policy_is_refused(admin: Caller, bucket: str) -> None:
    policy = admin("GET", f"/storage/v1/b/{bucket}/iam")[1]
    assert admin("PUT", f"/storage/v1/b/{bucket}/iam", policy)[0] == 200
    assert admin("PUT", f"/storage/v1/b/{bucket}/iam", policy)[0] in {409, 412}


def test_held_permissions_can_be_asked_for(admin: Caller, bucket: str, as_member: Callable[[str], Caller]) -> None:
    path = (
        f"/storage/v1/b/{bucket}/iam/testPermissions?permissions=storage.objects.get&permissions=storage.objects.list"
    )
    assert admin("GET", path)[1]["permissions"] == ["storage.objects.get", "storage.objects.list"]
    assert "permissions" not in as_member("user:stranger@example.com")("GET", path)[1]


@pytest.mark.usefixtures("storage")
def test_access_control_lists_mirror_the_policys_legacy_roles(admin: Caller, project: str) -> None:
    admin("POST", f"/storage/v1/b?project={project}", {"name": "listed-bucket"})
    acl = "/storage/v1/b/listed-bucket/acl"
    assert admin("GET", f"{acl}/allAuthenticatedUsers")[0] == 404
    made = admin("POST", acl, {"entity": "allAuthenticatedUsers", "role": "READER"})
    assert (made[0], made[1]["kind"]) == (200, "storage#bucketAccessControl")
    policy = admin("GET", "/storage/v1/b/listed-bucket/iam")[1]
    readers = {b["role"]: b["members"] for b in policy["bindings"]}["roles/storage.legacyBucketReader"]
    assert readers == ["allAuthenticatedUsers", "projectViewer:test-project"]
    assert admin("PUT", f"{acl}/allAuthenticatedUsers", {"role": "WRITER"})[1]["role"] == "WRITER"
    assert admin("DELETE", f"{acl}/allAuthenticatedUsers")[0] == 204
    assert len(admin("GET", acl)[1]["items"]) == 3


def test_uniform_access_switches_lists_off(admin: Caller, bucket: str) -> None:
    status, body = admin("GET", f"/storage/v1/b/{bucket}/acl")
    assert (status, "uniform bucket-level access is enabled" in body["error"]["message"]) == (400, True)
    entry = {"entity": "allUsers", "role": "READER"}
    assert admin("POST", f"/storage/v1/b/{bucket}/o/x/acl", entry)[0] == 400


def test_lists_of_single_objects_are_not_emulated_and_say_what_to_do(
    admin: Caller, project: str, enable: Callable[..., None]
) -> None:
    enable("storage")
    admin("POST", f"/storage/v1/b?project={project}", {"name": "listed-bucket"})
    entry = {"entity": "allUsers", "role": "READER"}
    status, body = admin("POST", "/storage/v1/b/listed-bucket/o/x/acl", entry)
    assert (status, "switch on uniform bucket-level access" in body["error"]["message"]) == (501, True)
