"""Anywhere caches, one a zone: a paused one admits nothing new, a disabled one goes after an hour.

Source: https://docs.cloud.google.com/storage/docs/anywhere-cache (read 2026-08).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.errors import AlreadyExists, NotFound
from sandbox.resources import Resource
from sandbox.services.storage import refusals
from sandbox.services.storage.buckets import read as read_bucket
from sandbox.services.storage.restoring import operation

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.call import Call

Document = dict[str, Any]

KIND = "storage.anywhereCaches"
TYPE = "type.googleapis.com/google.storage.control.v2.AnywhereCache"
METADATA = "type.googleapis.com/google.storage.control.v2.CreateAnywhereCacheMetadata"
#: From which states an action leads to which.
MOVES = {
    "pause": ({"running"}, "paused"),
    "resume": ({"paused", "disabled"}, "running"),
    "disable": ({"running", "paused"}, "disabled"),
}


class AnywhereCache(Resource):
    """A cache in one zone, which names it."""

    kind = KIND

    def identifier(self, call: Call) -> str:
        """The zone."""
        zone = call.body.get("zone", "")
        if not zone:
            raise refusals.invalid("Required field: zone", "required")
        return str(zone)

    def prepare(self, call: Call, document: Document) -> None:
        """Defaults; it runs at once."""
        bucket = read_bucket(call.cloud, call.parameters["bucket"])["name"]
        now, zone = call.cloud.clock.timestamp_millis(), document["zone"]
        document.pop("name", None)
        document |= {
            "kind": "storage#anywhereCache",
            "id": f"{bucket}/{zone}",
            "bucket": bucket,
            "anywhereCacheId": zone,
            "selfLink": f"https://www.googleapis.com/storage/v1/b/{bucket}/anywhereCaches/{zone}",
            "state": "running",
            "createTime": now,
            "updateTime": now,
            "ttl": document.get("ttl", "86400s"),
            "admissionPolicy": document.get("admissionPolicy", "admit-on-first-miss"),
            "pendingUpdate": False,
        }

    def operation(self, call: Call, name: str, response: Document) -> Document:
        """An operation of the bucket."""
        return operation(call, call.parameters["bucket"], {"@type": METADATA}, {**response, "@type": TYPE})

    def listing(self, call: Call) -> Document:
        """As all lists of this service, with a kind."""
        found = super().listing(call)
        return {"kind": "storage#anywhereCaches", **(found if isinstance(found, dict) else {})}

    def missing(self, call: Call) -> NotFound:
        """In the service's words."""
        return gone(call.name)

    def duplicate(self, call: Call, name: str) -> AlreadyExists:
        """One a zone."""
        return AlreadyExists(f"An anywhere cache exists in zone {name.rpartition('/')[2]}.", reason="conflict")


def gone(name: str) -> NotFound:
    """The error for a zone without a cache."""
    return NotFound(f"Anywhere cache {name.rpartition('/')[2]} not found.")


def mover(action: str) -> Callable[[Call], Document]:
    """The handler of one action."""
    allowed, state = MOVES[action]

    def move(call: Call) -> Document:
        name = call.name.removesuffix(f"/{action}")
        document = call.cloud.store.get(KIND, name)
        if document is None:
            raise gone(name)
        if document["state"] not in allowed:
            raise refusals.invalid(f"The anywhere cache is {document['state']}: it cannot become {state} from there.")
        document |= {"state": state, "updateTime": call.cloud.clock.timestamp_millis()}
        call.cloud.store.put(KIND, name, document)
        return document

    return move


HANDLERS = {f"{KIND}.{action}": mover(action) for action in MOVES}
