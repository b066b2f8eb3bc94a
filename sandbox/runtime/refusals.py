"""Explains why a deployed service was not reached, for ``plantain sandbox why``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.call import Call
from sandbox.enforcement.explanations import Explanation, of_permission

if TYPE_CHECKING:
    from starlette.requests import Request

    from sandbox.call import Origin, Principal
    from sandbox.cloud import Cloud

INVOKE = "run.routes.invoke"


def remember(cloud: Cloud, request: Request, name: str, principal: Principal, origin: Origin, status: int) -> None:
    """Keep the refusal of an invocation, and its id with the request.

    Args:
        cloud: the sandbox.
        request: the refused one.
        name: ``projects/p/locations/l/services/s``.
        principal: who asked.
        origin: from where.
        status: 401 or 403 for a missing credential or grant, 404 for an ingress setting.
    """
    reading = next(m for m in cloud.description.methods("run") if m.short == "run.services.get")
    call = Call(
        cloud=cloud,
        method=reading,
        name=name,
        parameters={},
        query={},
        body={},
        headers=request.headers,
        principal=principal,
        origin=origin,
        url=str(request.url),
        consumer=name.split("/")[1],
    )
    text = f"{request.method} {request.url.path}: {status}"
    request.state.denial = cloud.denials.record(call, status, text, explained(call, status), label="run.invoke")


def explained(call: Call, status: int) -> Explanation:
    """Why."""
    parts = call.name.split("/")
    where = f"{parts[-1]} --region={parts[3]} --project={parts[1]}"
    if status == 401:  # noqa: PLR2004 -- Unauthorized
        return Explanation(
            "identity",
            ("The request carries no identity token that the service accepts: one made out to its URL is needed.",),
            ("gcloud auth print-identity-token",),
        )
    if status == 403:  # noqa: PLR2004 -- Forbidden
        return of_permission(call, {"permission": INVOKE, "resource": call.name})
    service = call.cloud.store.get("run.services", call.name) or {}
    came = call.origin.network or f"the internet address {call.origin.address}"
    ingress = service.get("ingress", "INGRESS_TRAFFIC_ALL")
    return Explanation(
        "service",
        (f"The service's ingress is {ingress}, and the request comes from {came}.",),
        (f"gcloud run services update {where} --ingress=all", "plantain sandbox env --network=NETWORK"),
    )
