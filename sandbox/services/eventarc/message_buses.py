"""What Eventarc Advanced keeps: the Google channel of a location, buses with their enrolments, and pipelines.

Nothing is delivered through them. Source: https://docs.cloud.google.com/eventarc/docs/reference/rest (read 2026-11).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.errors import FailedPrecondition, InvalidArgument, NotFound
from sandbox.fields import apply_mask, mask_paths
from sandbox.resources import Resource

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]

PACKAGE = "google.cloud.eventarc.v1"
GOOGLE_CHANNEL = "eventarc.googleChannelConfigs"


class MessageBus(Resource):
    """A bus; it stays while something is enrolled."""

    kind = "eventarc.messageBuses"
    package = PACKAGE

    def deleting(self, call: Call, document: Document) -> None:
        """Not while enrolments name it."""
        if enrolled(call, document["name"]):
            raise FailedPrecondition(f"Message bus {document['name']} has enrollments: delete them first.")


class Pipeline(Resource):
    """What transforms and delivers."""

    kind = "eventarc.pipelines"
    package = PACKAGE

    def prepare(self, call: Call, document: Document) -> None:
        """Exactly one destination."""
        del call
        if len(document.get("destinations", [])) != 1:
            raise InvalidArgument("A pipeline needs exactly one destination.")


class Enrollment(Resource):
    """Which messages of a bus go through which pipeline."""

    kind = "eventarc.enrollments"
    package = PACKAGE
    immutable = ("messageBus",)

    def prepare(self, call: Call, document: Document) -> None:
        """An expression, a bus and a pipeline that are there."""
        if not document.get("celMatch"):
            raise InvalidArgument("An enrollment needs a cel_match expression.")
        for field, cls in (("messageBus", MessageBus), ("destination", Pipeline)):
            name = call.cloud.hierarchy.canonical(document.get(field, ""))
            if call.cloud.store.get(cls.kind, name) is None:
                raise NotFound(f"Resource '{document.get(field, '')}' was not found")


def enrolled(call: Call, bus: str) -> list[str]:
    """Names of a bus's enrolments."""
    wanted = call.cloud.hierarchy.canonical(bus)
    return [
        document["name"]
        for document in call.cloud.store.documents(Enrollment.kind)
        if call.cloud.hierarchy.canonical(document["messageBus"]) == wanted
    ]


def list_enrollments(call: Call) -> Document:
    """``:listEnrollments`` of a bus, by name."""
    name = call.name.removesuffix(":listEnrollments")
    if call.cloud.store.get(MessageBus.kind, name) is None:
        raise NotFound(f"Resource '{name}' was not found")
    found = enrolled(call, name)
    return {"enrollments": found} if found else {}


def google_channel(call: Call) -> Document:
    """The configuration of a location's Google channel, which every project has."""
    return call.cloud.store.get(GOOGLE_CHANNEL, call.name) or {"name": call.name}


def change_google_channel(call: Call) -> Document:
    """Change it: labels and the key that encrypts events of Google's own."""
    before, body = google_channel(call), {k: v for k, v in call.body.items() if k not in {"name", "updateTime"}}
    after = apply_mask(before, body, mask_paths(call.query.get("updateMask", "")) or ["*"])
    after |= {"name": call.name, "updateTime": call.cloud.clock.timestamp()}
    call.cloud.store.put(GOOGLE_CHANNEL, call.name, after)
    return after


HANDLERS = {
    "eventarc.locations.getGoogleChannelConfig": google_channel,
    "eventarc.locations.updateGoogleChannelConfig": change_google_channel,
    "eventarc.messageBuses.listEnrollments": list_enrollments,
}
