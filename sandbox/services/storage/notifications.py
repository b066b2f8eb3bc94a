"""Pub/Sub notifications of changes to objects.

Source: https://docs.cloud.google.com/storage/docs/pubsub-notifications (read 2026-08) and recorded answers.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from sandbox.call import Call, Principal, Reply
from sandbox.errors import NotFound, PermissionDenied
from sandbox.services.pubsub import messages
from sandbox.services.pubsub.names import TOPICS
from sandbox.services.registry import Handler
from sandbox.services.serviceusage.agents import ensure
from sandbox.services.storage import refusals
from sandbox.services.storage.buckets import read as read_bucket

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]

KIND = "storage.notifications"
HOST = "//pubsub.googleapis.com/"
FORMATS = {"JSON_API_V1", "NONE"}
MOST = 100

FINALIZE, DELETE, ARCHIVE, UPDATE = "OBJECT_FINALIZE", "OBJECT_DELETE", "OBJECT_ARCHIVE", "OBJECT_METADATA_UPDATE"


def collection(bucket: str) -> str:
    """Where a bucket's notifications lie."""
    return f"b/{bucket}/notificationConfigs"


def insert(call: Call) -> Document:
    """Tell a topic about a bucket's objects; the storage agent must be allowed to publish."""
    bucket = read_bucket(call.cloud, call.parameters["bucket"])
    body = call.body
    if body.get("payload_format") not in FORMATS:
        raise refusals.invalid("Required: payload_format, JSON_API_V1 or NONE.", "required")
    topic = call.cloud.hierarchy.canonical(str(body.get("topic", "")).removeprefix(HOST))
    agent = ensure(call.cloud, "storage", bucket["_project"])
    holder = Principal(f"serviceAccount:{agent}")
    known = call.cloud.store.get(TOPICS, topic)
    if not known or not call.cloud.permissions.grant(holder, "pubsub.topics.publish", "pubsub", topic):
        raise PermissionDenied(
            f"The service account '{agent}' does not have permission to publish messages to to the Cloud Pub/Sub topic "
            f"'{HOST}{topic}', or that topic does not exist."
        )
    existing = call.cloud.store.documents(KIND, collection(bucket["name"]))
    if len(existing) >= MOST:
        raise refusals.invalid(f"A bucket can have at most {MOST} notification configurations.")
    number = str(max((int(n["id"]) for n in existing), default=0) + 1)
    document = {
        **{k: v for k, v in body.items() if k not in {"kind", "id", "selfLink", "etag"}},
        "kind": "storage#notification",
        "id": number,
        "selfLink": f"https://www.googleapis.com/storage/v1/{collection(bucket['name'])}/{number}",
        "etag": number,
        "topic": f"{HOST}{topic}",
    }
    call.cloud.store.put(KIND, f"{collection(bucket['name'])}/{number}", document)
    return document


def get(call: Call) -> Document:
    """One configuration."""
    read_bucket(call.cloud, call.parameters["bucket"])
    document = call.cloud.store.get(KIND, f"{collection(call.parameters['bucket'])}/{call.parameters['notification']}")
    if document is None:
        raise NotFound(f"No such notification: {call.parameters['notification']}")
    return document


def listing(call: Call) -> Document:
    """All of a bucket."""
    read_bucket(call.cloud, call.parameters["bucket"])
    found = call.cloud.store.documents(KIND, collection(call.parameters["bucket"]))
    return {"kind": "storage#notifications", **({"items": found} if found else {})}


def delete(call: Call) -> Reply:
    """Remove one."""
    document = get(call)
    call.cloud.store.delete(KIND, f"{collection(call.parameters['bucket'])}/{document['id']}")
    return Reply(204)


def announce(cloud: Cloud, event: str, document: Document, replaced: str = "") -> None:
    """Publish an event to every topic of the bucket that wants it.

    A topic that is gone, or that the agent may no longer publish to, is passed over, as by the real service.
    """
    for config in cloud.store.documents(KIND, collection(document["bucket"])):
        wanted = config.get("event_types")
        if (wanted and event not in wanted) or not document["name"].startswith(config.get("object_name_prefix", "")):
            continue
        topic = cloud.store.get(TOPICS, config["topic"].removeprefix(HOST))
        if topic is None:
            continue
        shown = {name: value for name, value in document.items() if not name.startswith("_")}
        shown["id"] = f"{document['bucket']}/{document['name']}/{document['generation']}"
        attributes = {
            "bucketId": document["bucket"],
            "objectId": document["name"],
            "objectGeneration": document["generation"],
            "eventTime": cloud.clock.timestamp(),
            "eventType": event,
            "payloadFormat": config["payload_format"],
            "notificationConfig": f"projects/_/buckets/{document['bucket']}/notificationConfigs/{config['id']}",
            **({"overwroteGeneration": replaced} if replaced else {}),
            **config.get("custom_attributes", {}),
        }
        message: Document = {"attributes": attributes}
        if config["payload_format"] == "JSON_API_V1":
            message["data"] = base64.b64encode(json.dumps(shown).encode()).decode()
        messages.deliver(cloud, topic, message)


HANDLERS: dict[str, Handler] = {
    "storage.notifications.insert": insert,
    "storage.notifications.get": get,
    "storage.notifications.list": listing,
    "storage.notifications.delete": delete,
}
