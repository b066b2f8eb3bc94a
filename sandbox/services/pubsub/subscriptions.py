"""Subscriptions and their defaults.

Source: https://docs.cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions (read 2026-08) and recorded
answers.
"""

from __future__ import annotations

import copy
from typing import Any

from sandbox.call import Call, Reply
from sandbox.errors import InvalidArgument, NotFound
from sandbox.services.pubsub import topics
from sandbox.services.pubsub.filters import compile_filter
from sandbox.services.pubsub.names import DAY, SUBSCRIPTIONS, Named, not_found, seconds

Document = dict[str, Any]

ACK_DEADLINE = 10
LONGEST_ACK_DEADLINE = 600
RETENTION = "604800s"
EXPIRATION = "2678400s"
MAX_DURATION = "300s"
SHORTEST_RETENTION, LONGEST_RETENTION = 600, 31 * DAY
FEWEST_ATTEMPTS, MOST_ATTEMPTS = 5, 100
#: Reported by Pub/Sub's writes, and left out of its reads.
PUSH_VERSION = {"x-goog-version": "v1"}


class Subscription(Named):
    """A subscription."""

    kind = SUBSCRIPTIONS
    wrapper = "subscription"
    immutable = ("topic", "filter", "enableMessageOrdering")

    def prepare(self, call: Call, document: Document) -> None:
        """Defaults; the topic must exist."""
        topic = topics.require(call, document.get("topic", ""))["name"]
        call.cloud.permissions.require(call.principal, "pubsub.topics.attachSubscription", "pubsub", topic)
        document["topic"] = topic
        document["state"] = "ACTIVE"
        document.setdefault("messageRetentionDuration", RETENTION)
        document.setdefault("ackDeadlineSeconds", ACK_DEADLINE)
        if "expirationPolicy" not in call.body:
            document["expirationPolicy"] = {"ttl": EXPIRATION}
        complete(call, document)

    def read(self, call: Call) -> Document:
        """The subscription; Pub/Sub remembers for a while that there was none, and misses a new one once.

        Raises:
            NotFound: there is none, or it seems so.
        """
        if call.method.action == "get" and call.cloud.consistency.hides(call.name):
            raise self.missing(call)
        return super().read(call)

    def missing(self, call: Call) -> NotFound:
        """Remembered by Pub/Sub."""
        if call.method.action == "get":
            call.cloud.consistency.sought(call.name)
        return super().missing(call)

    def created(self, call: Call, document: Document) -> None:
        """Whoever asked for it before it was there misses it once more."""
        super().created(call, document)
        call.cloud.consistency.made(call.name)

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """Cleared fields return to their defaults."""
        after.setdefault("messageRetentionDuration", RETENTION)
        after.setdefault("ackDeadlineSeconds", ACK_DEADLINE)
        complete(call, after)

    def deleting(self, call: Call, document: Document) -> None:
        """Its messages go with it."""
        call.cloud.store.delete_below(call.name)

    def view(self, call: Call, document: Document) -> Document:
        """Writes report the push protocol's version, reads leave attributes out."""
        shown = super().view(call, copy.deepcopy(document))
        push = shown["pushConfig"]
        written = push.pop("attributes", {})
        if call.method.action == "patch" or (call.method.action == "create" and push):
            push["attributes"] = {**PUSH_VERSION, **written}
        return shown


def complete(call: Call, document: Document) -> None:
    """What holds for new and for changed subscriptions."""
    document.setdefault("pushConfig", {})
    if config := document.get("cloudStorageConfig"):
        complete_storage(document, config)
    if not ACK_DEADLINE <= document["ackDeadlineSeconds"] <= LONGEST_ACK_DEADLINE:
        raise InvalidArgument(
            f"Invalid ack deadline given: (ackDeadlineSeconds={document['ackDeadlineSeconds']}). It must be between "
            "10 and 600 seconds."
        )
    if not SHORTEST_RETENTION <= seconds(document["messageRetentionDuration"]) <= LONGEST_RETENTION:
        raise InvalidArgument("The value for message_retention_duration must be between 10 minutes and 31 days.")
    dead = document.get("deadLetterPolicy")
    if dead:
        attempts = dead.setdefault("maxDeliveryAttempts", FEWEST_ATTEMPTS)
        if not FEWEST_ATTEMPTS <= attempts <= MOST_ATTEMPTS:
            raise InvalidArgument("max_delivery_attempts must be between 5 and 100.")
        topics.require(call, dead.get("deadLetterTopic", ""))
    compile_filter(document.get("filter", ""))


def complete_storage(document: Document, config: Document) -> None:
    """A Cloud Storage subscription writes text unless told otherwise; its deadline covers the longest file."""
    config["state"] = "ACTIVE"
    config.setdefault("maxDuration", MAX_DURATION)
    if not config.get("avroConfig"):
        config.pop("avroConfig", None)
        config.setdefault("textConfig", {})
    if "maxBytes" in config:
        config["maxBytes"] = str(config["maxBytes"])
    document["ackDeadlineSeconds"] = max(document["ackDeadlineSeconds"], int(seconds(config["maxDuration"])))


def require(call: Call, name: str) -> Document:
    """The subscription of that name.

    Raises:
        NotFound: there is none.
    """
    document = call.cloud.store.get(SUBSCRIPTIONS, call.cloud.hierarchy.canonical(name))
    if document is None:
        raise not_found(name)
    return document


def listing(call: Call) -> Document | Reply:
    """A project's subscriptions; a topic's, by name only."""
    return topics.list_subscriptions(call) if "/topics/" in call.name else Subscription().listing(call)


def detach(call: Call) -> Document:
    """``:detach``: drops the messages and receives no more."""
    document = require(call, call.name)
    document["detached"] = True
    call.cloud.store.delete_below(document["name"])
    call.cloud.store.put(SUBSCRIPTIONS, document["name"], document)
    return {}
