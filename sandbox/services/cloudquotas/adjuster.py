"""The quota adjuster's settings: kept, never acted upon."""

from __future__ import annotations

from typing import Any

from sandbox.call import Call
from sandbox.errors import InvalidArgument
from sandbox.resources import Resource

Document = dict[str, Any]


class Adjuster(Resource):
    """The one document of a project."""

    kind = "cloudquotas.quotaAdjusterSettings"


def settings(call: Call) -> Document:
    """As they stand; disabled from the start."""
    found = call.cloud.store.get(Adjuster.kind, call.name)
    return found or keep(call, "DISABLED")


def keep(call: Call, enablement: str) -> Document:
    """Store a state."""
    document = {"name": call.name, "enablement": enablement, "updateTime": call.cloud.clock.timestamp()}
    Adjuster().touch(call, document)
    call.cloud.store.put(Adjuster.kind, call.name, document)
    return document


def update(call: Call) -> Document:
    """Switch it.

    Raises:
        InvalidArgument: to neither state.
    """
    wanted = call.body.get("enablement", "")
    if wanted not in {"ENABLED", "DISABLED"}:
        raise InvalidArgument("enablement must be ENABLED or DISABLED.")
    if call.query.get("validateOnly", "").lower() == "true":
        return {**settings(call), "enablement": wanted}
    return keep(call, wanted)


HANDLERS = {
    "cloudquotas.locations.getQuotaAdjusterSettings": settings,
    "cloudquotas.locations.updateQuotaAdjusterSettings": update,
}
