"""The ASGI application: where a request goes, and the ordered steps that it passes."""

from __future__ import annotations

import asyncio
import inspect
import json
import time
import traceback
from contextlib import nullcontext
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from sandbox import control, enums, payload
from sandbox.audit import READS, record_access, record_change, record_refusal
from sandbox.bodies import read_body
from sandbox.call import ANONYMOUS, Call, Origin, Principal, Reply
from sandbox.cloud import Cloud
from sandbox.console.pages import Console
from sandbox.control import LOCAL_HOSTS
from sandbox.enforcement.checks import CHECKS
from sandbox.enforcement.explanations import explain
from sandbox.enforcement.usage import STEP
from sandbox.errors import ApiError, Internal, InvalidArgument, NotFound, Unauthenticated
from sandbox.faults import ConnectionDropped, Fault, begin, end
from sandbox.fields import prune
from sandbox.front_end import FrontEnd
from sandbox.request_log import Entry
from sandbox.runtime import invocation, metadata_server
from sandbox.runtime.agents import Agents
from sandbox.runtime.gateway import OUTSIDE
from sandbox.services import openidconnect
from sandbox.services.registry import Answer
from sandbox.services.storage import usage_logs, xml_api

VERBS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
#: In the request log: the client's connection was dropped, as nginx numbers it.
NO_ANSWER = 444

#: Refusals, as against mistakes and what is not there.
EXPLAINED = {401, 403, 429}

#: Services that answer below their own name at the root, as on www.googleapis.com.
NATURAL_ROOTS = {
    "bigquery": "bigquery",
    "compute": "compute",
    "dns": "dns",
    "download": "storage",
    "oauth2": "oauth2",
    "resumable": "storage",
    "storage": "storage",
    "upload": "storage",
}


def create_app(cloud: Cloud) -> Starlette:
    """The application of one sandbox."""
    console = Console(cloud)

    def by_socket(request: Request) -> bool:
        return cloud.gateway.arrival(request) is OUTSIDE

    async def api(request: Request) -> Response:
        # An instance asks its metadata server at / whether it is one: only a request by the socket is a browser's.
        if (
            request.scope["path"] == "/"
            and request.method == "GET"
            and control.is_local(request)
            and by_socket(request)
        ):
            return console.overview(request)
        return await answer(cloud, request)

    application = Starlette(
        routes=[
            Mount("/_sandbox", control.routes(cloud)),
            *console.routes(),
            Route("/{path:path}", api, methods=VERBS),
        ]
    )
    application.add_middleware(FrontEnd, largest_body=cloud.settings.largest_body)
    cloud.agents = Agents(cloud, application)
    return application


async def answer(cloud: Cloud, request: Request) -> Response:
    """As ``answered``; what it sets off is a step of its own, also where one request sends another."""
    step = STEP.set(STEP.get())
    try:
        return await answered(cloud, request)
    finally:
        STEP.reset(step)


async def answered(cloud: Cloud, request: Request) -> Response:
    """Answer one request, whatever happens, and log it."""
    started = time.perf_counter()
    host = request.headers.get("host", "").lower()
    label = "unrouted"
    principal, origin, note, denial, path = ANONYMOUS, Origin(), "", "", ""
    call: Call | None = None
    try:
        arrival = cloud.gateway.arrival(request)
        origin = arrival.origin
        if arrival.instance:
            label = "metadata"
            response = metadata_server.answer(cloud, request, arrival.instance)
        elif cloud.instances.serves(host):
            label = "run.invoke"
            STEP.set(label)
            await begin(cloud.faults.take(label, path=request.url.path, read=False), label)
            response = await invocation.answer(cloud, request, origin)
            denial = getattr(request.state, "denial", "")
        else:
            service, path = locate(cloud, host, raw_path(request))
            if service == "storage" and xml_api.is_object_path(path):
                label = "storage.xml"
                STEP.set(label)
                await begin(cloud.faults.take(label, path=request.url.path, read=False), label)
                response = await xml_api.answer(cloud, request, path, origin)
            else:
                call = await read_call(cloud, request, service, path, origin)
                label, principal = call.method.id, call.principal
                STEP.set(call.method.short)
                response = await dispatch(call)
                denial = call.denial
    except ApiError as error:
        note = error.message
        denial = explained(call, error) if call else ""
        document = cloud.services.envelope(label.partition(".")[0], error)
        response = render(Reply(error.code, document=document))
    except ConnectionDropped:
        note, response = "connection dropped by a fault", Response(status_code=NO_ANSWER)
        if cloud.drop is None or request.client is None:
            raise ConnectionResetError(note) from None
        cloud.drop((request.client.host, request.client.port))
        await asyncio.sleep(0)
    except Exception as error:  # noqa: BLE001 -- a defect must be answered, and is kept for /_sandbox/defects
        note = f"{type(error).__name__}: {error}"
        cloud.log.defects.append(traceback.format_exc())
        response = render(Reply(500, document=Internal("Internal error encountered.").envelope()))
    if label.startswith("storage."):
        usage_logs.note(cloud, request, response, origin, operation=label, place=bucket_and_object(call, path))
    cloud.log.add(
        Entry(
            cloud.clock.timestamp(),
            request.method,
            host,
            request.url.path,
            label,
            principal.member,
            origin.network,
            response.status_code,
            round((time.perf_counter() - started) * 1000, 2),
            note,
            denial,
        )
    )
    return response


