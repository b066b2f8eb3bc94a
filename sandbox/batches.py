"""Batches: several requests in one, each answered as if it had come alone.

Format: https://docs.cloud.google.com/storage/docs/batch (read 2026-11).
"""

from __future__ import annotations

import email
import email.policy
import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from sandbox.errors import InvalidArgument

if TYPE_CHECKING:
    from email.message import Message

    import httpx
    from starlette.datastructures import Headers
    from starlette.types import ASGIApp, Scope

MOST = 100
LINES = 2


async def answer(app: ASGIApp, scope: Scope, headers: Headers, body: bytes) -> Response:
    """The answers to all parts of a batch, in their order.

    Raises:
        InvalidArgument: it is no batch, or holds too many requests.
    """
    import httpx  # noqa: PLC0415 -- it brings a command line along, and no start waits for a batch

    parts = split(headers.get("content-type", ""), body)
    if not 0 < len(parts) <= MOST:
        raise InvalidArgument(f"A batch holds 1 to {MOST} requests; this one has {len(parts)}.")
    transport: Any = httpx.ASGITransport(app, client=scope["client"])
    boundary = f"batch_{secrets.token_hex(12)}"
    lines: list[bytes] = []
    for part in parts:
        request = read(part, headers)
        reply = await transport.handle_async_request(request)
        content = await reply.aread()
        identity = str(part.get("Content-ID", "")).strip().removeprefix("<").removesuffix(">")
        phrase = HTTPStatus(reply.status_code).phrase if reply.status_code in list(HTTPStatus) else ""
        head = [
            f"--{boundary}",
            "Content-Type: application/http",
            *([f"Content-ID: <response-{identity}>"] if identity else []),
            "",
            f"HTTP/1.1 {reply.status_code} {phrase}",
            *(f"{key}: {value}" for key, value in reply.headers.items() if key != "content-length"),
            f"Content-Length: {len(content)}",
            "",
        ]
        lines += ["\r\n".join(head).encode(), content]
    lines.append(f"--{boundary}--".encode())
    return Response(b"\r\n".join(lines), media_type=f"multipart/mixed; boundary={boundary}")


def split(content_type: str, body: bytes) -> list[Message]:
    """The parts of a ``multipart/mixed`` body.

    Raises:
        InvalidArgument: it is none.
    """
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = email.message_from_bytes(head + body, policy=email.policy.compat32)
    payload = message.get_payload()
    if not content_type.startswith("multipart/mixed") or not isinstance(payload, list):
        raise InvalidArgument("Failed to parse batch request, error: the body is no multipart/mixed message.")
    return [part for part in payload if not isinstance(part, str)]


def read(part: Message, outer: Headers) -> httpx.Request:
    """The request in a part; what it does not say itself, the batch says for all.

    Raises:
        InvalidArgument: its first line is none of a request.
    """
    import httpx  # noqa: PLC0415 -- as above

    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        raise InvalidArgument("Failed to parse batch request, error: a part is no HTTP request.")
    head, _, body = content.replace(b"\r\n", b"\n").lstrip(b"\n").partition(b"\n\n")
    first, *lines = head.decode("utf-8", "replace").split("\n")
    words = first.split()
    if len(words) < LINES:
        raise InvalidArgument(f"Failed to parse batch request, error: {first!r} is no request line.")
    own = {key.strip().lower(): value.strip() for key, _, value in (line.partition(":") for line in lines if line)}
    own.pop("content-length", None)
    own.pop("host", None)
    sent = {"host": outer.get("host", "127.0.0.1"), **own}
    if "authorization" in outer:
        sent.setdefault("authorization", outer["authorization"])
    if body.strip():
        sent.setdefault("content-type", "application/json")
    target = words[1] if words[1].startswith("/") else "/" + words[1].partition("://")[2].partition("/")[2]
    return httpx.Request(words[0], f"http://{sent['host']}{target}", headers=sent, content=body.rstrip(b"\n"))
