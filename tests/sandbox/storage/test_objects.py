from __future__ import annotations

import gzip

from sandbox.cloud import Cloud
from tests.sandbox.conftest import Caller

from .conftest import BUCKET, Storage

OBJECTS = f"/storage/v1/b/{BUCKET}/o"


def versioned(admin: Caller) -> None:
    assert admin("PATCH", f"/storage/v1/b/{BUCKET}", {"versioning": {"enabled": True}})[0] == 200


def test_a_range_is_answered_with_206(storage: Storage) -> None:
    storage.put("digits", b"0123456789")
    assert storage.content("digits", Range="bytes=2-4") == (206, b"234")
    assert storage.content("digits", Range="bytes=-3") == (206, b"789")
    assert storage.content("digits", Range="bytes=8-") == (206, b"89")
    assert storage.content("digits", Range="bytes=10-12")[0] == 416


def test_a_list_folds_at_the_delimiter_and_pages(storage: Storage, admin: Caller) -> None:
    for name in ("a/1", "a/2", "b", "c/d/1"):
        storage.put(name, b"x")
    listed = admin("GET", f"{OBJECTS}?delimiter=/")[1]
    assert (listed["prefixes"], [o["name"] for o in listed["items"]]) == (["a/", "c/"], ["b"])
    assert [o["name"] for o in admin("GET", f"{OBJECTS}?prefix=a/&maxResults=1")[1]["items"]] == ["a/1"]
    token = admin("GET", f"{OBJECTS}?prefix=a/&maxResults=1")[1]["nextPageToken"]
    assert [o["name"] for o in admin("GET", f"{OBJECTS}?prefix=a/&pageToken={token}")[1]["items"]] == ["a/2"]
    ranged = admin("GET", f"{OBJECTS}?startOffset=a/2&endOffset=c")[1]
    assert [o["name"] for o in ranged["items"]] == ["a/2", "b"]


def test_metadata_is_patched_and_replaced(storage: Storage, admin: Caller) -> None:
    storage.put("m", b"x")
    admin("PATCH", f"{OBJECTS}/m", {"metadata": {"a": "1", "b": "2"}, "cacheControl": "no-store"})
    after = admin("PATCH", f"{OBJECTS}/m", {"metadata": {"a": None}})[1]
    assert (after["metadata"], after["metageneration"], after["cacheControl"]) == ({"b": "2"}, "3", "no-store")
    replaced = admin("PUT", f"{OBJECTS}/m", {"metadata": {"c": "3"}})[1]
    assert (replaced["metadata"], "cacheControl" in replaced) == ({"c": "3"}, False)


def test_versioning_keeps_what_was_replaced_and_deleted(storage: Storage, admin: Caller) -> None:
    versioned(admin)
    first = storage.put("v", b"one")[1]["generation"]
    second = storage.put("v", b"two")[1]["generation"]
    assert admin("DELETE", f"{OBJECTS}/v")[0] == 204
    assert admin("GET", f"{OBJECTS}/v")[0] == 404
    assert "items" not in admin("GET", OBJECTS)[1]
    held = admin("GET", f"{OBJECTS}?versions=true")[1]["items"]
    assert [o["generation"] for o in held] == [first, second]
    assert all("timeDeleted" in o for o in held)
    assert storage.content("v", generation=first) == (200, b"one")
    assert admin("DELETE", f"{OBJECTS}/v?generation={first}")[0] == 204
    assert len(admin("GET", f"{OBJECTS}?versions=true")[1]["items"]) == 1


def test_generations_never_repeat(storage: Storage) -> None:
    generations = [int(storage.put("g", b"x")[1]["generation"]) for _ in range(5)]
    assert generations == sorted(set(generations))


def test_soft_delete_lets_an_object_be_restored(storage: Storage, admin: Caller) -> None:
    generation = storage.put("s", b"soft")[1]["generation"]
    admin("DELETE", f"{OBJECTS}/s")
    deleted = admin("GET", f"{OBJECTS}?softDeleted=true")[1]["items"]
    assert deleted[0]["hardDeleteTime"] > deleted[0]["softDeleteTime"]
    status, restored = admin("POST", f"{OBJECTS}/s/restore?generation={generation}")
    assert (status, restored["generation"] != generation) == (200, True)
    assert storage.content("s") == (200, b"soft")


def test_without_soft_delete_an_object_is_gone(storage: Storage, admin: Caller) -> None:
    admin("PATCH", f"/storage/v1/b/{BUCKET}", {"softDeletePolicy": {"retentionDurationSeconds": "0"}})
    generation = storage.put("s", b"x")[1]["generation"]
    admin("DELETE", f"{OBJECTS}/s")
    assert admin("POST", f"{OBJECTS}/s/restore?generation={generation}")[0] == 404


def test_conditions_on_reads_answer_304_and_412(storage: Storage, admin: Caller) -> None:
    generation = storage.put("c", b"x")[1]["generation"]
    assert admin("GET", f"{OBJECTS}/c?ifGenerationNotMatch={generation}") == (304, None)
    assert admin("GET", f"{OBJECTS}/c?ifGenerationMatch=1")[0] == 412
    assert admin("PATCH", f"{OBJECTS}/c?ifMetagenerationMatch=2", {"metadata": {}})[0] == 412