def bucket_and_object(call: Call | None, path: str) -> tuple[str, str]:
    """What a request to Cloud Storage was about; ``path`` says so where it was no call of the JSON API."""
    if call is None:
        bucket, _, name = path.removeprefix("storage/").partition("/")
        return bucket, name
    return call.parameters.get("bucket", ""), call.parameters.get("object", call.query.get("name", ""))


def explained(call: Call, error: ApiError) -> str:
    """As ``refused``; a defect of the explanation must not change the answer, and is kept for /_sandbox/defects."""
    try:
        return refused(call, error)
    except Exception:  # noqa: BLE001 -- see above
        call.cloud.log.defects.append(traceback.format_exc())
        return ""


def refused(call: Call, error: ApiError) -> str:
    """Explain a refusal and log it as Google does; returns the id of the explanation, empty for other failures."""
    if call.denial:  # a perimeter's refusal has been explained where it was found
        return call.denial
    if error.code not in EXPLAINED and not error.details:
        return ""
    with call.cloud.store.transaction():
        insert_id = record_refusal(call, error)
        found = explain(call, error)
        return call.cloud.denials.record(
            call, error.code, error.message, found, identifiers=(insert_id,) if insert_id else ()
        )


def raw_path(request: Request) -> str:
    """The path as it came, still percent-encoded, without its leading slash."""
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    return raw.decode("ascii", "replace").partition("?")[0].lstrip("/")


def locate(cloud: Cloud, host: str, path: str) -> tuple[str, str]:
    """Service and path of a request: by its host, else by its first path segment.

    Raises:
        NotFound: neither names a service.
    """
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    known = cloud.description.services
    if name == "www.googleapis.com" or name in LOCAL_HOSTS:
        first, _, rest = path.partition("/")
        service = cloud.description.service_of_host(f"{first}.googleapis.com")
        if first in NATURAL_ROOTS:
            doubled = first in known and rest.partition("/")[0] in NATURAL_ROOTS
            return NATURAL_ROOTS[first], rest if doubled else path
        if service and name in LOCAL_HOSTS:
            return service, rest
        if cloud.store.get("storage.buckets", f"b/{first}"):
            return "storage", path
        raise NotFound(
            f"No service answers /{path}. Send Google's host name in the Host header, or start the path with the "
            f"service: /cloudkms/v1/projects/... Services: {', '.join(sorted(known))}."
        )
    if (by_bucket := xml_api.path_of_host(name, path)) is not None:
        return "storage", by_bucket
    service = cloud.description.service_of_host(name)
    if service is None:
        cloud.log.refused_hosts[name] += 1
        raise NotFound(f"The sandbox answers for no host {name!r}.")
    return service, path


