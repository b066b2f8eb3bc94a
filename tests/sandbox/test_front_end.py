"""What every client library expects of Google's front end, whatever its language."""

from __future__ import annotations

import email
import gzip
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from sandbox.batches import MOST
from sandbox.errors import InvalidArgument, RequestTooLarge
from sandbox.front_end import unpacked
from sandbox.selections import Selection, select
from tests.sandbox.conftest import Caller

BEARER = {"Authorization": "Bearer sandbox"}
JSON = {**BEARER, "Content-Type": "application/json"}
OBJECT = "/storage/v1/b/habits/o/dir%2Fred%20kite.txt"


@pytest.fixture(autouse=True)
def bucket(admin: Caller, project: str, enable: Callable[..., None]) -> None:
    enable("storage")
    assert (
        admin("POST", f"/storage/v1/b?project={project}", {"name": "habits", "labels": {"a": "1", "b": "2"}})[0] == 200
    )


@pytest.fixture
def stored(client: TestClient) -> None:
    url = "/upload/storage/v1/b/habits/o?uploadType=media&name=dir%2Fred%20kite.txt"
    assert client.post(url, content=b"a red kite", headers={**BEARER, "Content-Type": "text/plain"}).status_code == 200


def test_a_compressed_body_is_read(client: TestClient, project: str) -> None:
    body = gzip.compress(json.dumps({"name": "compressed"}).encode())
    reply = client.post(f"/storage/v1/b?project={project}", content=body, headers={**JSON, "Content-Encoding": "gzip"})
    assert reply.json()["name"] == "compressed"


def test_a_body_that_only_says_it_is_compressed_is_refused(client: TestClient, project: str) -> None:
    reply = client.post(
        f"/storage/v1/b?project={project}", content=b'{"name": "plain"}', headers={**JSON, "Content-Encoding": "gzip"}
    )
    assert (reply.status_code, reply.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")


def test_a_body_that_unpacks_without_end_is_refused() -> None:
    with pytest.raises(RequestTooLarge, match="larger than 1000 bytes"):
        unpacked(gzip.compress(bytes(1_000_000)), 1000)


def test_the_object_of_a_compressed_upload_stays_compressed(client: TestClient) -> None:
    content = gzip.compress(b"text")
    url = "/upload/storage/v1/b/habits/o?uploadType=media&name=packed&contentEncoding=gzip"
    headers = {**BEARER, "Content-Type": "text/plain"}
    assert client.post(url, content=content, headers=headers).json()["size"] == str(len(content))


def test_a_body_in_chunks_is_read(client: TestClient, project: str) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'{"name": "in-'
        yield b'chunks"}'

    assert client.post(f"/storage/v1/b?project={project}", content=chunks(), headers=JSON).json()["name"] == "in-chunks"


def test_the_method_may_stand_in_a_header(client: TestClient) -> None:
    headers = {**JSON, "X-HTTP-Method-Override": "PATCH"}
    reply = client.post("/storage/v1/b/habits", content=b'{"labels": {"c": "3"}}', headers=headers)
    assert reply.json()["labels"] == {"a": "1", "b": "2", "c": "3"}


def test_a_long_query_may_stand_in_the_body(client: TestClient) -> None:
    headers = {**BEARER, "X-HTTP-Method-Override": "GET", "Content-Type": "application/x-www-form-urlencoded"}
    reply = client.post("/storage/v1/b/habits?alt=json", content="fields=name", headers=headers)
    assert reply.json() == {"name": "habits"}


@pytest.mark.parametrize("parameter", ["access_token", "oauth_token"])
def test_a_token_may_stand_in_the_query(client: TestClient, parameter: str) -> None:
    assert client.get(f"/storage/v1/b/habits?{parameter}=sandbox").status_code == 200
    assert client.get(f"/storage/v1/b/habits?{parameter}=nonsense").status_code == 401


@pytest.mark.usefixtures("stored")
def test_head_has_the_headers_of_get(client: TestClient) -> None:
    reply = client.head(f"{OBJECT}?alt=media", headers=BEARER)
    assert (reply.status_code, reply.headers["content-length"], reply.content) == (200, "10", b"")


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/storage/v1/b/habits?fields=name,labels/a", {"name": "habits", "labels": {"a": "1"}}),
        (
            "/storage/v1/b/habits/o?fields=items(name,size),nextPageToken",
            {"items": [{"name": "dir/red kite.txt", "size": "10"}]},
        ),
        (f"{OBJECT}?fields=bucket&prettyPrint=false&alt=json", {"bucket": "habits"}),
        ("/cloudresourcemanager/v3/projects/test-project?$fields=projectId", {"projectId": "test-project"}),
        ("/storage/v1/b/habits?fields=none", {}),
    ],
)
def test_an_answer_has_the_chosen_fields(client: TestClient, path: str, expected: dict[str, Any]) -> None:
    assert client.get(path, headers=BEARER).json() == expected


