"""Publishing, pulling and acknowledging."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.call import Call
from sandbox.enforcement.encryption import require_key
from sandbox.errors import FailedPrecondition, InvalidArgument
from sandbox.services.pubsub import push, subscriptions, topics
from sandbox.services.pubsub.filters import compile_filter
from sandbox.services.pubsub.names import MESSAGES, SNAPSHOTS, SUBSCRIPTIONS, TOPICS, not_found, seconds
from sandbox.services.serviceusage.agents import ensure

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]

MOST_MESSAGES = 1000
LARGEST_MESSAGE = 10_000_000


def publish(call: Call) -> Document:
    """``:publish``: one copy for every subscription whose filter admits the message."""
    topic = topics.require(call, call.name)
    given = call.body.get("messages", [])
    if not 1 <= len(given) <= MOST_MESSAGES:
        raise InvalidArgument(f"The value for message_count is {len(given)}: it must be 1 to {MOST_MESSAGES}.")
    return {"messageIds": [deliver(call.cloud, topic, message) for message in given]}


def deliver(cloud: Cloud, topic: Document, message: Document) -> str:
    """Store a message for each subscription of a topic; returns its id.

    Raises:
        InvalidArgument: it is empty or too large.
        FailedPrecondition: the topic's key is not usable.
    """
    attributes, data = message.get("attributes", {}), message.get("data", "")
    if not (attributes or data):
        raise InvalidArgument(
            "One or more messages in the publish request is empty. Each message must contain "
            "either non-empty data, or at least one attribute."
        )
    if len(base64.b64decode(data)) > LARGEST_MESSAGE:
        raise InvalidArgument("Request payload size exceeds the limit: 10485760 bytes.")
    if key := topic.get("kmsKeyName"):
        require_key(cloud, key, ensure(cloud, "pubsub", topic["name"].split("/")[1]))
    identifier = cloud.identifiers.number("messageId", 17)
    stored = {**message, "messageId": identifier, "publishTime": cloud.clock.timestamp()}
    for subscription in cloud.store.documents(SUBSCRIPTIONS):
        if subscription["topic"] != topic["name"] or subscription.get("detached"):
            continue
        if compile_filter(subscription.get("filter", ""))(attributes):
            place = f"{subscription['name']}/messages/{identifier}"
            cloud.store.put(MESSAGES, place, {"message": stored, "attempts": 0, "visible": "", "acknowledged": False})
            push.wake(cloud, subscription, bury)
    return identifier


def bury(cloud: Cloud, topic: str, message: Document) -> None:
    """Publish a message that no endpoint accepted to the topic of dead letters, if it is still there."""
    if found := cloud.store.get(TOPICS, topic):
        deliver(cloud, found, message)


def push_all(cloud: Cloud) -> None:
    """Look at every push subscription: after a restart, and when the clock was moved."""
    for subscription in cloud.store.documents(SUBSCRIPTIONS):
        push.wake(cloud, subscription, bury)


def modify_push(call: Call) -> Document:
    """``:modifyPushConfig``: what waits is pushed from now on, or waits to be pulled."""
    subscription = subscriptions.require(call, call.name)
    subscription["pushConfig"] = call.body.get("pushConfig", {})
    call.cloud.store.put(SUBSCRIPTIONS, subscription["name"], subscription)
    push.wake(call.cloud, subscription, bury)
    return {}


def pull(call: Call) -> Document:
    """``:pull``: what is due, at most ``maxMessages``; ordered keys one after the other."""
    cloud, subscription = call.cloud, subscriptions.require(call, call.name)
    if subscription.get("detached"):
        raise FailedPrecondition("The subscription is detached from its topic.")
    if subscription["pushConfig"].get("pushEndpoint"):
        raise FailedPrecondition("Pull is not supported on a push subscription.")
    most = int(call.body.get("maxMessages", 0))
    if most < 1:
        raise InvalidArgument("The value for max_messages must be greater than 0.")
    now = cloud.clock.timestamp()
    blocked: set[str] = set()
    received: list[Document] = []
    for name, entry in cloud.store.items(MESSAGES, f"{subscription['name']}/messages"):
        if entry["acknowledged"] or expired(cloud, subscription, entry):
            continue
        ordering = entry["message"].get("orderingKey", "") if subscription.get("enableMessageOrdering") else ""
        if ordering in blocked:
            continue
        if entry["visible"] > now:
            blocked |= {ordering} - {""}
            continue
        if len(received) == most:
            break
        received.append(hand_out(cloud, subscription, name, entry))
    return {"receivedMessages": received} if received else {}


def expired(cloud: Cloud, subscription: Document, entry: Document) -> bool:
    """Whether a message outlived the subscription's retention."""
    published = datetime.fromisoformat(entry["message"]["publishTime"])
    return published + timedelta(seconds=seconds(subscription["messageRetentionDuration"])) < cloud.clock.now()


