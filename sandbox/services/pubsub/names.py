"""What the resources of Pub/Sub have in common: names chosen by the caller, wrapped updates, wording."""

from __future__ import annotations

import re
from typing import Any

from sandbox.call import Call
from sandbox.errors import AlreadyExists, InvalidArgument, NotFound
from sandbox.fields import apply_mask, mask_paths, without_defaults
from sandbox.resources import Resource

Document = dict[str, Any]

#: https://docs.cloud.google.com/pubsub/docs/pubsub-basics#resource_names (read 2026-08)
ID = re.compile(r"[A-Za-z][A-Za-z0-9\-_.~+%]{2,254}")
DAY = 86400

TOPICS = "pubsub.topics"
SUBSCRIPTIONS = "pubsub.subscriptions"
SNAPSHOTS = "pubsub.snapshots"
MESSAGES = "pubsub.messages"


class Named(Resource):
    """A resource that a PUT to its own name creates."""

    package = "google.pubsub.v1"
    #: Field of an update request that holds the resource.
    wrapper = ""
    #: Empty objects mean something here.
    kept: tuple[str, ...] = ()

    def new_name(self, call: Call) -> str:
        """The name in the path.

        Raises:
            InvalidArgument: Pub/Sub takes no such id.
        """
        last = call.name.rpartition("/")[2]
        if not ID.fullmatch(last) or last.startswith("goog"):
            raise InvalidArgument(
                f"Invalid resource name given (name={call.name}). Refer to "
                "https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names for more information."
            )
        return call.name

    def accept(self, call: Call) -> Document:
        """What the caller may write, protobuf's defaults left out."""
        accepted: Document = without_defaults(super().accept(call))
        return accepted

    def patch(self, call: Call) -> Document:
        """Change the masked fields of the wrapped resource."""
        before = self.read(call)
        paths = mask_paths(str(call.body.get("updateMask") or call.query.get("updateMask", "")))
        if not paths:
            raise InvalidArgument("The update_mask in the request must be set and not empty.")
        fresh = without_defaults(call.body.get(self.wrapper, {}))
        after = apply_mask(before, fresh, [path for path in paths if path != "name"])
        self.refuse_immutable(before, after)
        self.changed(call, before, after)
        call.cloud.store.put(self.kind, call.name, after)
        return self.view(call, after)

    def missing(self, call: Call) -> NotFound:
        """Names the resource by its id alone."""
        return not_found(call.name)

    def duplicate(self, call: Call, name: str) -> AlreadyExists:
        """Names the resource by its id alone."""
        return AlreadyExists(f"Resource already exists in the project (resource={name.rpartition('/')[2]}).")


def not_found(name: str) -> NotFound:
    """404 in Pub/Sub's words."""
    return NotFound(f"Resource not found (resource={name.rpartition('/')[2]}).")


def seconds(duration: str) -> float:
    """A ``google-duration``.

    Raises:
        InvalidArgument: it is none.
    """
    try:
        return float(duration.removesuffix("s"))
    except ValueError:
        raise InvalidArgument(f"Invalid duration {duration!r}: expected seconds, for example 600s.") from None
