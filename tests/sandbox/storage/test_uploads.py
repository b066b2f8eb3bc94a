from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from sandbox.app import create_app
from sandbox.cloud import Cloud
from tests.sandbox.conftest import Caller, build_cloud

from .conftest import BUCKET, Storage

CHUNK = 256 * 1024
UPLOAD = f"/upload/storage/v1/b/{BUCKET}/o"


def begin(caller: Caller, name: str, body: Any = None, **headers: str) -> str:
    reply = caller.client.post(
        f"{UPLOAD}?uploadType=resumable&name={name}",
        json=body or {},
        headers={"Authorization": f"Bearer {caller.token}", **headers},
    )
    assert reply.status_code == 200
    return str(reply.headers["location"])


def send(client: TestClient, url: str, content: bytes, span: str, **headers: str) -> Any:
    return client.put(url, content=content, headers={"Content-Range": f"bytes {span}", **headers})


def test_media_upload_keeps_content_and_type(storage: Storage) -> None:
    status, made = storage.put("a/b", b"hello")
    assert (status, made["contentType"], made["size"]) == (200, "text/plain", "5")
    assert (made["md5Hash"], made["crc32c"]) == ("XUFAKrxLKna5cZ2REBfFkg==", "mnG7TA==")
    assert storage.content("a%2Fb") == (200, b"hello")


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_multipart_upload_takes_metadata_and_content(storage: Storage, end: str) -> None:
    content = b"\x89PNG\r\n\r\n--other\x00\n"
    fields = json.dumps({"name": "m.png", "metadata": {"seed": "7"}, "customTime": "2026-01-01T00:00:00Z"})
    head = ["--frontier", "Content-Type: application/json", "", fields, "--frontier", "Content-Type: image/png", "", ""]
    raw = end.join(head).encode() + content + f"{end}--frontier--".encode()
    reply = storage.caller.client.post(
        f"{UPLOAD}?uploadType=multipart",
        content=raw,
        headers={"Authorization": "Bearer sandbox", "Content-Type": 'multipart/related; boundary="frontier"'},
    )
    made = reply.json()
    assert (reply.status_code, made["contentType"], made["metadata"]) == (200, "image/png", {"seed": "7"})
    assert storage.content("m.png") == (200, content)


def test_a_broken_multipart_body_says_so(storage: Storage) -> None:
    reply = storage.caller.client.post(
        f"{UPLOAD}?uploadType=multipart",
        content=b"--x\r\n\r\n{}\r\n--x--",
        headers={"Authorization": "Bearer sandbox", "Content-Type": "multipart/related; boundary=x"},
    )
    assert (reply.status_code, reply.json()["error"]["message"]) == (
        400,
        "Invalid multipart request with 1 mime parts.",
    )


def test_a_wrong_checksum_is_refused(storage: Storage) -> None:
    fields = json.dumps({"name": "x", "md5Hash": "AAAAAAAAAAAAAAAAAAAAAA=="})
    raw = f"--x\r\nContent-Type: application/json\r\n\r\n{fields}\r\n--x\r\n\r\nhi\r\n--x--".encode()
    reply = storage.caller.client.post(
        f"{UPLOAD}?uploadType=multipart",
        content=raw,
        headers={"Authorization": "Bearer sandbox", "Content-Type": "multipart/related; boundary=x"},
    )
    assert reply.status_code == 400
    assert reply.json()["error"]["message"].startswith('Provided MD5 hash "AAAAAAAAAAAAAAAAAAAAAA==" doesn\'t match')


def test_a_resumable_upload_arrives_in_chunks(storage: Storage, admin: Caller) -> None:
    content = bytes(range(256)) * 2048 + b"tail"
    url = begin(admin, "big", {"metadata": {"a": "b"}}, **{"X-Upload-Content-Type": "image/png"})
    assert url.startswith("http://127.0.0.1/upload/storage/v1/")
    first = send(admin.client, url, content[:CHUNK], f"0-{CHUNK - 1}/{len(content)}")
    assert (first.status_code, first.headers["range"]) == (308, f"bytes=0-{CHUNK - 1}")
    asked = send(admin.client, url, b"", "*/*")
    assert (asked.status_code, asked.headers["range"]) == (308, f"bytes=0-{CHUNK - 1}")
    last = send(admin.client, url, content[CHUNK:], f"{CHUNK}-{len(content) - 1}/{len(content)}")
    assert (last.status_code, last.json()["metadata"], last.json()["contentType"]) == (200, {"a": "b"}, "image/png")
    assert storage.content("big") == (200, content)
    assert send(admin.client, url, b"", f"*/{len(content)}").json()["size"] == str(len(content))


