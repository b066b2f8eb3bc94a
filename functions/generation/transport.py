"""HTTP to Google's APIs: one session, one connection pool, one token for all of them.

The APIs are called by their documented JSON over HTTP and not through google-genai and google-cloud-storage: of the CPU
an image takes, most went into those libraries' transports, response models and copies. Tests compare what is sent here
with what those libraries send.
"""

import asyncio
import ssl
import urllib.request
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from generation import decoding
from generation.credentials import Identity
from generation.decoding import Document
from generation.errors import GenerationError, Reason, failure
from generation.settings import origin_of

CONNECT_SECONDS = 10.0
IDLE_SECONDS = 60.0
"""Google's front ends keep an idle connection for some minutes; ours are let go of before."""
READ_BYTES = 128 * 1024
PIECE_BYTES = 1024 * 1024
JOINED_BYTES = 512 * 1024
FAILURES = (aiohttp.ClientError, OSError, asyncio.IncompleteReadError)
OK = 300
IDENTITY = {"Accept-Encoding": "identity"}
"""Images and base64 do not get smaller by compression, so none is asked for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an API answered.

    Attributes:
        status: HTTP status.
        headers: names in lower case.
        body: whole.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the call succeeded."""
        return self.status < OK

    def json(self) -> dict[str, Any]:
        """The body as an object; empty where it is none."""
        return decoding.object_of(self.body)


class NoAnswer(Exception):
    """The connection failed, or was cut."""


class Transport:
    """Authorised calls.

    Args:
        identity: whose token goes along; None for calls that need none.
        endpoint: origin that stands for all hosts (`https://x/` + first label of the host); empty for the real ones.
    """

    def __init__(self, identity: Identity, endpoint: str = "") -> None:
        self._identity = identity
        self._endpoint = endpoint
        self._proxies = urllib.request.getproxies()
        self._routes: dict[str, tuple[str, str | None]] = {}
        self._session = aiohttp.ClientSession(
            # 0: how many calls are under way is decided by what admits requests, not by the pool.
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_SECONDS, ssl=_tls(), ttl_dns_cache=60),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            read_bufsize=READ_BYTES,
            auto_decompress=True,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=IDENTITY,
            skip_auto_headers=("User-Agent",),
        )

    def route(self, host: str) -> tuple[str, str | None]:
        """Origin and proxy for a host of Google's, looked up once."""
        known = self._routes.get(host)
        if known is None:
            origin = origin_of(host, self._endpoint)
            scheme, _, place = origin.partition("://")
            proxy = self._proxies.get(scheme)
            if urllib.request.proxy_bypass(place.partition("/")[0]):
                proxy = None
            known = self._routes[host] = (origin, proxy)
        return known

    async def call(
        self,
        host: str,
        method: str,
        path: str,
        *,
        body: bytes | tuple[bytes, ...] | None = None,
        mime_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request and its whole answer.

        Args:
            host: of the API.
            method: HTTP method.
            path: with query, encoded.
            body: whole, or parts that are sent one after the other without a copy.
            mime_type: of the body.
            headers: more of them.

        Raises:
            NoAnswer: nobody is there, or the answer was cut.
            GenerationError: there is no token.
        """
        try:
            response = await self._ask(host, method, path, body, mime_type, headers)
            return Answer(response.status, _lower(response), await response.read())
        except FAILURES as error:
            raise _no_answer(error) from error

    async def document(
        self, host: str, path: str, *, body: bytes, headers: Mapping[str, str], admit: decoding.Admit
    ) -> Answer | Document:
        """POST, and the answer's JSON with the images it carries taken out while they arrive.

        Raises:
            NoAnswer: nobody is there, or the answer was cut.
            ValueError: the answer is no JSON, or what it carries is no base64.
            GenerationError: there is no token.
        """
        try:
            response = await self._ask(host, "POST", path, body, "application/json", headers)
            if response.status >= OK:
                return Answer(response.status, _lower(response), await response.read())
            try:
                await admit(response.content_length)
                splitter = decoding.Splitter()
                async for chunk in response.content.iter_any():
                    splitter.feed(chunk)
                return splitter.finish()
            except BaseException:
                response.close()  # what is left of it is of no use, nor is its connection
                raise
        except FAILURES as error:
            raise _no_answer(error) from error

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def _ask(
        self,
        host: str,
        method: str,
        path: str,
        body: bytes | tuple[bytes, ...] | None,
        mime_type: str,
        headers: Mapping[str, str] | None,
    ) -> aiohttp.ClientResponse:
        origin, proxy = self.route(host)
        sent = {"Authorization": await self._identity.authorization(), **(headers or {})}
        data: Any = body
        if body is not None:
            sent["Content-Type"] = mime_type
        if isinstance(body, tuple):
            length = sum(map(len, body))
            if length <= JOINED_BYTES:
                data = b"".join(body)  # a copy costs less than sending it in pieces
            else:
                sent["Content-Length"] = str(length)
                data = _pieces(body)
        return await self._session.request(
            method, _address(origin + path), data=data, headers=sent, proxy=proxy, allow_redirects=False
        )


def _no_answer(error: Exception) -> Exception:
    # TimeoutError is an OSError, too; a deadline of ours is asyncio's to raise, not a failed connection.
    deadline = isinstance(error, TimeoutError) and not isinstance(error, aiohttp.ClientError)
    return error if deadline else NoAnswer(type(error).__name__)


def unreachable(reason: Reason, host: str, error: NoAnswer, consequence: str = "") -> GenerationError:
    """The failure that stands for a call without an answer."""
    return failure(
        reason,
        f"{host} cannot be reached{consequence}: {error}",
        hint=f"Check that the network resolves {host} to restricted.googleapis.com (199.36.153.4/30)",
        retry_after=1.0,
    )


def _address(url: str) -> URL:
    # The path is encoded already; encoding it anew would spoil signed and escaped names.
    return URL(url, encoded=True)


def _lower(response: aiohttp.ClientResponse) -> dict[str, str]:
    return {key.lower(): value for key, value in response.headers.items()}


async def _pieces(parts: tuple[bytes, ...]) -> AsyncIterator[memoryview]:
    for part in parts:
        view = memoryview(part)
        for at in range(0, len(view), PIECE_BYTES):
            yield view[at : at + PIECE_BYTES]


def _tls() -> ssl.SSLContext:
    # Honours SSL_CERT_FILE and SSL_CERT_DIR, as every client on the instance does.
    return ssl.create_default_context()
