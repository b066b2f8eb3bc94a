"""Which calls of Google's APIs are sent again, how often, and when."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import tenacity

from plantain.endpoints import LOOPBACK

ATTEMPTS = 5
LONGEST_WAIT_SECONDS = 20
UNAUTHENTICATED = 401
#: A request with one of these was not carried out, whatever its verb.
REFUSED_FOR_NOW = frozenset({429, 503})
#: May have been carried out, so only reads are sent again.
UNCERTAIN = frozenset({500, 502, 504})
SAFE_VERBS = frozenset({"GET", "HEAD"})


class StaleTokenError(Exception):
    """A token was refused for the first time."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__("stale token")
        self.response = response


def attempts(*, safe: bool) -> Iterator[tenacity.AttemptManager]:
    """The attempts of one call; what the last of them raised leaves the loop.

    Args:
        safe: the call only reads, so it may be sent again though it may have been carried out.
    """
    yield from tenacity.Retrying(
        stop=tenacity.stop_after_attempt(ATTEMPTS),
        wait=_wait,
        retry=tenacity.retry_if_exception(lambda error: _again(error, safe=safe)),
        reraise=True,
    )


def accept(reply: httpx.Response, *, stale: bool) -> None:
    """Raise what ``attempts`` decides on: a refused token the first time, an error of HTTP."""
    if stale:
        raise StaleTokenError(reply)
    reply.raise_for_status()


def _again(error: BaseException, *, safe: bool) -> bool:
    if isinstance(error, StaleTokenError):
        return True
    if isinstance(error, httpx.HTTPStatusError):
        status = error.response.status_code
        return status in REFUSED_FOR_NOW or (safe and status in UNCERTAIN)
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        # Nothing was sent; a loopback port without a server will not get one by waiting.
        return urlsplit(str(error.request.url)).hostname not in LOOPBACK
    return safe and isinstance(error, httpx.TransportError)


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, StaleTokenError):
        return 0.0
    if isinstance(error, httpx.HTTPStatusError):
        asked = error.response.headers.get("retry-after", "")
        if asked.isdigit():
            return min(float(asked), LONGEST_WAIT_SECONDS)
    return tenacity.wait_random_exponential(multiplier=0.2, max=LONGEST_WAIT_SECONDS)(state)
