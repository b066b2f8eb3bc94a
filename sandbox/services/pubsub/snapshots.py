"""Snapshots and schemas."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sandbox.call import Call, Reply
from sandbox.errors import AlreadyExists, InvalidArgument, NotFound
from sandbox.resources import Resource
from sandbox.services.pubsub import subscriptions, topics
from sandbox.services.pubsub.names import ID, SNAPSHOTS, Named

Document = dict[str, Any]

REVISIONS = "_revisions"
#: https://docs.cloud.google.com/pubsub/quotas#resource_limits (read 2026-11).
MOST_REVISIONS = 20
LIFETIME = timedelta(days=7)


class Snapshot(Named):
    """A point in a subscription's stream."""

    kind = SNAPSHOTS
    wrapper = "snapshot"

    def accept(self, call: Call) -> Document:
        """The request names a subscription, the snapshot its topic."""
        subscription = subscriptions.require(call, call.body.get("subscription", ""))
        document = {"topic": subscription["topic"], "_taken": call.cloud.clock.timestamp()}
        if labels := call.body.get("labels"):
            document["labels"] = labels
        return document

    def prepare(self, call: Call, document: Document) -> None:
        """It lives for a week."""
        document["name"] = call.name
        document["expireTime"] = (call.cloud.clock.now() + LIFETIME).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def listing(call: Call) -> Document | Reply:
    """A project's snapshots; a topic's, by name only."""
    return topics.list_snapshots(call) if "/topics/" in call.name else Snapshot().listing(call)


class Schema(Resource):
    """A message schema with its revisions."""

    kind = "pubsub.schemas"

    def identifier(self, call: Call) -> str:
        """The id, which must be given."""
        given = call.query.get("schemaId") or str(call.body.get("name", "")).rpartition("/")[2]
        if not ID.fullmatch(given):
            raise InvalidArgument(f"Invalid schema id: {given!r}.")
        return given

    def prepare(self, call: Call, document: Document) -> None:
        """The first revision."""
        if document.get("type") not in {"PROTOCOL_BUFFER", "AVRO"} or not document.get("definition"):
            raise InvalidArgument("A schema needs a type, PROTOCOL_BUFFER or AVRO, and a definition.")
        document["revisionId"] = call.cloud.identifiers.hexadecimal("revision", 8)
        document["revisionCreateTime"] = call.cloud.clock.timestamp()
        newest = {key: document[key] for key in ("definition", "revisionId", "revisionCreateTime")}
        document[REVISIONS] = [newest, *document.get(REVISIONS, [])][:MOST_REVISIONS]

    def read(self, call: Call) -> Document:
        """The schema; ``name@revision`` as it was then."""
        name, _, wanted = call.name.partition("@")
        call.name = name
        document: Document = super().read(call)
        for one in document.get(REVISIONS, []):
            if one["revisionId"] == wanted:
                return {**document, **one}
        if wanted:
            raise NotFound(f"Resource not found (resource={name.rpartition('/')[2]}@{wanted}).")
        return document

    def view(self, call: Call, document: Document) -> Document:
        """Lists leave the definition out unless it is asked for."""
        shown = super().view(call, document)
        if call.query.get("view", "BASIC" if call.method.action == "list" else "FULL") == "BASIC":
            shown.pop("definition", None)
        return shown

    def missing(self, call: Call) -> NotFound:
        """Names the whole resource, other than its siblings."""
        return NotFound(f"Resource not found (resource={call.name}).")

    def duplicate(self, call: Call, name: str) -> AlreadyExists:
        """Names the resource by its id alone."""
        return AlreadyExists(f"Resource already exists in the project (resource={name.rpartition('/')[2]}).")


def commit(call: Call) -> Document:
    """``:commit``: a new revision."""
    resource = Schema()
    document = resource.read(call)
    fresh = call.body.get("schema", {})
    if fresh.get("type", document["type"]) != document["type"]:
        raise InvalidArgument("The type of a schema cannot be changed.")
    document["definition"] = fresh.get("definition", "")
    resource.prepare(call, document)
    call.cloud.store.put(resource.kind, call.name, document)
    return resource.view(call, document)
