"""Pub/Sub: topics, subscriptions, messages, snapshots, schemas."""

from __future__ import annotations

from sandbox.call import Call
from sandbox.services.pubsub import messages, schema_revisions, snapshots, subscriptions, topics
from sandbox.services.registry import Service


def to_parent(call: Call) -> tuple[str, str]:
    """Lists are governed by what they belong to."""
    return "pubsub", call.name.rpartition("/")[0]


def to_project(call: Call) -> tuple[str, str]:
    """What is to be created is governed by its project."""
    return "pubsub", f"projects/{call.project}"


SERVICE = Service(
    name="pubsub",
    title="Cloud Pub/Sub API",
    prefix="google.pubsub.v1",
    resources=(snapshots.Schema, snapshots.Snapshot, subscriptions.Subscription, topics.Topic),
    handlers={
        **schema_revisions.HANDLERS,
        "pubsub.schemas.commit": snapshots.commit,
        "pubsub.subscriptions.acknowledge": messages.acknowledge,
        "pubsub.subscriptions.detach": subscriptions.detach,
        "pubsub.snapshots.list": snapshots.listing,
        "pubsub.subscriptions.list": subscriptions.listing,
        "pubsub.subscriptions.modifyAckDeadline": messages.modify_deadline,
        "pubsub.subscriptions.modifyPushConfig": messages.modify_push,
        "pubsub.subscriptions.pull": messages.pull,
        "pubsub.subscriptions.seek": messages.seek,
        "pubsub.topics.publish": messages.publish,
    },
    targets={
        "pubsub.snapshots.create": to_project,
        "pubsub.snapshots.list": to_parent,
        "pubsub.subscriptions.list": to_parent,
        "pubsub.subscriptions.create": to_project,
        "pubsub.topics.create": to_project,
    },
    tick=messages.push_all,
    resume=messages.push_all,
)
