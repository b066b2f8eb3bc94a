"""Which etags refuse a write."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given, strategies

from sandbox.etags import foreign, stale, stamped
from tests.sandbox.conftest import Caller

OURS = [stamped(hashlib.sha256(bytes([number])).digest()) for number in range(4)]
#: Bytes without our stamp, as recorded traffic holds them.
FOREIGN = "q83vASNFZ4k="


@pytest.mark.parametrize(
    ("given", "current"),
    [
        ("BwYAAAAAAAA=", "BwYBBBBBBBB="),
        ("ACAB", "BwYBBBBBBBB="),
        ('"15e8c1c8f4c1a8"', '"15e8c1c8f4c1a9"'),
        ("0123456789abcdef", "0123456789abcdee"),
        ("MTgxNTIxNDE3NTYxNjQxODYxMTI=", "MTgxNTIxNDE3NTYxNjQxODYxMTM="),
        ("bogus", "BwYBBBBBBBB="),
        ("AAAAAAAAAAA=", OURS[0]),
        (OURS[0], OURS[1]),
        (OURS[0], "BwYBBBBBBBB="),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_an_etag_that_may_come_from_here_must_be_the_current_one(given: str, current: str, strict: bool) -> None:
    assert stale(given, current, strict=strict)
    assert not stale(current, current, strict=strict)


@pytest.mark.parametrize("current", ["BwYBBBBBBBB=", "ACAB", 'W/"0123456789abcdef"', "0123456789abcdef", OURS[0]])
def test_an_etag_that_cannot_come_from_here_is_refused_by_a_strict_sandbox_only(current: str) -> None:
    assert not stale(FOREIGN, current, strict=False)
    assert stale(FOREIGN, current, strict=True)


@given(strategies.binary(min_size=6))
def test_no_etag_of_ours_is_taken_for_a_foreign_one(digest: bytes) -> None:
    assert not foreign(stamped(digest))


def test_the_second_of_two_writers_with_the_same_etag_is_refused(admin: Caller, project: str) -> None:
    path = f"/cloudresourcemanager/v1/projects/{project}"
    etag = admin("POST", f"{path}:getIamPolicy")[1]["etag"]
    policy = {"etag": etag, "bindings": [{"role": "roles/owner", "members": ["user:user@example.com"]}]}
    assert admin("POST", f"{path}:setIamPolicy", {"policy": policy})[0] == 200
    status, body = admin("POST", f"{path}:setIamPolicy", {"policy": policy})
    assert (status, body["error"]["status"]) == (409, "ABORTED")
    assert "read-modify-write" in body["error"]["message"]


def test_a_secret_s_lost_update_is_refused_and_a_foreign_etag_is_not_compared(admin: Caller, project: str) -> None:
    enabling = f"/serviceusage/v1/projects/{project}/services/secretmanager.googleapis.com:enable"
    assert admin("POST", enabling)[0] == 200
    secrets = f"/secretmanager/v1/projects/{project}/secrets"
    etag = admin("POST", f"{secrets}?secretId=s", {"replication": {"automatic": {}}})[1]["etag"]
    change = {"labels": {"a": "b"}, "etag": etag}
    assert admin("PATCH", f"{secrets}/s?updateMask=labels", change)[0] == 200
    assert admin("PATCH", f"{secrets}/s?updateMask=labels", change)[0] == 409
    assert admin("PATCH", f"{secrets}/s?updateMask=labels", {**change, "etag": FOREIGN})[0] == 200


def test_a_policy_s_lost_update_is_refused_and_a_foreign_etag_is_not_compared(admin: Caller, project: str) -> None:
    policies = f"/orgpolicy/v2/projects/{project}/policies"
    policy = {"name": f"projects/{project}/policies/gcp.resourceLocations", "spec": {"rules": [{"denyAll": True}]}}
    etag = admin("POST", policies, policy)[1]["etag"]
    change = {**policy, "spec": {"rules": [{"allowAll": True}]}, "etag": etag}
    assert admin("PATCH", f"{policies}/gcp.resourceLocations", change)[0] == 200
    assert admin("PATCH", f"{policies}/gcp.resourceLocations", change)[0] == 409
    assert admin("PATCH", f"{policies}/gcp.resourceLocations", {**change, "etag": FOREIGN})[0] == 200


def test_a_role_has_an_etag_from_the_start(admin: Caller, project: str) -> None:
    enabling = f"/serviceusage/v1/projects/{project}/services/iam.googleapis.com:enable"
    assert admin("POST", enabling)[0] == 200
    roles = f"/iam/v1/projects/{project}/roles"
    role = {"title": "Reader", "includedPermissions": ["storage.buckets.get"]}
    made = admin("POST", roles, {"roleId": "reader", "role": role})[1]
    assert made["etag"] == admin("GET", f"{roles}/reader")[1]["etag"]
    change = {"title": "Viewer", "etag": made["etag"]}
    assert admin("PATCH", f"{roles}/reader?updateMask=title", change)[0] == 200
    assert admin("PATCH", f"{roles}/reader?updateMask=title", change)[0] == 409


def test_an_etag_is_the_same_in_both_alphabets() -> None:
    assert not stale("BwYIMBiMH_U=", "BwYIMBiMH/U=", strict=True)
    assert not stale("BwYIMBiM-_U", "BwYIMBiM+/U=", strict=True)
    assert stale("BwYIMBiMH_U=", "BwYIMBiMG_U=", strict=False)
    assert stale('"quoted-1"', '"quoted-2"', strict=True)


def test_a_policy_s_etag_survives_being_decoded_and_encoded(admin: Caller, project: str) -> None:
    url = f"/cloudresourcemanager/v1/projects/{project}"
    for member in ("user:a@example.com", "user:b@example.com", "user:c@example.com", "user:d@example.com"):
        policy = admin("POST", f"{url}:getIamPolicy", {})[1]
        assert base64.b64encode(base64.b64decode(policy["etag"])).decode() == policy["etag"]
        assert policy["etag"].startswith("Bw")
        again = base64.urlsafe_b64encode(base64.b64decode(policy["etag"])).decode()
        bindings = [*policy["bindings"], {"role": "roles/viewer", "members": [member]}]
        body = {"policy": {"etag": again, "bindings": bindings}}
        assert admin("POST", f"{url}:setIamPolicy", body)[0] == 200
    assert admin("POST", f"{url}:setIamPolicy", body)[0] == 409