@pytest.mark.usefixtures("stored")
def test_contents_and_refusals_are_not_cut(client: TestClient) -> None:
    assert client.get(f"{OBJECT}?alt=media&fields=name", headers=BEARER).content == b"a red kite"
    assert "error" in client.get("/storage/v1/b/none?fields=name", headers=BEARER).json()


@pytest.mark.parametrize("text", ["items(", "a,,b", "/a", "a)", "a/"])
def test_a_selection_that_cannot_be_read_is_refused(client: TestClient, text: str) -> None:
    reply = client.get("/storage/v1/b/habits", params={"fields": text}, headers=BEARER)
    assert (reply.status_code, reply.json()["error"]["message"]) == (400, f"Invalid field selection {text}")


def test_choices_of_the_same_field_are_joined() -> None:
    document = {"items": [{"a": 1, "b": {"c": 2, "d": 3}, "e": 4}], "kind": "k"}
    chosen = Selection.read("items/a,items/b/c,items(b/d)")
    assert select(document, chosen) == {"items": [{"a": 1, "b": {"c": 2, "d": 3}}]}
    assert select(document, Selection.read("*/e,kind")) == {"items": [{"e": 4}], "kind": "k"}
    with pytest.raises(InvalidArgument):
        Selection.read("a b")


@pytest.mark.parametrize("quote", ["", '"', "'"])
def test_metadata_and_content_come_in_one_body(client: TestClient, quote: str) -> None:
    body = (
        b'--==a==\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{"name": "both", "metadata": {"k": "v"}}\r\n'
        b"--==a==\r\nContent-Type: text/plain\r\n\r\ncontent\r\n--==a==--"
    )
    kind = f"multipart/related; boundary={quote}==a=={quote}"
    url = "/upload/storage/v1/b/habits/o?uploadType=multipart&alt=json&prettyPrint=false"
    made = client.post(url, content=body, headers={**BEARER, "Content-Type": kind}).json()
    assert (made["metadata"], made["size"], made["contentType"]) == ({"k": "v"}, "7", "text/plain")


def test_an_upload_is_taken_up_again_where_it_stopped(client: TestClient) -> None:
    start = client.post("/upload/storage/v1/b/habits/o?uploadType=resumable&name=big", json={}, headers=BEARER)
    session = start.headers["location"]
    assert client.put(session, content=b"01234", headers={"Content-Range": "bytes 0-4/10"}).status_code == 308
    asked = client.put(session, headers={"Content-Range": "bytes */10"})
    assert (asked.status_code, asked.headers["range"]) == (308, "bytes=0-4")
    done = client.put(session, content=b"56789", headers={"Content-Range": "bytes 5-9/10"})
    assert (done.status_code, done.json()["size"]) == (200, "10")


def batch(*requests: str, kind: str = 'multipart/mixed; boundary="=b="') -> dict[str, Any]:
    parts = [
        f"--=b=\r\nContent-Type: application/http\r\nContent-ID: <id+{index}>\r\n\r\n{text}\r\n"
        for index, text in enumerate(requests)
    ]
    return {"content": "".join(parts) + "--=b=--", "headers": {**BEARER, "Content-Type": kind}}


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("path", ["/batch/storage/v1", "/batch"])
def test_each_request_of_a_batch_is_answered_by_itself(client: TestClient, path: str) -> None:
    change = '{"metadata": {"k": "v"}}'
    patch = (
        f"PATCH {OBJECT} HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {len(change)}\r\n\r\n{change}"
    )
    alone = f"GET {OBJECT} HTTP/1.1\r\nAuthorization: Bearer nonsense\r\n\r\n"
    reply = client.post(path, **batch(patch, f"DELETE {OBJECT}-none HTTP/1.1\r\n\r\n", alone))
    message = email.message_from_string(f"Content-Type: {reply.headers['content-type']}\r\n\r\n{reply.text}")
    answers: list[Any] = list(message.get_payload())
    assert [part["Content-ID"] for part in answers] == ["<response-id+0>", "<response-id+1>", "<response-id+2>"]
    texts = [part.get_payload() for part in answers]
    assert [text.split()[1] for text in texts] == ["200", "404", "401"]
    assert json.loads(texts[0].partition("\n\n")[2] or texts[0].partition("\r\n\r\n")[2])["metadata"] == {"k": "v"}
    assert client.get(OBJECT, headers=BEARER).json()["metadata"] == {"k": "v"}


@pytest.mark.parametrize(
    "request_",
    [
        batch("GET /storage/v1/b/habits HTTP/1.1\r\n\r\n", kind="application/json"),
        batch("nonsense\r\n\r\n"),
        batch(*["GET /storage/v1/b/habits HTTP/1.1\r\n\r\n"] * (MOST + 1)),
        batch(),
    ],
)
def test_what_is_no_batch_is_refused(client: TestClient, request_: dict[str, Any]) -> None:
    reply = client.post("/batch/storage/v1", **request_)
    assert (reply.status_code, reply.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