async def read_call(cloud: Cloud, request: Request, service: str, path: str, origin: Origin) -> Call:
    """The call that a request means.

    Raises:
        NotFound: no method has this route.
        InvalidArgument: the body is no JSON object.
        Unauthenticated: the token means nothing.
    """
    verb = request.headers.get("x-http-method-override", request.method)
    route = cloud.description.match(service, verb, path)
    if route is None:
        raise NotFound(
            f"The requested URL /{path} was not found: {service} has no method for {verb} on it in the described "
            f"versions ({', '.join(v for v in cloud.description.sources if v.startswith(service + '.'))})."
        )
    raw = await read_body(request, cloud.settings.largest_body)
    upload = route.method.upload
    body = {} if upload else parse(raw, request.headers.get("content-type", ""))
    body = payload.parsed(route.method, enums.names(route.method, body))
    return Call(
        cloud=cloud,
        method=route.method,
        name=cloud.hierarchy.canonical(route.name),
        parameters=route.parameters,
        query=payload.query(route.method, request.query_params),
        body=body,
        headers=request.headers,
        media=raw,
        principal=authenticate(cloud, request),
        origin=origin,
        url=str(request.url),
    )


def parse(raw: bytes, content_type: str = "") -> dict[str, Any]:
    """A JSON body without nulls, or the fields of a form.

    Raises:
        InvalidArgument: as Google words it.
    """
    if not raw.strip():
        return {}
    if content_type.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(raw.decode("utf-8", "replace")))
    try:
        document = json.loads(raw)
    except ValueError as error:
        raise InvalidArgument(f"Invalid JSON payload received. {error}") from None
    if not isinstance(document, dict):
        raise InvalidArgument('Invalid JSON payload received. Unknown name "": Root element must be a message.')
    pruned: dict[str, Any] = prune(document)
    return pruned


def authenticate(cloud: Cloud, request: Request) -> Principal:
    """Whose credential a request carries.

    Raises:
        Unauthenticated: it carries one that means nothing here.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if not token:
        return ANONYMOUS
    principal = cloud.tokens.principal(token.strip()) if scheme.lower() == "bearer" else None
    if principal is None and token.count(".") == 2:  # noqa: PLR2004 -- header, claims, signature
        principal = self_signed(cloud, token.strip())
    if principal is None or cloud.hierarchy.account_disabled(principal.email):
        raise Unauthenticated(
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
            "valid authentication credential. See "
            "https://developers.google.com/identity/sign-in/web/devconsole-project."
        )
    return principal


def self_signed(cloud: Cloud, token: str) -> Principal | None:
    """The service account whose own key signed a token, as Google's libraries do instead of asking for one."""
    claims = openidconnect.key_claims(cloud, token)
    if claims is None or float(claims.get("exp", 0)) <= cloud.clock.now().timestamp():
        return None
    return Principal(f"serviceAccount:{claims['iss']}")


async def dispatch(call: Call) -> Response:
    """Check a call, let its service answer it, record the change; fail on the way where a test asked for it."""
    fault = due(call) if call.cloud.faults.pending else None
    await begin(fault, call.method.id)
    with call.cloud.store.lagging() if fault and fault.kind == "stale" else nullcontext():
        for check in CHECKS:
            check(call)
        result = await carry_out(call)
    end(fault)
    if isinstance(result, Reply):
        return render(result)
    document = result or {}
    return render(Reply(document=enums.numbers(call.method, document) if enums.wanted(call.query) else document))


def due(call: Call) -> Fault | None:
    """The planned fault that this call meets."""
    read = call.method.verb in READS
    return call.cloud.faults.take(call.method.id, call.method.short, path=urlsplit(call.url).path, read=read)


async def carry_out(call: Call) -> Answer:
    """What the service answers; a request's changes are one transaction."""
    handler = call.cloud.services.handler(call.method)
    if inspect.iscoroutinefunction(handler):
        awaited: Answer = await handler(call)
        record_change(call)
        record_access(call)
        return awaited
    with call.cloud.store.transaction():
        result: Answer = handler(call)  # type: ignore[assignment]  # no coroutine function, hence no awaitable
        record_change(call)
        record_access(call)
    return result


def render(reply: Reply) -> Response:
    """The HTTP answer."""
    content = reply.content
    if reply.document is not None:
        content = json.dumps(reply.document, ensure_ascii=False).encode()
    if reply.status in {204, 304}:  # No Content, Not Modified: without a body, by HTTP's own rules
        return Response(status_code=reply.status, headers=reply.headers)
    return Response(content, reply.status, reply.headers, reply.media_type)
