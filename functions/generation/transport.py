"""HTTP to Google's APIs: one session, one connection pool, one token for all of them.

The APIs are called by their documented JSON over HTTP and not through google-genai and google-cloud-storage: of the CPU
an image takes, most went into those libraries' transports, response models and copies. Tests compare what is sent here
with what those libraries send.
"""

import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from generation import decoding
from generation.connection import Connection, Head, NoAnswer
from generation.credentials import Identity
from generation.decoding import Document
from generation.errors import GenerationError, Reason, failure
from generation.pool import PORTS, Peer, Pool, Proxy
from generation.settings import origin_of

OK = 300
IDENTITY = "identity"
"""Images and base64 do not get smaller by compression, so none is asked for, and none is taken apart."""


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


@dataclass(frozen=True, slots=True)
class Route:
    """The way to one of Google's hosts.

    Attributes:
        peer: whom connections lead to.
        host: value of the header Host.
        prefix: what goes before every path.
    """

    peer: Peer
    host: str
    prefix: str


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
        self._routes: dict[str, Route] = {}
        self._pool = Pool()

    def route(self, host: str) -> Route:
        """The way to a host of Google's, looked up once."""
        known = self._routes.get(host)
        if known is None:
            parts = urlsplit(origin_of(host, self._endpoint))
            found = None if urllib.request.proxy_bypass(parts.netloc) else self._proxies.get(parts.scheme)
            proxy = Proxy.of(found) if found else None
            name = parts.hostname or ""
            peer = Peer(parts.scheme == "https", name, parts.port or PORTS[parts.scheme], proxy)
            # A proxy that forwards, and makes no tunnel, is told the whole address.
            prefix = f"{parts.scheme}://{parts.netloc}{parts.path}" if peer.forwarded else parts.path
            known = self._routes[host] = Route(peer, parts.netloc, prefix)
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
        peer, connection = await self._ask(host, method, path, body, mime_type, headers)
        try:
            data = await connection.rest()
            answer = _answer(await connection.head(), data)
        except BaseException:
            self._pool.drop(connection)
            raise
        self._pool.give_back(peer, connection)
        return answer

    async def document(
        self, host: str, path: str, *, body: bytes, headers: Mapping[str, str], admit: decoding.Admit
    ) -> Answer | Document:
        """POST, and the answer's JSON with the images it carries taken out while they arrive.

        Raises:
            NoAnswer: nobody is there, or the answer was cut.
            ValueError: the answer is no JSON, or what it carries is no base64.
            GenerationError: there is no token.
        """
        peer, connection = await self._ask(host, "POST", path, body, "application/json", headers, hold=True)
        try:
            head = await connection.head()
            if head.status >= OK:
                answer: Answer | Document = _answer(head, await connection.rest())
            else:
                _must_be_plain(head)
                await admit(head.length)
                splitter = decoding.Splitter()
                await connection.pour(splitter.feed)
                answer = splitter.finish()
        except BaseException:
            self._pool.drop(connection)  # what is left of it is of no use
            raise
        self._pool.give_back(peer, connection)
        return answer

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.close()

    async def _ask(
        self,
        host: str,
        method: str,
        path: str,
        body: bytes | Sequence[bytes] | None,
        mime_type: str,
        headers: Mapping[str, str] | None,
        *,
        hold: bool = False,
    ) -> tuple[Peer, Connection]:
        route = self.route(host)
        parts = () if body is None else (body,) if isinstance(body, bytes) else body
        sent = {
            "Host": route.host,
            "Accept": "*/*",
            "Accept-Encoding": IDENTITY,
            "Authorization": await self._identity.authorization(),
            **(headers or {}),
        }
        peer = route.peer
        if peer.forwarded and peer.proxy is not None and peer.proxy.authorization:
            sent["Proxy-Authorization"] = peer.proxy.authorization
        if body is not None:
            sent |= {"Content-Type": mime_type, "Content-Length": str(sum(map(len, parts)))}
        head = _head(f"{method} {route.prefix}{path} HTTP/1.1", sent)
        connection = await self._pool.take(peer)
        try:
            await connection.send(head, parts, hold=hold)
        except BaseException:
            self._pool.drop(connection)
            raise
        return peer, connection


def _head(line: str, headers: Mapping[str, str]) -> bytes:
    text = line + "".join([f"\r\n{name}: {value}" for name, value in headers.items()])
    if text.count("\n") != len(headers) or text.count("\r") != len(headers):
        raise AssertionError("a header must not hold a line break")
    return f"{text}\r\n\r\n".encode("latin-1")


def _answer(head: Head, body: bytes) -> Answer:
    _must_be_plain(head)
    return Answer(head.status, head.headers, body)


def _must_be_plain(head: Head) -> None:
    if head.headers.get("content-encoding", IDENTITY) != IDENTITY:
        raise NoAnswer("CompressedAnswer")


def unreachable(reason: Reason, host: str, error: NoAnswer, consequence: str = "") -> GenerationError:
    """The failure that stands for a call without an answer."""
    return failure(
        reason,
        f"{host} cannot be reached{consequence}: {error}",
        hint=f"Check that the network resolves {host} to restricted.googleapis.com (199.36.153.4/30)",
        retry_after=1.0,
    )
