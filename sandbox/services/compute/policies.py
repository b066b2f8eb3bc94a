"""IAM of Compute Engine resources, whose methods end the path with ``/getIamPolicy`` instead of ``:getIamPolicy``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.services.registry import Answer, Handler, get_policy, set_policy, test_permissions

if TYPE_CHECKING:
    from sandbox.call import Call


def own(handler: Handler, action: str) -> Handler:
    """The general handler, given the resource's own name."""

    def answer(call: Call) -> Answer:
        call.name = call.name.removesuffix(f"/{action}")
        return handler(call)  # type: ignore[return-value]  # the three policy handlers are plain functions

    return answer


def handlers(kind: str) -> dict[str, Handler]:
    """Policy handlers of one collection."""
    return {
        f"{kind}.getIamPolicy": own(get_policy, "getIamPolicy"),
        f"{kind}.setIamPolicy": own(set_policy, "setIamPolicy"),
        f"{kind}.testIamPermissions": own(test_permissions, "testIamPermissions"),
    }
