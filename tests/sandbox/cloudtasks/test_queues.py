from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.cloud import Cloud
from tests.sandbox.conftest import Caller

PARENT = "projects/test-project/locations/europe-west4"
NAME = f"{PARENT}/queues/images"
QUEUES = f"/cloudtasks/v2/{PARENT}/queues"


@pytest.fixture
def create(admin: Caller, enable: Callable[..., None]) -> Callable[..., tuple[int, Any]]:
    enable("cloudtasks")
    return lambda **fields: admin("POST", QUEUES, {"name": NAME, **fields})


def test_a_new_queue_has_the_recorded_defaults(admin: Caller, create: Callable[..., Any]) -> None:
    status, made = create()
    assert (status, made) == (
        200,
        {
            "name": NAME,
            "rateLimits": {"maxDispatchesPerSecond": 500, "maxConcurrentDispatches": 1000, "maxBurstSize": 100},
            "retryConfig": {"maxAttempts": 100, "minBackoff": "0.100s", "maxBackoff": "3600s", "maxDoublings": 16},
        },
    )
    assert admin("GET", f"{QUEUES}/images")[1]["state"] == "RUNNING"


def test_a_queue_is_updated_paused_and_resumed(admin: Caller, create: Callable[..., Any]) -> None:
    create(retryConfig={"maxAttempts": 3})
    body = {"rateLimits": {"maxDispatchesPerSecond": 5}}
    after = admin("PATCH", f"{QUEUES}/images?updateMask=rateLimits.maxDispatchesPerSecond", body)[1]
    assert (after["rateLimits"]["maxDispatchesPerSecond"], after["retryConfig"]["maxAttempts"]) == (5, 3)
    assert admin("POST", f"{QUEUES}/images:pause", {})[1]["state"] == "PAUSED"
    assert admin("POST", f"{QUEUES}/images:resume", {})[1]["state"] == "RUNNING"


def test_updating_a_queue_that_is_not_there_creates_it(admin: Caller, enable: Callable[..., None]) -> None:
    enable("cloudtasks")
    status, made = admin("PATCH", f"{QUEUES}/fresh", {"rateLimits": {"maxDispatchesPerSecond": 1}})
    assert (status, made["rateLimits"]["maxBurstSize"]) == (200, 10)


def test_the_name_of_a_deleted_queue_rests(admin: Caller, cloud: Cloud, create: Callable[..., Any]) -> None:
    create()
    assert create()[0] == 409
    assert admin("DELETE", f"{QUEUES}/images") == (200, {})
    status, body = admin("GET", f"{QUEUES}/images")
    assert (status, body["error"]["message"]) == (404, f'queue "{NAME}" not found')
    status, body = create()
    assert (status, "existed too recently" in body["error"]["message"]) == (400, True)
    cloud.clock.advance(3 * 86400 + 1)
    assert create()[0] == 200


def test_a_name_elsewhere_is_refused(admin: Caller, create: Callable[..., Any]) -> None:
    assert create()[0] == 200
    status, body = admin("POST", QUEUES, {"name": NAME.replace("europe-west4", "us-central1")})
    assert (status, "Queue.name must be" in body["error"]["message"]) == (400, True)


def test_tasks_wait_in_the_queue_until_they_are_purged(admin: Caller, create: Callable[..., Any]) -> None:
    create()
    request = {"url": "https://images.example.com/images", "body": "eyJ9", "headers": {"A": "b"}}
    status, task = admin("POST", f"{QUEUES}/images/tasks", {"task": {"httpRequest": request}})
    assert (status, task["httpRequest"]["httpMethod"], "body" in task["httpRequest"]) == (200, "POST", False)
    assert task["dispatchDeadline"] == "600s"
    whole = admin("GET", f"/cloudtasks/v2/{task['name']}?responseView=FULL")[1]
    assert whole["httpRequest"]["body"] == "eyJ9"
    named = {"task": {"name": f"{NAME}/tasks/once", "httpRequest": request}}
    assert admin("POST", f"{QUEUES}/images/tasks", named)[0] == 200
    assert admin("POST", f"{QUEUES}/images/tasks", named)[0] == 409
    assert len(admin("GET", f"{QUEUES}/images/tasks")[1]["tasks"]) == 2
    assert admin("DELETE", f"{QUEUES}/images/tasks/once")[0] == 200
    assert "purgeTime" in admin("POST", f"{QUEUES}/images:purge", {})[1]
    assert admin("GET", f"{QUEUES}/images/tasks")[1] == {}


def test_a_task_without_an_address_is_refused(admin: Caller, create: Callable[..., Any]) -> None:
    create()
    status, body = admin("POST", f"{QUEUES}/images/tasks", {"task": {}})
    assert (status, "give httpRequest.url" in body["error"]["message"]) == (400, True)


def test_enqueueing_needs_its_own_role(
    admin: Caller, create: Callable[..., Any], as_member: Callable[[str], Caller]
) -> None:
    create()
    member = "user:jo@example.com"
    body = {"task": {"httpRequest": {"url": "https://images.example.com"}}}
    assert as_member(member)("POST", f"{QUEUES}/images/tasks", body)[0] == 403
    binding = {"role": "roles/cloudtasks.enqueuer", "members": [member]}
    assert admin("POST", f"{QUEUES}/images:setIamPolicy", {"policy": {"bindings": [binding]}})[0] == 200
    assert as_member(member)("POST", f"{QUEUES}/images/tasks", body)[0] == 200
