"""Messages of an Eventarc trigger's transport, pushed as CloudEvents in binary form.

Formats: https://docs.cloud.google.com/eventarc/docs/cloudevents and
https://github.com/googleapis/google-cloudevents (read 2026-11).
"""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

Document = dict[str, Any]

MESSAGE_PUBLISHED = "google.cloud.pubsub.topic.v1.messagePublished"
AUDIT_WRITTEN = "google.cloud.audit.log.v1.written"
#: Event types of Cloud Storage by the type in its notifications.
OBJECT_EVENTS = {
    "OBJECT_FINALIZE": "google.cloud.storage.object.v1.finalized",
    "OBJECT_DELETE": "google.cloud.storage.object.v1.deleted",
    "OBJECT_ARCHIVE": "google.cloud.storage.object.v1.archived",
    "OBJECT_METADATA_UPDATE": "google.cloud.storage.object.v1.metadataUpdated",
}
#: Before an attribute's name in a message that carries an audit log entry.
PREFIX = "ce-"


def event(subscription: Document, message: Document) -> tuple[dict[str, str], bytes]:
    """Headers and body of the request that carries a message; ``_event`` of the subscription says what it means."""
    kind = subscription["_event"]["type"]
    given: dict[str, str] = message.get("attributes", {})
    content = base64.b64decode(message.get("data", ""))
    attributes = {"id": message["messageId"], "type": kind, "time": message["publishTime"]}
    if kind == MESSAGE_PUBLISHED:
        attributes["source"] = f"//pubsub.googleapis.com/{subscription['topic']}"
        both = {"message_id": message["messageId"], "publish_time": message["publishTime"]}
        content = json.dumps({"message": {**message, **both}, "subscription": subscription["name"]}).encode()
    elif kind in OBJECT_EVENTS.values():
        attributes["source"] = f"//storage.googleapis.com/projects/_/buckets/{given['bucketId']}"
        attributes |= {
            "subject": f"objects/{given['objectId']}",
            "bucket": given["bucketId"],
            "time": given["eventTime"],
        }
    else:
        attributes |= {key.removeprefix(PREFIX): value for key, value in given.items() if key.startswith(PREFIX)}
    headers = {f"ce-{key}": quote(value, safe=" !#$&'()*+,/:;=?@[]~") for key, value in attributes.items()}
    return {**headers, "ce-specversion": "1.0", "Content-Type": "application/json"}, content
