from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from plantain import endpoints, retrying
from plantain.credentials import ApplicationDefault
from plantain.errors import CredentialsError, GoogleCloudError, InputError
from plantain.google_cloud import GoogleCloud
from tests.plantain.ending import ends

Handler = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _: None)
    for name in ("PLANTAIN_SANDBOX", "PULUMI_STACK", "GOOGLE_IMPERSONATE_SERVICE_ACCOUNT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def cloud() -> Iterator[Callable[..., GoogleCloud]]:
    made: list[GoogleCloud] = []

    def make(handler: Handler, **options: Any) -> GoogleCloud:
        made.append(
            GoogleCloud(lambda renew: "new" if renew else "old", transport=httpx.MockTransport(handler), **options)
        )
        return made[-1]

    yield make
    for one in made:
        one.close()


def answers(*replies: httpx.Response) -> tuple[Handler, list[httpx.Request]]:
    asked: list[httpx.Request] = []
    waiting = iter(replies)

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return next(waiting)

    return handler, asked


def test_a_call_goes_to_the_services_host_with_the_token(cloud: Callable[..., GoogleCloud]) -> None:
    handler, asked = answers(httpx.Response(200, json={"name": "k"}))
    found = cloud(handler, quota_project="seed").call("GET", "cloudkms", "v1/projects/p/x", params={"a": 1, "b": None})
    assert found == {"name": "k"}
    assert str(asked[0].url) == "https://cloudkms.googleapis.com/v1/projects/p/x?a=1"
    assert asked[0].headers["authorization"] == "Bearer old"
    assert asked[0].headers["x-goog-user-project"] == "seed"


def test_a_sandbox_is_told_the_host_and_keeps_custom_verbs(cloud: Callable[..., GoogleCloud]) -> None:
    handler, asked = answers(httpx.Response(200, json={}))
    one = cloud(handler, sandbox="http://127.0.0.1:8085/", quota_project="seed")
    one.call("POST", "europe-west4-aiplatform", "v1/models/m:countTokens", body={"a": 1})
    assert str(asked[0].url) == "http://127.0.0.1:8085/v1/models/m:countTokens"
    assert asked[0].headers["host"] == "europe-west4-aiplatform.googleapis.com"
    assert "x-goog-user-project" not in asked[0].headers
    assert json.loads(asked[0].content) == {"a": 1}


def test_a_private_endpoint_takes_the_place_of_the_host(cloud: Callable[..., GoogleCloud]) -> None:
    handler, asked = answers(httpx.Response(200, json={}))
    cloud(handler, endpoints={"cloudkms": "https://kms.p.example.com/v1/"}).call("GET", "cloudkms", "v1/projects/p")
    assert str(asked[0].url) == "https://kms.p.example.com/v1/projects/p"


SERVICES = ("us-aiplatform", "europe-west4-aiplatform", "aiplatform", "storage")


def test_vertex_ais_multi_regions_have_hosts_of_their_own() -> None:
    hosts = [endpoints.host_of(name) for name in ("us-aiplatform", "europe-west4-aiplatform", "aiplatform", "storage")]
    assert hosts == [
        "aiplatform.us.rep.googleapis.com",
        "europe-west4-aiplatform.googleapis.com",
        "aiplatform.googleapis.com",
        "storage.googleapis.com",
    ]


def test_pages_are_read_to_the_last(cloud: Callable[..., GoogleCloud]) -> None:
    handler, asked = answers(
        httpx.Response(200, json={"items": [{"n": 1}], "nextPageToken": "t"}),
        httpx.Response(200, json={"items": [{"n": 2}]}),
    )
    assert list(cloud(handler).pages("storage", "storage/v1/b", "items", project="p")) == [{"n": 1}, {"n": 2}]
    assert dict(asked[1].url.params) == {"project": "p", "pageToken": "t"}


def test_a_list_that_is_posted_has_its_page_token_in_the_body(cloud: Callable[..., GoogleCloud]) -> None:
    handler, asked = answers(
        httpx.Response(200, json={"entries": [{}], "nextPageToken": "t"}), httpx.Response(200, json={})
    )
    found = list(cloud(handler).pages("logging", "v2/entries:list", "entries", method="POST", body={"filter": "f"}))
    assert found == [{}]
    assert json.loads(asked[1].content) == {"filter": "f", "pageToken": "t"}


@pytest.mark.parametrize("status", [429, 503])
def test_a_refusal_for_now_is_tried_again_whatever_the_verb(status: int, cloud: Callable[..., GoogleCloud]) -> None:
    handler, asked = answers(httpx.Response(status, headers={"retry-after": "1"}), httpx.Response(200, json={"a": 1}))
    assert cloud(handler).call("POST", "cloudkms", "v1/x") == {"a": 1}
    assert len(asked) == 2


def test_a_write_that_may_have_happened_is_not_sent_twice(cloud: Callable[..., GoogleCloud]) -> None:
    handler, asked = answers(httpx.Response(500, text="broken"))
    with pytest.raises(GoogleCloudError, match="broken") as raised:
        cloud(handler).call("POST", "cloudkms", "v1/x")
    assert (raised.value.status, raised.value.service, raised.value.path) == (500, "cloudkms", "v1/x")
    assert len(asked) == 1


def test_retries_end(cloud: Callable[..., GoogleCloud]) -> None:
    handler, asked = answers(*[httpx.Response(503, json={"error": {"status": "UNAVAILABLE", "message": "later"}})] * 9)
    with pytest.raises(GoogleCloudError) as raised:
        cloud(handler).call("GET", "cloudkms", "v1/x")
    assert raised.value.reason == "UNAVAILABLE"
    assert len(asked) == retrying.ATTEMPTS


def test_a_stale_token_is_renewed_once(cloud: Callable[..., GoogleCloud]) -> None:
    handler, asked = answers(httpx.Response(401), httpx.Response(200, json={}))
    cloud(handler).call("GET", "cloudkms", "v1/x")
    assert [request.headers["authorization"] for request in asked] == ["Bearer old", "Bearer new"]
    handler, asked = answers(*[httpx.Response(401, json={"error": {"status": "UNAUTHENTICATED", "message": "no"}})] * 3)
    with pytest.raises(GoogleCloudError) as raised:
        cloud(handler).call("GET", "cloudkms", "v1/x")
    assert raised.value.reason == "UNAUTHENTICATED"
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            {"status": "PERMISSION_DENIED", "details": [{"@type": "x/ErrorInfo", "reason": "SERVICE_DISABLED"}]},
            "SERVICE_DISABLED",
        ),
        (
            {"status": "PERMISSION_DENIED", "details": [{"violations": [{"type": "VPC_SERVICE_CONTROLS"}]}]},
            "VPC_SERVICE_CONTROLS",
        ),
        ({"errors": [{"reason": "forbidden"}]}, "forbidden"),
        ({"status": "PERMISSION_DENIED"}, "PERMISSION_DENIED"),
    ],
)
def test_a_refusal_gives_googles_reason(error: dict[str, Any], reason: str, cloud: Callable[..., GoogleCloud]) -> None:
    handler, _ = answers(httpx.Response(403, json={"error": {"code": 403, "message": "no", **error}}))
    with pytest.raises(GoogleCloudError) as raised:
        cloud(handler).call("GET", "cloudkms", "v1/x")
    assert (raised.value.status, raised.value.reason, raised.value.explanation) == (403, reason, "no")
    assert raised.value.exit_code == 7


