"""Topics."""

from __future__ import annotations

from typing import Any

from sandbox.call import Call
from sandbox.enforcement.constraints import violated
from sandbox.enforcement.encryption import require_key
from sandbox.errors import FailedPrecondition, InvalidArgument
from sandbox.services.pubsub.names import DAY, SNAPSHOTS, SUBSCRIPTIONS, TOPICS, Named, not_found, seconds
from sandbox.services.serviceusage.agents import ensure

Document = dict[str, Any]

DELETED = "_deleted-topic_"
SHORTEST_RETENTION, LONGEST_RETENTION = 600, 31 * DAY


class Topic(Named):
    """A topic."""

    kind = TOPICS
    wrapper = "topic"

    def prepare(self, call: Call, document: Document) -> None:
        """Its key must be usable by the project's Pub/Sub agent."""
        if key := document.get("kmsKeyName"):
            require_key(call.cloud, key, ensure(call.cloud, "pubsub", str(call.project)))
        keys = [key] if key else []
        if found := violated(call.cloud, str(call.project), "pubsub.googleapis.com", place="", keys=keys):
            raise FailedPrecondition(f"Constraint constraints/{found} violated for {document['name']}.")
        check_retention(document)

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """As on creation. Another key is allowed, and encrypts what is published from then on.

        Source: github.com/GoogleCloudPlatform/magic-modules/pull/4371, whose acceptance test changes it (read 2026-11).
        """
        if after.get("kmsKeyName") != before.get("kmsKeyName"):
            self.prepare(call, after)
        check_retention(after)

    def deleting(self, call: Call, document: Document) -> None:
        """Subscriptions stay, without a topic."""
        for subscription in call.cloud.store.documents(SUBSCRIPTIONS):
            if subscription["topic"] == document["name"]:
                subscription["topic"] = DELETED
                call.cloud.store.put(SUBSCRIPTIONS, subscription["name"], subscription)


def check_retention(document: Document) -> None:
    """Ten minutes to 31 days."""
    duration = document.get("messageRetentionDuration")
    if duration and not SHORTEST_RETENTION <= seconds(duration) <= LONGEST_RETENTION:
        raise InvalidArgument("The value for message_retention_duration must be between 10 minutes and 31 days.")


def require(call: Call, name: str) -> Document:
    """The topic of that name.

    Raises:
        NotFound: there is none.
    """
    document = call.cloud.store.get(TOPICS, call.cloud.hierarchy.canonical(name))
    if document is None:
        raise not_found(name)
    return document


def list_subscriptions(call: Call) -> Document:
    """Names of a topic's subscriptions."""
    topic = require(call, call.name.removesuffix("/subscriptions"))
    found = [s["name"] for s in call.cloud.store.documents(SUBSCRIPTIONS) if s["topic"] == topic["name"]]
    return {"subscriptions": found} if found else {}


def list_snapshots(call: Call) -> Document:
    """Names of a topic's snapshots."""
    topic = require(call, call.name.removesuffix("/snapshots"))
    found = [s["name"] for s in call.cloud.store.documents(SNAPSHOTS) if s["topic"] == topic["name"]]
    return {"snapshots": found} if found else {}
