from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.conftest import Caller

from .conftest import BUCKET, Storage


@pytest.fixture
def constrain(admin: Caller, project: str, enable: Callable[..., None]) -> Callable[..., None]:
    """Sets a policy on the project."""
    enable("orgpolicy", "storage", "cloudkms")

    def policy(constraint: str, *rules: dict[str, Any]) -> None:
        name = f"projects/{project}/policies/{constraint}"
        body = {"name": name, "spec": {"rules": list(rules)}}
        status, answer = admin("POST", f"/orgpolicy/v2/projects/{project}/policies", body)
        assert status == 200, answer

    return policy


def create(admin: Caller, name: str, **fields: Any) -> tuple[int, Any]:
    return admin("POST", "/storage/v1/b?project=test-project", {"name": name, **fields})


def test_uniform_access_can_be_demanded(admin: Caller, constrain: Callable[..., None]) -> None:
    constrain("storage.uniformBucketLevelAccess", {"enforce": True})
    status, body = create(admin, "listed-bucket")
    assert (status, body["error"]["message"]) == (
        412,
        "Request violates constraint 'constraints/storage.uniformBucketLevelAccess'",
    )
    uniform = {"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}}}
    assert create(admin, "uniform-bucket", **uniform)[0] == 200
    off = {"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": False}}}
    assert admin("PATCH", "/storage/v1/b/uniform-bucket", off)[0] == 412


@pytest.mark.parametrize(
    ("rule", "place", "admitted"),
    [
        ({"values": {"allowedValues": ["in:eu-locations"]}}, "europe-west4", True),
        ({"values": {"allowedValues": ["in:eu-locations"]}}, "europe-west2", False),
        ({"values": {"allowedValues": ["in:eu-locations"]}}, "us-central1", False),
        ({"values": {"allowedValues": ["in:us-central1-locations"]}}, "us-central1", True),
        ({"values": {"deniedValues": ["in:us-locations"]}}, "us-central1", False),
        ({"values": {"deniedValues": ["in:us-locations"]}}, "asia-east1", True),
        ({"denyAll": True}, "asia-east1", False),
    ],
)
def test_places_can_be_limited(
    admin: Caller, constrain: Callable[..., None], rule: dict[str, Any], place: str, admitted: bool
) -> None:
    constrain("gcp.resourceLocations", rule)
    status, body = create(admin, "placed-bucket", location=place)
    ring = f"/cloudkms/v1/projects/test-project/locations/{place}/keyRings?keyRingId=ring"
    assert (status == 200, admin("POST", ring)[0] == 200) == (admitted, admitted)
    assert admitted or body["error"]["message"].endswith("'constraints/gcp.resourceLocations'")


def test_customers_keys_can_be_demanded(
    admin: Caller, constrain: Callable[..., None], granted_key: str, enable: Callable[..., None]
) -> None:
    enable("pubsub", "secretmanager")
    services = ["storage", "pubsub", "secretmanager"]
    denied = [f"is:{name}.googleapis.com" for name in services]
    constrain("gcp.restrictNonCmekServices", {"values": {"deniedValues": denied}})
    status, body = create(admin, "plain-bucket", location="us-central1")
    assert (status, "gcp.restrictNonCmekServices" in body["error"]["message"]) == (412, True)
    key = {"encryption": {"defaultKmsKeyName": granted_key}}
    assert create(admin, "sealed-bucket", location="us-central1", **key)[0] == 200
    assert admin("PUT", "/pubsub/v1/projects/test-project/topics/plain", {})[0] == 400
    secret: dict[str, Any] = {"replication": {"automatic": {}}}
    assert admin("POST", "/secretmanager/v1/projects/test-project/secrets?secretId=plain", secret)[0] == 400


def test_the_keys_project_can_be_limited(admin: Caller, constrain: Callable[..., None], granted_key: str) -> None:
    constrain("gcp.restrictCmekCryptoKeyProjects", {"values": {"allowedValues": ["projects/key-project"]}})
    key = {"encryption": {"defaultKmsKeyName": granted_key}}
    status, body = create(admin, "sealed-bucket", location="us-central1", **key)
    assert (status, "gcp.restrictCmekCryptoKeyProjects" in body["error"]["message"]) == (412, True)


def test_everybody_can_be_kept_out(admin: Caller, constrain: Callable[..., None], storage: Storage) -> None:
    constrain("storage.publicAccessPrevention", {"enforce": True})
    policy = {"bindings": [{"role": "roles/storage.objectViewer", "members": ["allUsers"]}]}
    status, body = storage.caller("PUT", f"/storage/v1/b/{BUCKET}/iam", policy)
    assert (status, "public access prevention is enforced" in body["error"]["message"]) == (412, True)
    assert admin("GET", f"/storage/v1/b/{BUCKET}")[0] == 200
