"""Names of Resource Manager's operations, which lie below no parent."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.call import Call


def flat_operation(call: Call, family: str, resource: str) -> str:
    """The name of a resource's next operation, as ``operations/cp.6410...``; ``family`` tells the kind of resource."""
    number = call.cloud.identifiers.number
    slots = call.cloud.operations.slots
    identity = slots.claim(f"cloudresourcemanager/{family}", resource, lambda: f"{family}.{number('operations', 19)}")
    return f"operations/{identity}"
