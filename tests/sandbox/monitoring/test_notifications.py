"""An incident's opening and closing reach every live channel of its policy."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.cloud import Cloud
from sandbox.services.monitoring.series import record
from tests.sandbox.conftest import Caller

Document = dict[str, Any]
Create = Callable[[str, Document], Document]
INSTANCES = "run.googleapis.com/container/instance_count"


@pytest.fixture
def instances(cloud: Cloud, project: str, admin: Caller, url: str) -> Callable[[int], None]:
    """A minute passes, so many instances run, and somebody looks at the incidents."""

    def tell(count: int) -> None:
        cloud.clock.advance(60)
        resource = ("cloud_run_revision", {"service_name": "images"})
        record(cloud, project, INSTANCES, count, labels={"state": "active"}, resource=resource)
        assert admin("GET", f"{url}/alerts")[0] == 200

    return tell


@pytest.fixture
def topic(admin: Caller, project: str, enable: Callable[..., None]) -> str:
    """A topic with a subscription."""
    enable("pubsub")
    root = f"/pubsub/v1/projects/{project}"
    assert admin("PUT", f"{root}/topics/alerts", {})[0] == 200
    body = {"topic": f"projects/{project}/topics/alerts"}
    assert admin("PUT", f"{root}/subscriptions/alerts", body)[0] == 200
    return f"projects/{project}/topics/alerts"


def announced(admin: Caller) -> list[Document]:
    return list(admin("GET", "/_sandbox/notifications")[1])


def test_each_channel_is_told_once_of_the_opening_and_once_of_the_closing(
    admin: Caller, create: Create, policy: Callable[..., Document], instances: Callable[[int], None]
) -> None:
    labels = {"email_address": "ops@example.com"}
    channel = create("notificationChannels", {"type": "email", "labels": labels})["name"]
    silent = create("notificationChannels", {"type": "email", "labels": labels, "enabled": False})["name"]
    runbook = {"content": "Raise maxInstances.", "mimeType": "text/markdown"}
    create("alertPolicies", {**policy(), "notificationChannels": [channel, silent], "documentation": runbook})
    for count in (9, 9, 3):
        instances(count)
    told = announced(admin)
    assert [one["message"]["incident"]["state"] for one in told] == ["open", "closed"]
    assert {(one["type"], one["address"], one["channel"]) for one in told} == {("email", "ops@example.com", channel)}
    assert told[0]["message"]["incident"]["documentation"]["content"] == "Raise maxInstances."


def test_a_topic_gets_the_incident_once_the_agent_may_publish(
    admin: Caller,
    cloud: Cloud,
    project: str,
    topic: str,
    create: Create,
    policy: Callable[..., Document],
    instances: Callable[[int], None],
) -> None:
    channel = create("notificationChannels", {"type": "pubsub", "labels": {"topic": topic}})["name"]
    create("alertPolicies", {**policy(), "notificationChannels": [channel]})
    instances(9)
    (refused,) = announced(admin)
    assert "lacks pubsub.topics.publish" in refused["failure"]
    number = cloud.hierarchy.project_number(project)
    agent = f"serviceAccount:service-{number}@gcp-sa-monitoring-notification.iam.gserviceaccount.com"
    binding = {"role": "roles/pubsub.publisher", "members": [agent]}
    assert admin("POST", f"/pubsub/v1/{topic}:setIamPolicy", {"policy": {"bindings": [binding]}})[0] == 200
    instances(3)
    pull = f"/pubsub/v1/projects/{project}/subscriptions/alerts:pull"
    (got,) = admin("POST", pull, {"maxMessages": 5})[1]["receivedMessages"]
    message = json.loads(base64.b64decode(got["message"]["data"]))
    assert message["incident"]["state"] == "closed"
    assert message["incident"]["policy_name"] == "too many"


def test_a_topic_that_is_gone_is_named(
    admin: Caller, topic: str, create: Create, policy: Callable[..., Document], instances: Callable[[int], None]
) -> None:
    channel = create("notificationChannels", {"type": "pubsub", "labels": {"topic": topic}})["name"]
    create("alertPolicies", {**policy(), "notificationChannels": [channel]})
    assert admin("DELETE", f"/pubsub/v1/{topic}")[0] == 200
    instances(9)
    assert announced(admin)[0]["failure"] == f"The topic {topic} does not exist."


def test_a_channel_is_verified_by_the_code_that_it_was_sent(admin: Caller, url: str, create: Create) -> None:
    del url
    channel = create("notificationChannels", {"type": "sms", "labels": {"number": "+15550100"}})
    path = f"/monitoring/v3/{channel['name']}"
    assert channel["verificationStatus"] == "UNVERIFIED"
    assert admin("POST", f"{path}:getVerificationCode", {})[0] == 400
    assert admin("POST", f"{path}:sendVerificationCode", {}) == (200, {})
    (sent,) = announced(admin)
    assert sent["address"] == "+15550100"
    assert admin("POST", f"{path}:verify", {"code": "G-none"})[0] == 400
    code = sent["message"]["verificationCode"]
    assert admin("POST", f"{path}:verify", {"code": code})[1]["verificationStatus"] == "VERIFIED"
    assert admin("POST", f"{path}:getVerificationCode", {})[1]["code"] == code