def test_a_refusal_without_an_explanation_is_said_to_have_none(cloud: Callable[..., GoogleCloud]) -> None:
    handler, _ = answers(httpx.Response(404), httpx.Response(403, json={"error": {"status": "PERMISSION_DENIED"}}))
    one = cloud(handler)
    with ends(7, "cloudkms.googleapis.com v1/x: HTTP 404: no explanation"):
        one.call("GET", "cloudkms", "v1/x")
    with ends(7, "cloudkms.googleapis.com v1/x: HTTP 403 PERMISSION_DENIED: no explanation"):
        one.call("GET", "cloudkms", "v1/x")


def test_a_page_that_is_no_json_is_named(cloud: Callable[..., GoogleCloud]) -> None:
    handler, _ = answers(httpx.Response(200, text="<html>"))
    with pytest.raises(GoogleCloudError) as raised:
        cloud(handler).call("GET", "cloudkms", "v1/x")
    assert raised.value.reason == "NOT_JSON"


def test_nobody_at_the_port_is_said_at_once() -> None:
    with GoogleCloud(lambda _: "t", sandbox="http://127.0.0.1:9") as nobody, pytest.raises(GoogleCloudError) as raised:
        nobody.call("GET", "cloudkms", "v1/x")
    assert (raised.value.status, raised.value.reason) == (0, "UNREACHABLE")


