"""Compute operations: global, regional and zonal; finished at once, kept for later reads."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import Any

from sandbox.call import Call
from sandbox.paging import page
from sandbox.services.compute.failures import Missing
from sandbox.services.compute.filters import matching
from sandbox.services.compute.links import link, shown

Document = dict[str, Any]

KIND = "compute.operations"
PACIFIC = timezone(timedelta(hours=-7))
SCOPE_LENGTH = {"global": 3, "regions": 4, "zones": 4}

#: What an action is called in ``operationType``, when not by its own name.
TYPES = {"patch": "compute.{collection}.patch", "update": "update"}


def timestamp(call: Call) -> str:
    """Now, as Compute Engine writes it: milliseconds and the Pacific offset."""
    return call.cloud.clock.now().astimezone(PACIFIC).isoformat(timespec="milliseconds")


def scope_of(name: str) -> str:
    """``projects/p/global`` or ``projects/p/regions/r`` of a resource's name; the project's own are global.

    What belongs to no project lies in ``locations/global``.
    """
    parts = name.split("/")
    if parts[0] == "locations":
        return "/".join(parts[:2])
    if len(parts) < 3:  # noqa: PLR2004 -- the project itself
        return f"{name}/global"
    return "/".join(parts[: SCOPE_LENGTH[parts[2]]])


def finished(call: Call, name: str, target_id: str = "") -> Document:
    """The operation of a change of ``name`` that is done already, as shown to the caller."""
    scope = scope_of(name)
    now = timestamp(call)
    milliseconds = int(call.cloud.clock.now().timestamp() * 1000)

    def make() -> str:
        noise = call.cloud.identifiers.hexadecimal("compute.operations", 29)
        return f"operation-{milliseconds}-{noise[:13]}-{noise[13:21]}-{noise[21:29]}"

    action, collection = call.method.action, call.method.collection
    document: Document = {
        "kind": "compute#operation",
        "id": call.cloud.identifiers.number("compute.id", 19),
        "name": call.cloud.operations.slots.claim(f"compute/{'/'.join(name.split('/')[:2])}", name, make),
        "operationType": TYPES.get(action, action).format(collection=collection),
        "targetLink": link(name),
        "targetId": target_id or call.cloud.identifiers.number("compute.id", 19),
        "status": "DONE",
        "user": call.principal.email,
        "progress": 100,
        "insertTime": now,
        "startTime": now,
        "endTime": now,
    }
    kind = scope.split("/")[2] if scope.startswith("projects/") else "global"
    if kind != "global":
        document[kind.removesuffix("s")] = link(scope)
    full = f"{scope}/operations/{document['name']}"
    document["selfLink"] = link(full)
    call.cloud.store.put(KIND, full, document)
    return dict(shown(document, call.method.version))


def get(call: Call) -> Document:
    """One operation; waiting for it is reading it."""
    name = call.name.removesuffix("/wait")
    document = call.cloud.store.get(KIND, name)
    if document is None:
        raise Missing(name)
    call.cloud.operations.slots.collected(document["name"])
    return dict(shown(document, call.method.version))


def listing(call: Call) -> Document:
    """The operations of a scope."""
    found = matching(call, call.cloud.store.documents(KIND, call.name))
    items, following = page(found, call.query, default=500)
    return {
        "kind": "compute#operationList",
        "id": call.name,
        **({"items": shown(items, call.method.version)} if items else {}),
        **({"nextPageToken": following} if following else {}),
        "selfLink": shown(link(call.name), call.method.version),
    }


def delete(call: Call) -> Document:
    """Forget an operation."""
    if not call.cloud.store.delete(KIND, call.name):
        raise Missing(call.name)
    return {}


HANDLERS = {
    f"compute.{scope}Operations.{action}": handler
    for scope in ("global", "region", "zone")
    for action, handler in {"get": get, "wait": get, "list": listing, "delete": delete}.items()
}
