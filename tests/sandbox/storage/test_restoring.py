"""Deleted buckets and many deleted objects come back; folders of hierarchical buckets move and go as a whole."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from sandbox.cloud import Cloud
from tests.sandbox.conftest import Caller
from tests.sandbox.storage.conftest import BUCKET, Storage, grant

BUCKETS = "/storage/v1/b"
TREE = "test-project-tree"


@pytest.fixture
def tree(admin: Caller, bucket: str) -> Storage:
    """A bucket with a hierarchical namespace and some folders."""
    del bucket
    body = {
        "name": TREE,
        "location": "us-central1",
        "hierarchicalNamespace": {"enabled": True},
        "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}},
    }
    assert admin("POST", f"{BUCKETS}?project=test-project", body)[0] == 200
    for name in ("a/", "a/b/", "c/"):
        assert admin("POST", f"{BUCKETS}/{TREE}/folders", {"name": name})[0] == 200
    return Storage(admin, TREE)


def deleted(admin: Caller) -> list[Any]:
    return list(admin("GET", f"{BUCKETS}?project=test-project&softDeleted=true")[1].get("items", []))


def test_a_deleted_bucket_comes_back_with_its_policy_and_what_was_in_it(storage: Storage, admin: Caller) -> None:
    generation = storage.put("kept", b"a plantain")[1]["generation"]
    grant(admin, BUCKET, "roles/storage.objectViewer", "user:jo@example.com")
    assert admin("DELETE", f"{BUCKETS}/{BUCKET}/o/kept")[0] == 204
    assert admin("DELETE", f"{BUCKETS}/{BUCKET}")[0] == 204
    (found,) = deleted(admin)
    assert found["hardDeleteTime"] > found["softDeleteTime"]
    one = f"{BUCKETS}/{BUCKET}?softDeleted=true&generation={found['generation']}"
    assert admin("GET", one)[1]["name"] == BUCKET
    assert admin("GET", f"{BUCKETS}/{BUCKET}")[0] == 404
    assert admin("POST", f"{BUCKETS}/{BUCKET}/restore?generation={found['generation']}")[0] == 200
    assert deleted(admin) == []
    assert "user:jo@example.com" in str(admin("GET", f"{BUCKETS}/{BUCKET}/iam")[1])
    assert admin("POST", f"{BUCKETS}/{BUCKET}/o/kept/restore?generation={generation}")[0] == 200
    assert storage.content("kept") == (200, b"a plantain")


def test_a_deleted_bucket_is_gone_when_its_time_is_over(cloud: Cloud, storage: Storage, admin: Caller) -> None:
    del storage
    assert admin("DELETE", f"{BUCKETS}/{BUCKET}")[0] == 204
    generation = deleted(admin)[0]["generation"]
    cloud.clock.advance(8 * 86400)
    assert deleted(admin) == []
    assert admin("POST", f"{BUCKETS}/{BUCKET}/restore?generation={generation}")[0] == 404


def test_a_bucket_is_not_restored_over_one_of_the_same_name(storage: Storage, admin: Caller) -> None:
    del storage
    assert admin("POST", f"{BUCKETS}/{BUCKET}/restore")[0] == 400
    body = admin("GET", f"{BUCKETS}/{BUCKET}")[1]
    assert admin("DELETE", f"{BUCKETS}/{BUCKET}")[0] == 204
    assert admin("POST", f"{BUCKETS}?project=test-project", {"name": BUCKET})[0] == 200
    assert admin("POST", f"{BUCKETS}/{BUCKET}/restore?generation={body['generation']}")[0] == 409


def test_many_objects_are_restored_by_their_names(storage: Storage, admin: Caller) -> None:
    for name in ("logs/1", "logs/2", "notes"):
        storage.put(name, name.encode())
        assert admin("DELETE", f"{BUCKETS}/{BUCKET}/o/{quote(name, safe='')}")[0] == 204
    status, operation = admin("POST", f"{BUCKETS}/{BUCKET}/o/bulkRestore", {"matchGlobs": ["logs/**"]})
    assert (status, operation["done"], operation["metadata"]["succeededCount"]) == (200, True, "2")
    listed = admin("GET", f"{BUCKETS}/{BUCKET}/o")[1]["items"]
    assert [item["name"] for item in listed] == ["logs/1", "logs/2"]
    polled = admin("GET", f"{BUCKETS}/{BUCKET}/operations/{operation['name'].rpartition('/')[2]}")
    assert polled == (200, operation)


def test_a_folder_is_renamed_with_all_below_it(tree: Storage, admin: Caller) -> None:
    tree.put("a/b/image", b"a plantain")
    status, operation = admin("POST", f"{BUCKETS}/{TREE}/folders/a%2F/renameTo/folders/z%2F")
    assert (status, operation["done"]) == (200, True)
    names = [folder["name"] for folder in admin("GET", f"{BUCKETS}/{TREE}/folders")[1]["items"]]
    assert names == ["c/", "z/", "z/b/"]
    assert tree.content(quote("z/b/image", safe="")) == (200, b"a plantain")
    assert tree.content(quote("a/b/image", safe=""))[0] == 404
    assert admin("POST", f"{BUCKETS}/{TREE}/folders/a%2F/renameTo/folders/y%2F")[0] == 404
    assert admin("POST", f"{BUCKETS}/{TREE}/folders/c%2F/renameTo/folders/z%2F")[0] == 409


def test_a_folder_is_deleted_with_all_below_it(tree: Storage, admin: Caller) -> None:
    tree.put("a/b/image", b"a plantain")
    assert admin("DELETE", f"{BUCKETS}/{TREE}/folders/a%2F")[0] == 409
    assert admin("POST", f"{BUCKETS}/{TREE}/folders/a%2F/deleteRecursive")[0] == 200
    assert [folder["name"] for folder in admin("GET", f"{BUCKETS}/{TREE}/folders")[1]["items"]] == ["c/"]
    assert tree.content(quote("a/b/image", safe=""))[0] == 404
    assert admin("POST", f"{BUCKETS}/{TREE}/folders/a%2F/deleteRecursive")[0] == 404


def test_an_anywhere_cache_pauses_goes_on_and_ends(storage: Storage, admin: Caller) -> None:
    del storage
    caches = f"{BUCKETS}/{BUCKET}/anywhereCaches"
    status, made = admin("POST", caches, {"zone": "us-central1-a"})
    assert (status, made["response"]["ttl"]) == (200, "86400s")
    assert admin("POST", caches, {"zone": "us-central1-a"})[0] == 409
    assert admin("GET", caches)[1]["items"][0]["id"] == f"{BUCKET}/us-central1-a"
    place = f"{caches}/us-central1-a"
    assert admin("POST", f"{place}/pause")[1]["state"] == "paused"
    assert admin("POST", f"{place}/pause")[0] == 400
    assert admin("POST", f"{place}/resume")[1]["state"] == "running"
    assert admin("POST", f"{place}/disable")[1]["state"] == "disabled"
    assert admin("POST", f"{caches}/none/pause")[0] == 404
