"""Request bodies, read within a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.errors import RequestTooLarge

if TYPE_CHECKING:
    from starlette.requests import Request


async def read_body(request: Request, limit: int) -> bytes:
    """The body, never more of it than the limit.

    Raises:
        RequestTooLarge: it is larger, by its own words or in fact.
    """
    refusal = RequestTooLarge(f"The request's body is larger than {limit} bytes, which is all the sandbox takes.")
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > limit:
        raise refusal
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise refusal
        parts.append(part)
    return b"".join(parts)
