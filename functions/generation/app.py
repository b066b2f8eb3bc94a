"""HTTP: routes, the error envelope, one log line per request."""

import asyncio
import contextlib
import json
import os
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, TextIO

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from generation.admission import SMALL, Room
from generation.caller import Caller, authorise, caller_of
from generation.clients import Clients, connect
from generation.decoding import object_of
from generation.errors import GenerationError, Reason, failure
from generation.generator import Generator, Order
from generation.log import Line, trace_of, write
from generation.queue import PATH as QUEUE_PATH
from generation.readiness import readiness
from generation.record import Pending
from generation.retry import Policy
from generation.settings import Settings, read
from generation.shutdown import Shutdown, Work
from generation.validation import parse

LARGEST_BODY = 32 * 1024 * 1024
"""Cloud Run takes no larger HTTP/1 request (docs.cloud.google.com/run/quotas, read 2026-08)."""
READ_SECONDS = 120.0
"""A request that has not been read by then is given up, so that no slow sender keeps the room of others."""
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
LONGEST_NUMBER = 20
CHUNK = 1024 * 1024
"""Answers are streamed: Cloud Run lets none pass in one piece that is larger than 32 MiB."""
IMAGE = re.compile(r"/images/([^/]+)")
ID = re.compile(r"[0-9a-f]{64}")
HEALTH = {"/healthz", "/health"}
READY = {"/readyz", "/ready"}
"""Cloud Run's front end keeps some paths that end in z to itself (docs.cloud.google.com/run/docs/known-issues, read
2026-08), so both have a second name. Probes, which go past the front end, may use either."""
CLIENT_CLOSED_REQUEST = 499
ACCEPTED = 202
POLL_SECONDS = 5
OUTCOME = "outcome"
MAKING = {("POST", "/images"), ("POST", QUEUE_PATH)}


class Application:
    """The function's HTTP side.

    Args:
        environment: where settings are read from, when the first request comes.
        connector: makes the connections, then.
        policy: how often the model is asked again.
        output: where log lines go; standard output when left out.
    """

    def __init__(
        self,
        environment: Mapping[str, str] | None = None,
        connector: Callable[[Settings], Awaitable[Clients]] = connect,
        *,
        policy: Policy | None = None,
        output: TextIO | None = None,
    ) -> None:
        self._environment = os.environ if environment is None else environment
        self._connector = connector
        self._policy = policy
        self._output = output
        self._settings: Settings | None = None
        self._clients: Clients | None = None
        self._generator: Generator | None = None
        self._lock = asyncio.Lock()
        self._shutdown = Shutdown()

    async def handle(self, request: Request) -> Response:
        """Answer a request, whatever happens, and log how."""
        start = time.monotonic()
        trace, span = trace_of(request.headers)
        method = request.method if request.method in METHODS else "unknown"
        line = Line(method, _route(request.url.path), trace, span)
        line.event = OUTCOME if (line.method, line.route) in MAKING else "request"
        try:
            with self._shutdown.request():
                response = await self._dispatch(request, line)
        except GenerationError as error:
            line.failed(error)
            response = _json(error.envelope(), error.code, _retry_header(error))
        except ClientDisconnect:
            response = Response(status_code=CLIENT_CLOSED_REQUEST)
        except Exception as error:  # noqa: BLE001 -- whatever it is, the caller gets the envelope and no traceback
            unexpected = failure(
                Reason.INTERNAL,
                "The function failed unexpectedly; the request may be tried again",
                hint="The log line of this request names the place in the source",
            )
            line.failed(unexpected)
            line.crashed(error)
            response = _json(unexpected.envelope(), unexpected.code)
        if line.route not in HEALTH:  # a probe every few seconds is no outcome
            document = write(
                line,
                status=response.status_code,
                latency_ms=round((time.monotonic() - start) * 1000),
                campaign=self._settings.campaign if self._settings else "",
                project=self._settings.project if self._settings else "",
                output=self._output,
            )
            if self._clients is not None and line.event == OUTCOME:
                self._clients.telemetry.outcome(document)
        return response

    async def close(self) -> None:
        """Finish what is under way and give up all connections."""
        if self._generator is not None:
            await self._generator.close()
        if self._clients is not None:
            await self._clients.close()

    async def _dispatch(self, request: Request, line: Line) -> Response:
        path, method = request.url.path.rstrip("/") or "/", request.method
        image = IMAGE.fullmatch(path)
        if path == "/images":
            _allow(method, "POST")
            return await self._generate(request, line)
        if image:
            _allow(method, "GET", "HEAD")
            generator, _, settings = await self._ready()
            authorise(caller_of(request.headers), settings)
            line.image = image[1] if ID.fullmatch(image[1]) else ""
            shown = await generator.show(line.image)
            if isinstance(shown, Pending):
                return _pending(shown)
            return _json(shown)
        if path == QUEUE_PATH:
            _allow(method, "POST")
            return await self._work_off(request, line)
        if path in HEALTH:
            _allow(method, "GET", "HEAD")
            return _json({"status": "ok"})
        if path in READY:
            _allow(method, "GET", "HEAD")
            self._shutdown.must_admit()
            _, clients, settings = await self._ready()
            ready, document = await readiness(clients, settings)
            return _json(document, 200 if ready else 503)
        raise failure(
            Reason.ROUTE_NOT_FOUND,
            f"There is no {method} {path}",
            hint="The paths are POST /images, GET /images/{id}, GET /healthz and GET /readyz",
        )

    async def _generate(self, request: Request, line: Line) -> Response:
        arrived = time.monotonic()
        self._shutdown.must_admit()
        generator, clients, settings = await self._ready()
        caller = caller_of(request.headers)
        line.caller_domain = caller.domain
        authorise(caller, settings)
        room = Room(generator.admission)
        try:
            async with _soon():
                body = await _body(request, room)
            asked, models = parse(body, settings)
            order = Order(asked, models, caller, _address(request), arrived, room)
            with clients.telemetry.request(request.headers, line.route):
                response = await self._made(generator, order, line)
        except BaseException:
            room.leave()
            raise
        if isinstance(response, Streamed):
            response.room = room
        else:
            room.leave()
        return response

    async def _work_off(self, request: Request, line: Line) -> Response:
        """Make what the queue sends: a request that waits in the bucket.

        Only failures that may pass are answered as failures, for the queue tries those again.
        """
        self._shutdown.must_admit()
        generator, clients, settings = await self._ready()
        if caller_of(request.headers).email != settings.service_account.lower():
            raise failure(
                Reason.CALLER_NOT_ALLOWED,
                "Only the campaign's queue calls this path",
                hint="Ask with POST /images and async",
            )
        room = Room(generator.admission)
        try:
            async with _soon():
                name = str(object_of(await _body(request, room)).get("request"))
                body, email = await generator.queued(name, room)
            line.caller_domain = email.rpartition("@")[2]
            asked, models = parse(body, settings)
            with clients.telemetry.request(request.headers, line.route):
                return await self._made(generator, Order(asked, models, Caller(email), room=room), line)
        except GenerationError as error:
            if line.model == "" or (error.may_succeed_later and error.reason is not Reason.BUDGET_EXCEEDED):
                raise
            line.failed(error)
            return _json(error.envelope())
        finally:
            room.leave()

    async def _made(self, generator: Generator, order: Order, line: Line) -> Response:
        line.model, line.request_id = order.models[0].id, order.request.request_id or ""
        line.capacity = order.request.capacity.value
        answer = await generator.generate(order)
        if isinstance(answer, Pending):
            line.event, line.image = "queued", answer.id
            return _pending(answer)
        line.answered(answer)
        document = answer.model_dump(mode="json", by_alias=True)
        for image in document["images"]:
            if image["data"] is None:
                del image["data"]
        return _json(document)

    async def _ready(self) -> tuple[Generator, Clients, Settings]:
        if self._generator is not None and self._clients is not None and self._settings is not None:
            return self._generator, self._clients, self._settings
        async with self._lock:
            if self._settings is None:
                self._settings = read(self._environment)
            if self._clients is None:
                self._clients = await self._connector(self._settings)
            if self._generator is None:
                self._generator = Generator(self._settings, self._clients, self._policy)
                made = self._generator
                self._shutdown.listen(Work(made.refuse, made.land, made.interrupt, self.close))
            return self._generator, self._clients, self._settings


