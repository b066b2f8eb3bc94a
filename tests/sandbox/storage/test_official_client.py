"""The official client against a sandbox process."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from google.api_core.exceptions import Conflict, NotFound, PreconditionFailed
from google.cloud import storage as google_storage  # type: ignore[attr-defined,import-untyped,unused-ignore]  # no types
from google.oauth2.credentials import Credentials

CONTENT = os.urandom(2 * 1024 * 1024 + 17)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a running sandbox with one project."""
    data = tmp_path_factory.mktemp("sandbox")
    process = subprocess.Popen([sys.executable, "-m", "sandbox", "--port", "0", "--data", str(data)])
    state = data / "sandbox.json"
    try:
        for _ in range(400):
            if state.exists() or process.poll() is not None:
                break
            time.sleep(0.05)
        address = str(json.loads(state.read_text())["url"])
        prepare(address)
        yield address
    finally:
        process.terminate()
        process.wait()


def prepare(address: str) -> None:
    with httpx.Client(base_url=address, headers={"Authorization": "Bearer sandbox"}) as caller:
        body = {"projectId": "client-project", "parent": {"type": "organization", "id": "123456789012"}}
        caller.post("/cloudresourcemanager/v1/projects", json=body).raise_for_status()


@pytest.fixture
def client(url: str, monkeypatch: pytest.MonkeyPatch) -> google_storage.Client:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
    return google_storage.Client(project="client-project", credentials=Credentials("sandbox"))


@pytest.fixture
def bucket(client: google_storage.Client) -> Iterator[google_storage.Bucket]:
    made = client.create_bucket("client-project-bucket", location="us-central1")
    yield made
    made.delete(force=True)


def test_every_form_of_upload_is_read_back(bucket: google_storage.Bucket, tmp_path: Path) -> None:
    bucket.blob("multipart").upload_from_string(b"small", content_type="image/png")
    bucket.blob("resumable", chunk_size=1024 * 1024).upload_from_file(io.BytesIO(CONTENT), size=len(CONTENT))
    bucket.blob("unknown", chunk_size=256 * 1024).upload_from_file(io.BytesIO(CONTENT))
    with bucket.blob("written").open("wb") as file:
        file.write(CONTENT)
    assert bucket.blob("multipart").download_as_bytes() == b"small"
    for name in ("resumable", "unknown", "written"):
        assert bucket.blob(name).download_as_bytes(checksum="md5") == CONTENT
    bucket.blob("resumable").download_to_filename(str(tmp_path / "file"))
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert bucket.blob("resumable").download_as_bytes(start=10, end=19) == CONTENT[10:20]


def test_metadata_copies_and_listing(client: google_storage.Client, bucket: google_storage.Bucket) -> None:
    blob = bucket.blob("folder/one")
    blob.metadata = {"seed": "7"}
    blob.upload_from_string("x")
    blob.cache_control = "no-store"
    blob.patch()
    assert (blob.metageneration, blob.metadata) == (2, {"seed": "7"})
    bucket.copy_blob(blob, bucket, "folder/two")
    bucket.rename_blob(bucket.blob("folder/two"), "three")
    bucket.blob("both").compose([blob, bucket.blob("three")])
    assert bucket.blob("both").download_as_bytes() == b"xx"
    listing = client.list_blobs(bucket, delimiter="/")
    assert ([b.name for b in listing], listing.prefixes) == (["both", "three"], {"folder/"})


def test_failures_reach_the_caller_as_googles_exceptions(bucket: google_storage.Bucket) -> None:
    blob = bucket.blob("once")
    blob.upload_from_string("x", if_generation_match=0)
    with pytest.raises(PreconditionFailed, match="pre-conditions"):
        blob.upload_from_string("y", if_generation_match=0)
    with pytest.raises(NotFound, match="No such object"):
        bucket.blob("absent").download_as_bytes()
    with pytest.raises(Conflict, match="not empty"):
        bucket.delete()


def test_policies_and_bucket_settings(bucket: google_storage.Bucket) -> None:
    policy = bucket.get_iam_policy(requested_policy_version=3)
    policy.bindings.append({"role": "roles/storage.objectViewer", "members": {"user:jo@example.com"}})
    bucket.set_iam_policy(policy)
    roles = {b["role"] for b in bucket.get_iam_policy(requested_policy_version=3).bindings}
    assert "roles/storage.objectViewer" in roles
    bucket.add_lifecycle_delete_rule(age=30)
    bucket.labels = {"campaign": "spring"}
    bucket.versioning_enabled = True
    bucket.patch()
    bucket.reload()
    assert (bucket.labels, bucket.versioning_enabled) == ({"campaign": "spring"}, True)
    assert [rule["condition"]["age"] for rule in bucket.lifecycle_rules] == [30]