def test_compose_concatenates(storage: Storage, admin: Caller) -> None:
    first = storage.put("1", b"one ")[1]
    storage.put("2", b"two")
    sources = [{"name": "1", "generation": int(first["generation"])}, {"name": "2"}]
    status, made = admin("POST", f"{OBJECTS}/both/compose", {"sourceObjects": sources})
    assert (status, made["componentCount"], "md5Hash" in made) == (200, 2, False)
    assert storage.content("both") == (200, b"one two")
    status, body = admin("POST", f"{OBJECTS}/none/compose", {"sourceObjects": []})
    assert (status, "must be 1 to 32" in body["error"]["message"]) == (400, True)


def test_rewrite_and_copy_keep_metadata(storage: Storage, admin: Caller) -> None:
    storage.put("source", b"x")
    admin("PATCH", f"{OBJECTS}/source", {"metadata": {"k": "v"}})
    status, answer = admin("POST", f"{OBJECTS}/source/rewriteTo/b/{BUCKET}/o/a%2Fcopy", {})
    assert (status, answer["done"], answer["resource"]["metadata"]) == (200, True, {"k": "v"})
    changed = {"contentType": "image/png", "metadata": {"n": "1"}}
    copied = admin("POST", f"{OBJECTS}/source/copyTo/b/{BUCKET}/o/second", changed)[1]
    assert (copied["contentType"], copied["metadata"]) == ("image/png", {"n": "1"})


def test_a_held_object_can_not_be_deleted(storage: Storage, admin: Caller) -> None:
    storage.put("h", b"x")
    admin("PATCH", f"{OBJECTS}/h", {"temporaryHold": True})
    status, body = admin("DELETE", f"{OBJECTS}/h")
    assert (status, body["error"]["errors"][0]["reason"]) == (403, "objectUnderActiveHold")
    admin("PATCH", f"{OBJECTS}/h", {"temporaryHold": False})
    assert admin("DELETE", f"{OBJECTS}/h")[0] == 204


def test_custom_time_only_moves_forward(storage: Storage, admin: Caller) -> None:
    storage.put("t", b"x")
    admin("PATCH", f"{OBJECTS}/t", {"customTime": "2026-02-01T00:00:00Z"})
    status, body = admin("PATCH", f"{OBJECTS}/t", {"customTime": "2026-01-01T00:00:00Z"})
    assert (status, "Custom time" in body["error"]["message"]) == (400, True)


def test_links_lead_back_to_the_origin_that_was_asked(storage: Storage, admin: Caller) -> None:
    link = storage.put("l/1", b"x")[1]["mediaLink"]
    assert link.startswith(f"http://127.0.0.1/download/storage/v1/b/{BUCKET}/o/l%2F1?generation=")
    assert admin.client.get(link, headers={"Authorization": "Bearer sandbox"}).content == b"x"
    shown = admin("GET", f"{OBJECTS}/l%2F1", headers={"Host": "storage.googleapis.com"})[1]
    assert shown["mediaLink"].startswith("https://storage.googleapis.com/download/")


def test_a_packed_object_is_unpacked_for_clients_that_cannot(storage: Storage) -> None:
    packed = gzip.compress(b"content" * 10)
    storage.put("packed", packed, contentEncoding="gzip")
    assert storage.content("packed", **{"Accept-Encoding": "identity"}) == (200, b"content" * 10)
    reply = storage.caller.client.get(
        f"{OBJECTS}/packed?alt=media", headers={"Authorization": "Bearer sandbox", "Accept-Encoding": "gzip"}
    )
    assert (reply.headers["content-encoding"], reply.content) == ("gzip", b"content" * 10)


def test_keys_for_hmac_signatures_are_not_emulated(storage: Storage, admin: Caller) -> None:
    assert storage.bucket
    status, body = admin("POST", "/storage/v1/projects/test-project/hmacKeys?serviceAccountEmail=a@example.com")
    assert (status, "sign with a service account instead" in body["error"]["message"]) == (501, True)


def test_a_copy_out_of_a_perimeter_is_refused(storage: Storage, admin: Caller, cloud: Cloud) -> None:
    other = {"projectId": "outer-project", "parent": {"type": "organization", "id": "123456789012"}}
    assert admin("POST", "/cloudresourcemanager/v1/projects", other)[0] == 200
    assert admin("POST", "/storage/v1/b?project=outer-project", {"name": "outer-bucket"})[0] == 200
    storage.put("secret", b"x")
    copy = f"{OBJECTS}/secret/rewriteTo/b/outer-bucket/o/taken"
    assert admin("POST", copy, {})[0] == 200
    name = "accessPolicies/1/servicePerimeters/p"
    number = cloud.hierarchy.project_number("test-project")
    status = {"resources": [f"projects/{number}"], "restrictedServices": ["storage.googleapis.com"]}
    cloud.store.put("accesscontextmanager.servicePerimeters", name, {"name": name, "status": status})
    code, body = admin("POST", copy, {})
    assert (code, body["error"]["errors"][0]["reason"]) == (403, "vpcServiceControls")