def test_an_upload_of_unknown_length_ends_with_its_last_chunk(storage: Storage, admin: Caller) -> None:
    url = begin(admin, "stream")
    assert send(admin.client, url, b"a" * CHUNK, f"0-{CHUNK - 1}/*").status_code == 308
    done = send(admin.client, url, b"b", f"{CHUNK}-{CHUNK}/{CHUNK + 1}")
    assert (done.status_code, storage.content("stream")[1][-2:]) == (200, b"ab")


def test_an_empty_resumable_upload_makes_an_empty_object(storage: Storage, admin: Caller) -> None:
    url = begin(admin, "empty")
    assert send(admin.client, url, b"", "*/0").json()["size"] == "0"
    assert storage.content("empty") == (200, b"")


@pytest.mark.usefixtures("storage")
def test_a_client_that_cannot_take_308_is_answered_200_with_an_override(admin: Caller) -> None:
    url = begin(admin, "overridden")
    reply = send(admin.client, url, b"a" * CHUNK, f"0-{CHUNK - 1}/*", **{"X-GUploader-No-308": "yes"})
    assert (reply.status_code, reply.headers["x-http-status-code-override"]) == (200, "308")


@pytest.mark.usefixtures("storage")
def test_a_gap_between_chunks_is_refused(admin: Caller) -> None:
    url = begin(admin, "gap")
    reply = send(admin.client, url, b"x" * CHUNK, f"{CHUNK}-{2 * CHUNK - 1}/*")
    assert (reply.status_code, "0 bytes were received" in reply.json()["error"]["message"]) == (400, True)


@pytest.mark.usefixtures("storage")
def test_a_chunk_sent_twice_counts_once(admin: Caller) -> None:
    url = begin(admin, "twice")
    send(admin.client, url, b"a" * CHUNK, f"0-{CHUNK - 1}/*")
    send(admin.client, url, b"a" * CHUNK + b"b" * CHUNK, f"0-{2 * CHUNK - 1}/*")
    assert send(admin.client, url, b"", f"*/{2 * CHUNK}").json()["size"] == str(2 * CHUNK)


@pytest.mark.usefixtures("storage")
def test_a_session_survives_a_restart(admin: Caller, cloud: Cloud, tmp_path: Path) -> None:
    url = begin(admin, "survivor")
    send(admin.client, url, b"a" * CHUNK, f"0-{CHUNK - 1}/*")
    cloud.close()
    again = build_cloud(tmp_path)
    client = TestClient(create_app(again), base_url="http://127.0.0.1")
    assert send(client, url, b"", "*/*").headers["range"] == f"bytes=0-{CHUNK - 1}"
    done = send(client, url, b"b", f"{CHUNK}-{CHUNK}/{CHUNK + 1}")
    assert (done.status_code, done.json()["size"]) == (200, str(CHUNK + 1))
    again.close()


@pytest.mark.usefixtures("storage")
def test_a_cancelled_session_is_gone(admin: Caller) -> None:
    url = begin(admin, "cancelled")
    assert admin.client.delete(url).status_code == 499
    assert send(admin.client, url, b"", "*/*").status_code == 404


@pytest.mark.usefixtures("storage")
def test_behind_tls_the_session_lies_at_googles_host(admin: Caller) -> None:
    url = begin(admin, "remote", Host="storage.googleapis.com")
    assert url.startswith("https://storage.googleapis.com/upload/storage/v1/b/")


def test_an_existing_object_is_not_replaced_when_the_caller_expects_none(storage: Storage) -> None:
    made = storage.put("once", b"1", ifGenerationMatch="0")[1]
    status, body = storage.put("once", b"2", ifGenerationMatch="0")
    assert (status, body["error"]["errors"][0]["reason"]) == (412, "conditionNotMet")
    assert storage.put("once", b"2", ifGenerationMatch=made["generation"])[0] == 200


def test_an_upload_needs_a_name(storage: Storage) -> None:
    status, body = storage.put("", b"1")
    assert (status, body["error"]["errors"][0]["reason"]) == (400, "required")
