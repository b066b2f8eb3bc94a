"""Sinks send new entries on, as soon as their writers are let in."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.cloud import Cloud
from sandbox.services.logging.delivery import deliver
from tests.sandbox.conftest import Caller

Document = dict[str, Any]


@pytest.fixture
def root(project: str, enable: Callable[..., None]) -> str:
    enable("logging", "pubsub", "storage")
    return f"/logging/v2/projects/{project}"


def write(admin: Caller, project: str, text: str) -> None:
    entry = {"logName": f"projects/{project}/logs/app", "resource": {"type": "global"}, "textPayload": text}
    assert admin("POST", "/logging/v2/entries:write", {"entries": [entry]})[0] == 200


def sink(admin: Caller, root: str, destination: str) -> str:
    body = {"name": "out", "destination": destination, "filter": 'LOG_ID("app")'}
    status, made = admin("POST", f"{root}/sinks?uniqueWriterIdentity=true", body)
    assert status == 200
    return str(made["writerIdentity"])


async def test_a_topic_gets_each_entry_once(admin: Caller, cloud: Cloud, project: str, root: str) -> None:
    topic = f"/pubsub/v1/projects/{project}/topics/logs"
    assert admin("PUT", topic, {})[0] == 200
    subscription = f"/pubsub/v1/projects/{project}/subscriptions/logs"
    assert admin("PUT", subscription, {"topic": topic.removeprefix("/pubsub/v1/")})[0] == 200
    writer = sink(admin, root, f"pubsub.googleapis.com{topic.removeprefix('/pubsub/v1')}")
    write(admin, project, "first")
    await deliver(cloud)
    assert admin("POST", f"{subscription}:pull", {"maxMessages": 9})[1] == {}
    binding = {"role": "roles/pubsub.publisher", "members": [writer]}
    assert admin("POST", f"{topic}:setIamPolicy", {"policy": {"bindings": [binding]}})[0] == 200
    await deliver(cloud)
    await deliver(cloud)
    pulled = admin("POST", f"{subscription}:pull", {"maxMessages": 9})[1]["receivedMessages"]
    assert [json.loads(base64.b64decode(one["message"]["data"]))["textPayload"] for one in pulled] == ["first"]


async def test_a_bucket_gets_a_file_of_lines(admin: Caller, cloud: Cloud, project: str, root: str) -> None:
    assert admin("POST", f"/storage/v1/b?project={project}", {"name": "kept-logs", "location": "EU"})[0] == 200
    writer = sink(admin, root, "storage.googleapis.com/kept-logs")
    for text in ("first", "second"):
        write(admin, project, text)
    await deliver(cloud)
    assert "items" not in admin("GET", "/storage/v1/b/kept-logs/o")[1]
    binding = {"role": "roles/storage.objectCreator", "members": [writer]}
    assert admin("PUT", "/storage/v1/b/kept-logs/iam", {"bindings": [binding]})[0] == 200
    await deliver(cloud)
    (item,) = admin("GET", "/storage/v1/b/kept-logs/o")[1]["items"]
    assert item["name"].startswith("app/")
    assert re.search(r"_S\d+\.json$", item["name"])
    url = f"/storage/v1/b/kept-logs/o/{item['name'].replace('/', '%2F')}?alt=media"
    reply = admin.client.get(url, headers={"Authorization": "Bearer sandbox"})
    assert [json.loads(line)["textPayload"] for line in reply.text.splitlines()] == ["first", "second"]
    write(admin, project, "third")
    await deliver(cloud)
    assert len(admin("GET", "/storage/v1/b/kept-logs/o")[1]["items"]) == 2
