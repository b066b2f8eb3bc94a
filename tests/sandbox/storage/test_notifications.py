from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.conftest import Caller

from .conftest import BUCKET, Storage

TOPIC = "projects/test-project/topics/changes"
CONFIGS = f"/storage/v1/b/{BUCKET}/notificationConfigs"


@pytest.fixture
def topic(admin: Caller, storage: Storage, enable: Callable[..., None]) -> str:
    """A topic with a subscription, open to the storage agent."""
    assert storage.bucket == BUCKET
    enable("pubsub")
    assert admin("PUT", f"/pubsub/v1/{TOPIC}", {})[0] == 200
    assert admin("PUT", "/pubsub/v1/projects/test-project/subscriptions/reader", {"topic": TOPIC})[0] == 200
    return TOPIC


def open_topic(admin: Caller) -> None:
    agent = admin("GET", "/storage/v1/projects/test-project/serviceAccount")[1]["email_address"]
    binding = {"role": "roles/pubsub.publisher", "members": [f"serviceAccount:{agent}"]}
    assert admin("POST", f"/pubsub/v1/{TOPIC}:setIamPolicy", {"policy": {"bindings": [binding]}})[0] == 200


def received(admin: Caller) -> list[dict[str, Any]]:
    path = "/pubsub/v1/projects/test-project/subscriptions/reader:pull"
    return [m["message"] for m in admin("POST", path, {"maxMessages": 100})[1].get("receivedMessages", [])]


def test_the_storage_agent_must_be_allowed_to_publish(admin: Caller, topic: str) -> None:
    status, body = admin("POST", CONFIGS, {"topic": topic, "payload_format": "JSON_API_V1"})
    assert (status, "does not have permission to publish messages" in body["error"]["message"]) == (403, True)


def test_changes_of_objects_are_announced(admin: Caller, storage: Storage, topic: str) -> None:
    open_topic(admin)
    body = {"topic": topic, "payload_format": "JSON_API_V1", "object_name_prefix": "images/"}
    status, made = admin("POST", CONFIGS, body)
    assert (status, made["id"], made["topic"]) == (200, "1", f"//pubsub.googleapis.com/{TOPIC}")
    storage.put("elsewhere", b"x")
    generation = storage.put("images/1", b"x")[1]["generation"]
    admin("DELETE", f"/storage/v1/b/{BUCKET}/o/images%2F1")
    events = received(admin)
    assert [m["attributes"]["eventType"] for m in events] == ["OBJECT_FINALIZE", "OBJECT_DELETE"]
    assert json.loads(base64.b64decode(events[0]["data"]))["generation"] == generation
    assert admin("GET", f"{CONFIGS}/1")[1]["etag"] == made["etag"]
    assert admin("DELETE", f"{CONFIGS}/1")[0] == 204
    assert admin("GET", CONFIGS)[1] == {"kind": "storage#notifications"}


def test_managed_folders_have_policies_of_their_own(
    admin: Caller, storage: Storage, as_member: Callable[[str], Caller]
) -> None:
    folders = f"/storage/v1/b/{BUCKET}/managedFolders"
    status, made = admin("POST", folders, {"name": "shared"})
    assert (status, made["name"], made["kind"]) == (200, "shared/", "storage#managedFolder")
    storage.put("shared/1", b"x")
    storage.put("private", b"x")
    binding = {"role": "roles/storage.objectViewer", "members": ["user:jo@example.com"]}
    assert admin("PUT", f"{folders}/shared%2F/iam", {"bindings": [binding]})[0] == 200
    reader = as_member("user:jo@example.com")
    assert reader("GET", f"/storage/v1/b/{BUCKET}/o/shared%2F1")[0] == 200
    assert reader("GET", f"/storage/v1/b/{BUCKET}/o/private")[0] == 403
    listed = admin("GET", f"/storage/v1/b/{BUCKET}/o?delimiter=/&includeFoldersAsPrefixes=true")[1]
    assert listed["prefixes"] == ["shared/"]
    assert admin("DELETE", f"{folders}/shared")[0] == 409
    assert admin("DELETE", f"{folders}/shared?allowNonEmpty=true")[0] == 204
    assert admin("GET", f"{folders}/shared")[0] == 404
