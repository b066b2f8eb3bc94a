"""A bucket, a key, and the calls that fill them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.sandbox.conftest import Caller

BUCKET = "test-project-images"
RING = "projects/test-project/locations/us-central1/keyRings/ring"
KEY = f"{RING}/cryptoKeys/images"


@dataclass
class Storage:
    """The JSON API in the name of one caller."""

    caller: Caller
    bucket: str = BUCKET

    def put(self, name: str, content: bytes, **query: Any) -> tuple[int, Any]:
        """Media upload."""
        reply = self.caller.client.post(
            f"/upload/storage/v1/b/{self.bucket}/o",
            params={"uploadType": "media", "name": name, **query},
            content=content,
            headers={"Authorization": f"Bearer {self.caller.token}", "Content-Type": "text/plain"},
        )
        return reply.status_code, reply.json()

    def content(self, path: str, generation: str = "", **headers: str) -> tuple[int, bytes]:
        """Download by encoded object name."""
        query = f"alt=media&generation={generation}" if generation else "alt=media"
        reply = self.caller.client.get(
            f"/storage/v1/b/{self.bucket}/o/{path}?{query}",
            headers={"Authorization": f"Bearer {self.caller.token}", **headers},
        )
        return reply.status_code, reply.content


@pytest.fixture
def bucket(admin: Caller, project: str, enable: Callable[..., None]) -> str:
    """A regional bucket with uniform access."""
    enable("storage", "cloudkms")
    body = {
        "name": BUCKET,
        "location": "us-central1",
        "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}},
    }
    assert admin("POST", f"/storage/v1/b?project={project}", body)[0] == 200
    return BUCKET


@pytest.fixture
def storage(admin: Caller, bucket: str) -> Storage:
    return Storage(admin, bucket)


@pytest.fixture
def key(admin: Caller, enable: Callable[..., None]) -> str:
    """A key in the bucket's region that nobody may use yet."""
    enable("cloudkms")
    assert admin("POST", f"/cloudkms/v1/{RING.rpartition('/')[0]}?keyRingId=ring")[0] == 200
    created = admin("POST", f"/cloudkms/v1/{RING}/cryptoKeys?cryptoKeyId=images", {"purpose": "ENCRYPT_DECRYPT"})
    assert created[0] == 200
    return KEY


@pytest.fixture
def granted_key(admin: Caller, key: str) -> str:
    """The key, usable by the project's storage agent."""
    agent = admin("GET", "/storage/v1/projects/test-project/serviceAccount")[1]["email_address"]
    binding = {"role": "roles/cloudkms.cryptoKeyEncrypterDecrypter", "members": [f"serviceAccount:{agent}"]}
    assert admin("POST", f"/cloudkms/v1/{key}:setIamPolicy", {"policy": {"bindings": [binding]}})[0] == 200
    return key


def account(admin: Caller, enable: Callable[..., None], name: str) -> str:
    """E-mail of a new service account."""
    enable("iam")
    status, made = admin("POST", "/iam/v1/projects/test-project/serviceAccounts", {"accountId": name})
    assert status == 200
    return str(made["email"])


def grant(admin: Caller, bucket: str, role: str, *members: str) -> None:
    """One more binding in the bucket's policy."""
    policy = admin("GET", f"/storage/v1/b/{bucket}/iam")[1]
    policy["bindings"].append({"role": role, "members": list(members)})
    assert admin("PUT", f"/storage/v1/b/{bucket}/iam", policy)[0] == 200
