"""Tasks are sent when they are due, with the token of their account, and again until somebody takes them."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from sandbox.services.cloudtasks.dispatch import backoff

Answer = tuple[int, Any]
Call = Callable[..., Answer]

LOCATION = "/cloudtasks/v2/projects/test-project/locations/europe-west4"
QUEUE = "projects/test-project/locations/europe-west4/queues/images"
ACCOUNT = "sender@test-project.iam.gserviceaccount.com"
TOPIC = "/pubsub/v1/projects/test-project/topics/made"


@pytest.fixture(autouse=True)
def queue(client: TestClient, admin: Call, project: str, enable: Callable[..., None]) -> Iterator[None]:
    """A queue, an account that may publish to a topic, and a subscription; one event loop for the whole test."""
    with client:
        enable("cloudtasks", "pubsub", "iam")
        retry = {"minBackoff": "0.05s", "maxBackoff": "0.1s", "maxAttempts": 3}
        body = {"name": QUEUE, "retryConfig": retry}
        assert admin("POST", f"{LOCATION}/queues", body)[0] == 200
        assert admin("POST", f"/iam/v1/projects/{project}/serviceAccounts", {"accountId": "sender"})[0] == 200
        yield


@pytest.fixture
def topic(admin: Call, project: str) -> None:
    assert admin("PUT", TOPIC, {})[0] == 200
    subscription = f"/pubsub/v1/projects/{project}/subscriptions/seen"
    assert admin("PUT", subscription, {"topic": f"projects/{project}/topics/made"})[0] == 200
    binding = {"role": "roles/pubsub.publisher", "members": [f"serviceAccount:{ACCOUNT}"]}
    assert admin("POST", f"{TOPIC}:setIamPolicy", {"policy": {"bindings": [binding]}})[0] == 200


def task(**changes: Any) -> dict[str, Any]:
    message = {"messages": [{"data": base64.b64encode(b"a plantain").decode()}]}
    request = {
        "url": "https://pubsub.googleapis.com/v1/projects/test-project/topics/made:publish",
        "headers": {"Content-Type": "application/json"},
        "body": base64.b64encode(json.dumps(message).encode()).decode(),
        "oauthToken": {"serviceAccountEmail": ACCOUNT},
    }
    return {"task": {"httpRequest": {**request, **changes.pop("request", {})}, **changes}}


def create(call: Call, body: dict[str, Any]) -> Answer:
    return call("POST", f"{LOCATION}/queues/images/tasks", body)


def waiting(admin: Call) -> list[dict[str, Any]]:
    return list(admin("GET", f"{LOCATION}/queues/images/tasks")[1].get("tasks", []))


def until(holds: Callable[[], Any]) -> Any:
    for _ in range(400):
        if found := holds():
            return found
        time.sleep(0.01)
    raise AssertionError("it did not happen")


def received(admin: Call) -> list[bytes]:
    pulled = admin("POST", "/pubsub/v1/projects/test-project/subscriptions/seen:pull", {"maxMessages": 10})[1]
    return [base64.b64decode(entry["message"]["data"]) for entry in pulled.get("receivedMessages", [])]


@pytest.mark.usefixtures("topic")
def test_a_task_is_sent_with_its_account_s_token_and_then_gone(admin: Call) -> None:
    assert create(admin, task())[0] == 200
    assert until(lambda: received(admin)) == [b"a plantain"]
    until(lambda: not waiting(admin))


def test_a_refused_task_is_tried_again_and_given_up_after_its_last_attempt(admin: Call) -> None:
    assert create(admin, task())[0] == 200
    seen = until(lambda: [entry for entry in waiting(admin) if entry.get("dispatchCount")])
    assert seen[0]["lastAttempt"]["responseStatus"]["code"] == 7
    until(lambda: not waiting(admin))


@pytest.mark.usefixtures("topic")
def test_a_task_waits_for_its_time_and_moving_the_clock_brings_it(admin: Call) -> None:
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    assert create(admin, task(scheduleTime=moment))[0] == 200
    assert received(admin) == []
    assert admin("POST", "/_sandbox/clock", {"seconds": 3700})[0] == 200
    assert until(lambda: received(admin)) == [b"a plantain"]


@pytest.mark.usefixtures("topic")
def test_a_paused_queue_sends_nothing_until_it_is_resumed(admin: Call) -> None:
    assert admin("POST", f"{LOCATION}/queues/images:pause")[0] == 200
    assert create(admin, task())[0] == 200
    time.sleep(0.05)
    assert received(admin) == []
    assert admin("POST", f"{LOCATION}/queues/images:resume")[0] == 200
    assert until(lambda: received(admin)) == [b"a plantain"]


def test_a_host_outside_is_never_called(admin: Call) -> None:
    assert create(admin, task(request={"url": "https://example.com/hook"}))[0] == 200
    seen = until(lambda: [entry for entry in waiting(admin) if entry.get("dispatchCount")])
    assert seen[0]["lastAttempt"]["responseStatus"] == {
        "code": 14,
        "message": "The sandbox reaches no host outside itself: example.com was not called.",
    }


def test_a_task_in_an_account_s_name_needs_the_right_to_act_as_it(
    admin: Call, as_member: Callable[[str], Call], project: str
) -> None:
    path = f"/cloudresourcemanager/v1/projects/{project}"
    policy = admin("POST", f"{path}:getIamPolicy", {})[1]
    policy["bindings"].append({"role": "roles/cloudtasks.enqueuer", "members": ["user:jo@example.com"]})
    assert admin("POST", f"{path}:setIamPolicy", {"policy": policy})[0] == 200
    status, refusal = create(as_member("user:jo@example.com"), task())
    assert status == 403
    assert "iam.serviceAccounts.actAs" in refusal["error"]["message"]


def test_waits_double_a_few_times_then_grow_evenly_up_to_the_limit() -> None:
    retry = {"minBackoff": "1s", "maxBackoff": "20s", "maxDoublings": 2}
    assert [backoff(retry, attempts) for attempts in range(1, 8)] == [1, 2, 4, 8, 12, 16, 20]
