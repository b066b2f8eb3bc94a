"""Long-running operations of Logging, which name the project by its number and repeat the request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]

TYPE = "type.googleapis.com/google.logging.v2."


def finished(call: Call, metadata: str, request: str, response: Document) -> Document:
    """A finished operation.

    Args:
        call: the request.
        metadata: message name of the metadata, as ``LinkMetadata``.
        request: its field that repeats the request, as ``createLinkRequest``.
        response: the result, with its ``@type``.
    """
    cloud = call.cloud
    scope = "/".join(call.name.split("/")[:4])
    identity = next((value for key, value in call.query.items() if key.endswith("Id")), "")
    repeated: Document = {"name": call.name}
    if request.startswith("create"):
        collection = call.name.rpartition("/")[2].removesuffix("s")
        repeated = {"parent": call.name.rpartition("/")[0], f"{collection}Id": identity}
        if call.body:
            repeated[collection] = call.body
    elif request.startswith("update"):
        repeated |= {"bucket": call.body, "updateMask": call.query.get("updateMask", "")}
    changed = f"{call.name}/{identity}" if request.startswith("create") else call.name
    number = cloud.operations.slots.claim(
        f"uuid/{'/'.join(scope.split('/')[:2])}", changed, lambda: cloud.identifiers.uuid("operations")
    )
    name = f"{cloud.hierarchy.numbered(scope)}/operations/{number}"
    now = cloud.clock.timestamp()
    operation = cloud.operations.finished(
        "logging",
        name,
        response,
        {
            "@type": f"{TYPE}{metadata}",
            "startTime": now,
            "endTime": now,
            "state": "OPERATION_STATE_SUCCEEDED",
            request: repeated,
        },
    )
    # Callers poll by number, and requests are looked up by the project's id.
    cloud.store.put("logging.operations", cloud.hierarchy.canonical(name), operation)
    return operation


def scheduled(operation: Document) -> Document:
    """What the caller of a change sees first: that the work has been accepted. The operation itself says the rest."""
    metadata = {key: value for key, value in operation["metadata"].items() if key != "endTime"}
    return {"name": operation["name"], "metadata": {**metadata, "state": "OPERATION_STATE_SCHEDULED"}}
