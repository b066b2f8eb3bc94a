"""HTTP requests to deployed services: ingress, invoker permission, then the instance.

Answers of a refused request: https://docs.cloud.google.com/run/docs/troubleshooting (401, 403, 404; read 2026-08).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse, Response

from sandbox.bodies import read_body
from sandbox.call import ANONYMOUS
from sandbox.errors import ApiError
from sandbox.runtime import telemetry
from sandbox.runtime.gateway import LOOPBACK
from sandbox.runtime.refusals import remember
from sandbox.services.openidconnect import APPLICATION_DEFAULT_CLIENT

if TYPE_CHECKING:
    from starlette.requests import Request

    from sandbox.call import Origin, Principal
    from sandbox.cloud import Cloud
    from sandbox.runtime.instances import Instance

INTERNAL = {"INGRESS_TRAFFIC_INTERNAL_ONLY", "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"}
#: End of the host that all functions of a region and project share.
FUNCTIONS = ".cloudfunctions.net"
TIMEOUT_SECONDS = 3600
HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "host",
}

#: Identity tokens of developers' own tools are accepted from people who may invoke:
#: https://docs.cloud.google.com/run/docs/authenticating/developers (read 2026-08).
DEVELOPER_CLIENTS = ("32555940559.apps.googleusercontent.com", APPLICATION_DEFAULT_CLIENT)

PAGE = """<html><head>
<meta http-equiv="content-type" content="text/html;charset=utf-8">
<title>{code} {title}</title>
</head>
<body text=#000000 bgcolor=#ffffff>
<h1>Error: {title}</h1>
<h2>{text}</h2>
<h2></h2>
</body></html>
"""


def page(code: int, title: str, text: str) -> Response:
    """An error page as Google's front end sends it."""
    return HTMLResponse(PAGE.format(code=code, title=title, text=text), code)


async def answer(cloud: Cloud, request: Request, origin: Origin) -> Response:
    """Answer a request for a service's URL."""
    host, path = request.headers["host"].lower(), request.url.path
    name = cloud.instances.service_of(host, path)
    if host.partition(":")[0].endswith(FUNCTIONS):
        path = path[len(name.rpartition("/")[2]) + 1 :] or "/"
    service = cloud.store.get("run.services", name)
    if service is None or deleted(cloud, name):
        return page(404, "Page not found", "The requested URL was not found on this server.")
    if not reachable(cloud, name, service.get("ingress", ""), origin):
        remember(cloud, request, name, ANONYMOUS, origin, 404)
        return page(404, "Page not found", "The requested URL was not found on this server.")
    principal = caller(cloud, request, service)
    if not service.get("invokerIamDisabled"):
        first_generation = name.replace("/services/", "/functions/") if service.get("_firstGeneration") else ""
        grant = (
            cloud.permissions.grant(principal, "cloudfunctions.functions.invoke", "cloudfunctions", first_generation)
            if first_generation
            else cloud.permissions.grant(principal, "run.routes.invoke", "run", name)
        )
        if grant is None and principal.member == "allUsers":
            remember(cloud, request, name, principal, origin, 401)
            return page(
                401,
                "Unauthorized",
                "Your client does not have permission to the requested URL <code>" + request.url.path + "</code>.",
            )
        if grant is None:
            remember(cloud, request, name, principal, origin, 403)
            return page(
                403,
                "Forbidden",
                "Your client does not have permission to get URL <code>"
                + request.url.path
                + "</code> from this server.",
            )
    try:
        instance = await cloud.instances.running(name)
    except ApiError as error:
        return page(503, "Service Unavailable", error.message)
    instance.requests += 1
    instance.in_flight += 1
    telemetry.count_instances(cloud, instance)
    started = time.perf_counter()
    try:
        reply = await forward(cloud, request, origin, instance, path)
    finally:
        instance.in_flight -= 1
    seconds = time.perf_counter() - started
    telemetry.served(cloud, instance, request, reply.status_code, len(reply.body), seconds)
    telemetry.collect(cloud, instance)
    return reply


async def forward(cloud: Cloud, request: Request, origin: Origin, instance: Instance, path: str) -> Response:
    """The instance's answer to a request for a path, or 503 when it ends the connection."""
    import httpx  # noqa: PLC0415 -- it brings a command line along, and no start waits for an invocation

    headers = {key: value for key, value in request.headers.items() if key not in HOP_BY_HOP}
    headers |= {"x-forwarded-proto": "https", "x-forwarded-for": origin.address, "host": request.headers["host"]}
    headers.setdefault("x-cloud-trace-context", f"{cloud.identifiers.hexadecimal('trace', 32)}/1;o=1")
    async with httpx.AsyncClient(trust_env=False, timeout=TIMEOUT_SECONDS) as client:
        try:
            reply = await client.request(
                request.method,
                f"http://{LOOPBACK}:{instance.port}{path}",
                params=request.query_params,
                content=await read_body(request, cloud.settings.largest_body),
                headers=headers,
            )
        except httpx.HTTPError as error:
            return page(503, "Service Unavailable", f"The instance ended the connection: {type(error).__name__}.")
    kept = {k: v for k, v in reply.headers.items() if k not in HOP_BY_HOP | {"content-length", "content-encoding"}}
    return Response(reply.content, reply.status_code, kept)


def deleted(cloud: Cloud, name: str) -> bool:
    """Whether the service's project is on its way out."""
    project = cloud.hierarchy.project(name.split("/")[1])
    return project is None or project["state"] != "ACTIVE"


def reachable(cloud: Cloud, name: str, ingress: str, origin: Origin) -> bool:
    """Whether the service's ingress setting admits the origin.

    Internal: VPC networks of the same project, and of the same service perimeter.
    """
    if ingress not in INTERNAL:
        return True
    if origin.project is None:
        return False
    numbers = {f"projects/{cloud.hierarchy.project_number(p)}" for p in (origin.project, name.split("/")[1])}
    return len(numbers) == 1 or any(
        numbers <= set(perimeter.get("status", {}).get("resources", [])) for perimeter in cloud.perimeters().perimeters
    )


def caller(cloud: Cloud, request: Request, service: dict[str, object]) -> Principal:
    """The caller whom an identity token for this service names; anonymous without one."""
    token = request.headers.get("x-serverless-authorization") or request.headers.get("authorization", "")
    token = token.partition(" ")[2].strip()
    claims = cloud.tokens.verify(token) if token.count(".") == 2 else None  # noqa: PLR2004 -- a JWT's three parts
    urls = service.get("urls")
    own = (str(service.get("uri", "")), str(service.get("_functionUrl", "")))
    audiences = {*own, *(urls if isinstance(urls, list) else []), *DEVELOPER_CLIENTS}
    if not claims or claims.get("aud", "").rstrip("/") not in audiences:
        return ANONYMOUS
    return cloud.tokens.principal(token) or ANONYMOUS