def hand_out(cloud: Cloud, subscription: Document, name: str, entry: Document) -> Document:
    """One delivery: the message is invisible until its deadline."""
    entry["attempts"] += 1
    entry["visible"] = later(cloud, subscription["ackDeadlineSeconds"])
    cloud.store.put(MESSAGES, name, entry)
    shown = {
        "ackId": base64.urlsafe_b64encode(f"{name.rpartition('/')[2]}:{entry['attempts']}".encode()).decode(),
        "message": entry["message"],
    }
    return {**shown, "deliveryAttempt": entry["attempts"]} if "deadLetterPolicy" in subscription else shown


def later(cloud: Cloud, wait: float) -> str:
    """The time in so many seconds."""
    return (cloud.clock.now() + timedelta(seconds=wait)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def entries(call: Call, subscription: Document) -> list[tuple[str, Document]]:
    """The deliveries that the request's ack ids mean; superseded ones mean nothing."""
    found = []
    for ack in call.body.get("ackIds", []):
        try:
            identifier, _, attempt = base64.urlsafe_b64decode(ack).decode().partition(":")
        except ValueError:
            raise InvalidArgument("You have passed an invalid ack ID to the service.") from None
        name = f"{subscription['name']}/messages/{identifier}"
        entry = call.cloud.store.get(MESSAGES, name)
        if entry and str(entry["attempts"]) == attempt:
            found.append((name, entry))
    return found


def acknowledge(call: Call) -> Document:
    """``:acknowledge``."""
    subscription = subscriptions.require(call, call.name)
    for name, entry in entries(call, subscription):
        if subscription.get("retainAckedMessages"):
            call.cloud.store.put(MESSAGES, name, {**entry, "acknowledged": True})
        else:
            call.cloud.store.delete(MESSAGES, name)
    return {}


def modify_deadline(call: Call) -> Document:
    """``:modifyAckDeadline``; zero makes a message due at once, or a dead letter after too many attempts."""
    subscription = subscriptions.require(call, call.name)
    wait = int(call.body.get("ackDeadlineSeconds", 0))
    if not 0 <= wait <= subscriptions.LONGEST_ACK_DEADLINE:
        raise InvalidArgument("The ack deadline must be between 0 and 600 seconds.")
    dead = subscription.get("deadLetterPolicy", {})
    for name, entry in entries(call, subscription):
        if not wait and dead and entry["attempts"] >= dead["maxDeliveryAttempts"]:
            deliver(call.cloud, topics.require(call, dead["deadLetterTopic"]), entry["message"])
            call.cloud.store.delete(MESSAGES, name)
        else:
            call.cloud.store.put(MESSAGES, name, {**entry, "visible": later(call.cloud, wait)})
    return {}


def seek(call: Call) -> Document:
    """``:seek`` to a time or a snapshot: earlier messages are acknowledged, later ones are not."""
    subscription = subscriptions.require(call, call.name)
    moment = call.body.get("time")
    if snapshot := call.body.get("snapshot"):
        found = call.cloud.store.get(SNAPSHOTS, call.cloud.hierarchy.canonical(snapshot))
        if found is None:
            raise not_found(snapshot)
        moment = found["_taken"]
    if not moment:
        raise InvalidArgument("Either time or snapshot must be given.")
    for name, entry in call.cloud.store.items(MESSAGES, f"{subscription['name']}/messages"):
        past = datetime.fromisoformat(entry["message"]["publishTime"]) < datetime.fromisoformat(moment)
        call.cloud.store.put(MESSAGES, name, {**entry, "acknowledged": past, "visible": ""})
    return {}
