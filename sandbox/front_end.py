"""What Google's front end does with every API's requests, before and after the API sees them.

Batches, compressed bodies, methods and tokens that travel elsewhere than usual, and answers cut down to some fields:
https://docs.cloud.google.com/apis/docs/system-parameters and
https://docs.cloud.google.com/storage/docs/json_api (both read 2026-11).
"""

from __future__ import annotations

import json
import re
import zlib
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse

from sandbox import batches
from sandbox.bodies import read_body
from sandbox.errors import ApiError, InvalidArgument, RequestTooLarge
from sandbox.selections import Selection, select

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Requests to what users deployed pass as they are.
DEPLOYED = (".run.app", ".cloudfunctions.net")
#: Paths of JSON APIs: ``/v1/``, ``/cloudkms/v1/``, ``/storage/v1/``, ``/upload/storage/v1/``.
JSON_API = re.compile(r"/(?:[a-z]+/){0,3}v\d\w*(?:/|$)")
FORM = "application/x-www-form-urlencoded"
GZIP = 16 + zlib.MAX_WBITS


class FrontEnd:
    """ASGI middleware.

    Args:
        app: the application.
        largest_body: bytes of a request's body that are taken, unpacked.
    """

    def __init__(self, app: ASGIApp, largest_body: int) -> None:
        self._app = app
        self._largest = largest_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, changed where it asks for it."""
        if scope["type"] != "http" or scope["path"].startswith("/_sandbox"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host = headers.get("host", "").rpartition(":")[0] or headers.get("host", "")
        if host.endswith(DEPLOYED):
            await self._app(scope, receive, send)
            return
        try:
            if scope["method"] == "POST" and (scope["path"] == "/batch" or scope["path"].startswith("/batch/")):
                body = await read_body(Request(scope, receive), self._largest)
                response = await batches.answer(self, scope, headers, body)
                await response(scope, receive, send)
                return
            scope, receive = await self._opened(scope, receive, headers)
            selection = chosen(scope)
        except ApiError as error:
            await JSONResponse(error.envelope(), error.code)(scope, receive, send)
            return
        if scope["method"] == "HEAD" and JSON_API.match(scope["path"]):
            scope = {**scope, "method": "GET"}
            send = bodiless(send)
        await self._app(scope, receive, Cut(send, selection) if selection else send)

    async def _opened(self, scope: Scope, receive: Receive, headers: Headers) -> tuple[Scope, Receive]:
        """The request as the API reads it.

        Raises:
            InvalidArgument: a compressed body is none.
            RequestTooLarge: it is too large, packed or unpacked.
        """
        changed = MutableHeaders(raw=list(scope["headers"]))
        kind = headers.get("content-type", "")
        method, query, body = scope["method"], scope["query_string"], None
        if headers.get("content-encoding") == "gzip" and kind.startswith(("application/json", FORM)):
            body = unpacked(await read_body(Request(scope, receive), self._largest), self._largest)
            del changed["content-encoding"]
        if headers.get("x-http-method-override", "").upper() == "GET" and kind.startswith(FORM):
            # A query that is too long for a URL.
            form = body if body is not None else await read_body(Request(scope, receive), self._largest)
            query, body, method = b"&".join(part for part in (query, form.strip()) if part), b"", "GET"
            for name in ("x-http-method-override", "content-type"):
                del changed[name]
        token = re.search(rb"(?:^|&)(?:access_token|oauth_token)=([^&]+)", query)
        asked_about = scope["path"].endswith("/tokeninfo")  # there the token is the question, not the credential
        if token and "authorization" not in headers and not asked_about:
            changed["authorization"] = f"Bearer {token[1].decode('ascii', 'replace')}"
        if body is not None:
            changed["content-length"] = str(len(body))
            receive = replayed(body)
        return {**scope, "method": method, "query_string": query, "headers": changed.raw}, receive


def unpacked(body: bytes, largest: int) -> bytes:
    """A body without its compression, never more of it than the limit.

    Raises:
        InvalidArgument: it is not compressed.
        RequestTooLarge: it is larger.
    """
    reader = zlib.decompressobj(GZIP)
    try:
        content = reader.decompress(body, largest)
    except zlib.error:
        raise InvalidArgument("Request Content-Encoding is gzip, but its body cannot be unpacked.") from None
    if reader.unconsumed_tail:
        raise RequestTooLarge(f"The request's body is larger than {largest} bytes, which is all the sandbox takes.")
    return content


def replayed(body: bytes) -> Receive:
    """Gives a body that has been read already."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    return receive


def bodiless(send: Send) -> Send:
    """Sends what a HEAD request gets: the headers of the answer to GET."""

    async def headers_only(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return headers_only


def chosen(scope: Scope) -> Selection | None:
    """The fields that a request asks for; None for all.

    Raises:
        InvalidArgument: they cannot be read.
    """
    if b"fields=" not in scope["query_string"] or not JSON_API.match(scope["path"]):
        return None
    query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
    text = query.get("$fields") or query.get("fields") or ""
    return Selection.read(text) if text and query.get("alt") != "media" else None


class Cut:
    """Sends an answer's chosen fields."""

    def __init__(self, send: Send, selection: Selection) -> None:
        self._send = send
        self._selection = selection
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        """Hold an answer back until it is whole."""
        if message["type"] == "http.response.start":
            kind = Headers(raw=message["headers"]).get("content-type", "")
            if message["status"] == 200 and kind.startswith("application/json"):  # noqa: PLR2004 -- OK
                self._start = message
                return
        if self._start is None:
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if message.get("more_body"):
            return
        document: Any = json.loads(self._body) if self._body.strip() else {}
        content = json.dumps(select(document, self._selection), ensure_ascii=False).encode()
        headers = MutableHeaders(raw=list(self._start["headers"]))
        headers["content-length"] = str(len(content))
        await self._send({**self._start, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": content})
