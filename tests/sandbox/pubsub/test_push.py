"""A push subscription sends each message to its endpoint until it is accepted, then to the dead letters."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

Call = Callable[..., tuple[int, Any]]

ROOT = "/pubsub/v1/projects/test-project"
BUCKET = "https://storage.googleapis.com/upload/storage/v1/b/arrivals/o?uploadType=media&name=last"


@pytest.fixture(autouse=True)
def topics(client: TestClient, admin: Call, project: str, enable: Callable[..., None]) -> Iterator[None]:
    """Two topics and a bucket that anybody may write to; one event loop for the whole test."""
    with client:
        enable("pubsub", "storage")
        for name in ("news", "dead"):
            assert admin("PUT", f"{ROOT}/topics/{name}", {})[0] == 200
        assert admin("PUT", f"{ROOT}/subscriptions/buried", {"topic": topic("dead")})[0] == 200
        assert admin("POST", f"/storage/v1/b?project={project}", {"name": "arrivals", "location": "EU"})[0] == 200
        binding = {"role": "roles/storage.objectAdmin", "members": ["allUsers"]}
        assert admin("PUT", "/storage/v1/b/arrivals/iam", {"bindings": [binding]})[0] == 200
        yield


def topic(name: str) -> str:
    return f"projects/test-project/topics/{name}"


def subscribe(admin: Call, endpoint: str, push: dict[str, Any] | None = None, **fields: Any) -> None:
    config = {"pushEndpoint": endpoint, **(push or {})}
    body = {"topic": topic("news"), "pushConfig": config, **fields}
    assert admin("PUT", f"{ROOT}/subscriptions/pushed", body)[0] == 200


def publish(admin: Call, text: str) -> None:
    message = {"data": base64.b64encode(text.encode()).decode(), "attributes": {"kind": "test"}}
    assert admin("POST", f"{ROOT}/topics/news:publish", {"messages": [message]})[0] == 200


def until(holds: Callable[[], Any]) -> Any:
    for _ in range(400):
        if found := holds():
            return found
        time.sleep(0.01)
    raise AssertionError("it did not happen")


def arrived(admin: Call) -> bytes:
    url = "/storage/v1/b/arrivals/o/last?alt=media"
    reply = admin.client.get(url, headers={"Authorization": "Bearer sandbox"})  # type: ignore[attr-defined]
    return bytes(reply.content) if reply.status_code == 200 else b""


def test_the_endpoint_gets_the_message_wrapped_in_json(admin: Call) -> None:
    subscribe(admin, BUCKET)
    publish(admin, "a plantain")
    content = until(lambda: arrived(admin)).decode()
    assert base64.b64encode(b"a plantain").decode() in content
    assert '"subscription": "projects/test-project/subscriptions/pushed"' in content


def test_without_a_wrapper_it_gets_the_data_alone(admin: Call) -> None:
    subscribe(admin, BUCKET, {"noWrapper": {"writeMetadata": True}})
    publish(admin, "a plantain")
    assert until(lambda: arrived(admin)) == b"a plantain"


def test_a_message_that_is_refused_too_often_becomes_a_dead_letter(admin: Call) -> None:
    dead = {"deadLetterTopic": topic("dead"), "maxDeliveryAttempts": 5}
    retry = {"minimumBackoff": "0.01s", "maximumBackoff": "0.02s"}
    subscribe(admin, "https://example.com/hook", deadLetterPolicy=dead, retryPolicy=retry)
    publish(admin, "a plantain")
    pull = f"{ROOT}/subscriptions/buried:pull"
    found = until(lambda: admin("POST", pull, {"maxMessages": 1})[1].get("receivedMessages"))
    assert found[0]["message"]["attributes"] == {"kind": "test"}


def test_what_waits_is_pushed_when_an_endpoint_is_given(admin: Call) -> None:
    assert admin("PUT", f"{ROOT}/subscriptions/pushed", {"topic": topic("news")})[0] == 200
    publish(admin, "a plantain")
    body = {"pushConfig": {"pushEndpoint": BUCKET, "noWrapper": {}}}
    assert admin("POST", f"{ROOT}/subscriptions/pushed:modifyPushConfig", body)[0] == 200
    assert until(lambda: arrived(admin)) == b"a plantain"