def test_bytes_go_both_ways(cloud: Callable[..., GoogleCloud]) -> None:
    handler, asked = answers(httpx.Response(200, content=b"\x89PNG"), httpx.Response(200, json={"name": "o"}))
    one = cloud(handler)
    assert one.download("storage", "storage/v1/b/b/o/o", params={"alt": "media"}) == b"\x89PNG"
    assert one.upload("storage", "upload/storage/v1/b/b/o", b"x", params={"name": "o"}) == {"name": "o"}
    assert asked[1].content == b"x"


def test_the_sandbox_of_the_shell_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANTAIN_SANDBOX", "http://127.0.0.1:1234")
    with GoogleCloud.from_environment() as found:
        assert found.sandbox == "http://127.0.0.1:1234"


def test_the_sandbox_of_the_stack_is_found(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: plantain\n")
    endpoints = {"kms": "http://127.0.0.1:8085/cloudkms/v1/", "storage": "http://127.0.0.1:8085/storage/v1/"}
    (tmp_path / "Pulumi.s.yaml").write_text(json.dumps({"config": {"plantain:endpoints": endpoints}}))
    with GoogleCloud.from_environment(tmp_path, "s") as found:
        assert found.sandbox == "http://127.0.0.1:8085"


def test_endpoints_elsewhere_are_private_endpoints_and_no_sandbox(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: plantain\n")
    config = {"plantain:endpoints": {"kms": "https://kms.p.example.com/v1/"}, "plantain:quotaProject": "seed"}
    (tmp_path / "Pulumi.s.yaml").write_text(json.dumps({"config": config}))
    with GoogleCloud.from_environment(tmp_path, "s") as found:
        assert found.sandbox is None
        assert found._address("cloudkms", "v1/p") == ("https://kms.p.example.com/v1/p", {})
        assert found._headers == {"x-goog-user-project": "seed"}


def test_endpoints_that_are_no_map_are_refused(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: plantain\n")
    (tmp_path / "Pulumi.s.yaml").write_text(json.dumps({"config": {"plantain:endpoints": ["x"]}}))
    with pytest.raises(InputError, match="no map"):
        GoogleCloud.from_environment(tmp_path, "s")


def test_without_credentials_the_cure_is_a_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(CredentialsError) as raised:
        ApplicationDefault()(renew=False)
    assert raised.value.exit_code == 8
    assert raised.value.cure == "gcloud auth application-default login"


class Broken(httpx.SyncByteStream):
    """An answer whose connection breaks after its first line."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"first\n"
        raise httpx.ReadError("reset")


def test_an_object_whose_connection_breaks_is_not_taken_for_whole(cloud: Callable[..., GoogleCloud]) -> None:
    handler, _ = answers(httpx.Response(200, stream=Broken()), httpx.Response(403, json={"error": {"message": "no"}}))
    one = cloud(handler)
    read: list[str] = []
    with ends(7, "the connection broke (ReadError: reset), so it was not read to its end"):
        read.extend(one.lines("storage", "storage/v1/b/b/o/o"))
    with ends(7, "storage.googleapis.com storage/v1/b/b/o/o: HTTP 403: no"):
        read.extend(one.lines("storage", "storage/v1/b/b/o/o"))
    assert read == ["first"]
