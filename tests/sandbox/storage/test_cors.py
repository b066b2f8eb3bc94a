"""What pages of other origins may do with a bucket's objects."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.sandbox.conftest import Caller

PAGE = "https://studio.example"
RULE = {"origin": [PAGE], "method": ["GET", "PUT"], "responseHeader": ["Content-Type", "x-goog-meta-by"]}
OBJECT = "/page-images/a.txt"


@pytest.fixture
def bucket(admin: Caller, project: str) -> str:
    body = {"name": "page-images", "cors": [{**RULE, "maxAgeSeconds": 60}]}
    assert admin("POST", f"/storage/v1/b?project={project}", body)[0] == 200
    assert admin("POST", "/upload/storage/v1/b/page-images/o?uploadType=media&name=a.txt", {"a": 1})[0] == 200
    return "page-images"


def ask(client: TestClient, origin: str, verb: str, headers: str = "", path: str = OBJECT) -> dict[str, str]:
    asked = {"Origin": origin, "Access-Control-Request-Method": verb}
    if headers:
        asked["Access-Control-Request-Headers"] = headers
    reply = client.options(path, headers={"Host": "storage.googleapis.com", **asked})
    assert reply.status_code == 200
    return {key: value for key, value in reply.headers.items() if key.startswith("access-control-")}


@pytest.mark.usefixtures("bucket")
def test_a_preflight_needs_no_credentials_and_is_answered_by_the_rule(client: TestClient) -> None:
    assert ask(client, PAGE, "PUT", "content-type, X-Goog-Meta-By") == {
        "access-control-allow-origin": PAGE,
        "access-control-allow-methods": "GET,PUT",
        "access-control-allow-headers": "content-type,x-goog-meta-by",
        "access-control-max-age": "60",
    }


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize(
    ("origin", "verb", "headers"),
    [("https://other.example", "GET", ""), (PAGE, "DELETE", ""), (PAGE, "GET", "authorization")],
)
def test_what_no_rule_allows_is_answered_without_a_word(
    client: TestClient, origin: str, verb: str, headers: str
) -> None:
    assert ask(client, origin, verb, headers) == {}


def test_a_bucket_without_rules_allows_nothing(client: TestClient, admin: Caller, project: str) -> None:
    assert admin("POST", f"/storage/v1/b?project={project}", {"name": "closed-images"})[0] == 200
    assert ask(client, PAGE, "GET", path="/closed-images/a.txt") == {}
    assert ask(client, PAGE, "GET", path="/no-such-bucket/a.txt") == {}


def test_the_answer_itself_is_shown_to_the_page_refusals_too(client: TestClient, bucket: str) -> None:
    headers = {"Host": "storage.googleapis.com", "Origin": PAGE}
    read = client.get(f"/{bucket}/a.txt", headers={**headers, "Authorization": "Bearer sandbox"})
    assert (read.status_code, read.headers["access-control-allow-origin"], read.headers["vary"]) == (
        200,
        PAGE,
        "Origin",
    )
    assert read.headers["access-control-expose-headers"] == "Content-Type, x-goog-meta-by"
    refused = client.get(f"/{bucket}/a.txt", headers=headers)
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (403, PAGE)
    plain = client.get(f"/{bucket}/a.txt", headers={"Host": headers["Host"], "Authorization": "Bearer sandbox"})
    assert "access-control-allow-origin" not in plain.headers


def test_a_star_allows_every_page(client: TestClient, admin: Caller, bucket: str) -> None:
    body = {"cors": [{"origin": ["*"], "method": ["*"], "responseHeader": ["*"]}]}
    assert admin("PATCH", f"/storage/v1/b/{bucket}", body)[0] == 200
    found = ask(client, "https://other.example", "DELETE", "authorization")
    assert (found["access-control-allow-origin"], found["access-control-max-age"]) == ("*", "3600")
