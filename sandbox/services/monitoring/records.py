"""Who made and who changed a resource, as Monitoring notes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]


def record(call: Call) -> Document:
    """A mutation record of now."""
    return {"mutateTime": call.cloud.clock.timestamp(), "mutatedBy": call.principal.email}


def number(call: Call) -> str:
    """A server-generated id."""
    return call.cloud.identifiers.number("monitoring.id", 19)