class Streamed(StreamingResponse):
    """A long answer, in pieces; what it holds of the room is given back once it is sent."""

    room: Room | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Part of Starlette's protocol."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.room is not None:
                self.room.leave()


@contextlib.asynccontextmanager
async def _soon() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(READ_SECONDS):
            yield
    except TimeoutError:
        raise failure(
            Reason.DEADLINE_EXCEEDED,
            f"The request was not read within {READ_SECONDS:.0f} s: it comes slowly, or there is no room for it",
            hint="Upload references to a bucket and give their gs:// addresses: gcloud storage cp FILE gs://BUCKET/",
            retry_after=5.0,
        ) from None


async def _body(request: Request, room: Room) -> bytes:
    announced = _announced(request)
    await room.hold(announced or 0)
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if announced is None and size > SMALL:
            announced = LARGEST_BODY  # as long as it may become: who does not say how long it is, waits longest
            await room.hold(announced)
        if size > LARGEST_BODY:
            raise failure(
                Reason.REQUEST_TOO_LARGE,
                f"The body is larger than {LARGEST_BODY:,} bytes, more than Cloud Run passes on",
                hint="Upload references to a bucket and give their gs:// addresses: gcloud storage cp FILE gs://BUCKET/",
            )
        parts.append(part)
    return b"".join(parts)


def _announced(request: Request) -> int | None:
    length = request.headers.get("content-length", "")
    if not length.isascii() or not length.isdigit():
        return None
    return LARGEST_BODY if len(length) > LONGEST_NUMBER else min(int(length), LARGEST_BODY)


def _address(request: Request) -> str:
    # Cloud Run ends TLS in front of the instance, and routes by Host: no other host than the service's own comes here.
    scheme = request.headers.get("x-forwarded-proto", request.url.scheme)
    return f"{'http' if scheme == 'http' else 'https'}://{request.headers.get('host', '')}"


def _pending(pending: Pending) -> Response:
    headers = {"Location": f"/images/{pending.id}", "Retry-After": str(POLL_SECONDS)}
    return _json(pending.model_dump(mode="json", by_alias=True), ACCEPTED, headers)


def _allow(method: str, *allowed: str) -> None:
    if method not in allowed:
        raise failure(Reason.METHOD_NOT_ALLOWED, f"The path has no {method}", hint=f"Use {allowed[0]}")


def _route(path: str) -> str:
    path = path.rstrip("/") or "/"
    if IMAGE.fullmatch(path):
        return "/images/{id}"
    return path if path in {"/images", QUEUE_PATH, *HEALTH, *READY} else "unknown"


def _retry_header(error: GenerationError) -> dict[str, str]:
    return {} if error.retry_after is None else {"Retry-After": str(max(1, round(error.retry_after)))}


def _json(document: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    body = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
    # Signed URLs belong to the caller and to nobody's cache.
    named = {"Cache-Control": "no-store", **(headers or {})}
    if len(body) <= CHUNK:
        return Response(body, status, named, "application/json")
    return Streamed(_chunks(body), status, named, "application/json")


async def _chunks(body: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(body), CHUNK):
        yield body[at : at + CHUNK]
