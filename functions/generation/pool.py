"""Connections that are kept for the next request."""

import asyncio
import base64
import socket
import ssl
from collections import deque
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from generation.connection import BUFFER_BYTES, REDIRECTION, Connection, NoAnswer

CONNECT_SECONDS = 10.0
IDLE_SECONDS = 60.0
"""Google's front ends keep an idle connection for some minutes; ours are let go of before."""
ADDRESS_SECONDS = 60.0
"""How long the addresses of a name are believed in."""
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy for HTTP.

    Attributes:
        host: its name or address.
        port: its port.
        authorization: value of the header Proxy-Authorization; empty for none.
    """

    host: str
    port: int
    authorization: str = ""

    @classmethod
    def of(cls, url: str) -> "Proxy":
        """The proxy at an address such as http://user:password@proxy:3128."""
        parts = urlsplit(url if "://" in url else f"http://{url}")
        known = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}" if parts.username else ""
        authorization = f"Basic {base64.b64encode(known.encode()).decode()}" if known else ""
        return cls(parts.hostname or "", parts.port or PORTS["http"], authorization)


@dataclass(frozen=True, slots=True)
class Peer:
    """Whom a connection leads to.

    Attributes:
        secure: whether by TLS.
        host: name or address.
        port: its port.
        proxy: through which; None for none.
    """

    secure: bool
    host: str
    port: int
    proxy: Proxy | None = None

    @property
    def forwarded(self) -> bool:
        """Whether a proxy is asked for each request, and not for a tunnel."""
        return self.proxy is not None and not self.secure


class Pool:
    """Connections by whom they lead to. How many there are is decided by what admits requests."""

    def __init__(self) -> None:
        self._idle: dict[Peer, deque[tuple[float, Connection]]] = {}
        self._used: set[Connection] = set()
        self._buffer = memoryview(bytearray(BUFFER_BYTES))
        self._addresses: dict[tuple[str, int], tuple[float, list[str]]] = {}
        self._looking = asyncio.Lock()
        # Honours SSL_CERT_FILE and SSL_CERT_DIR, as every client on the instance does.
        self._tls = ssl.create_default_context()

    async def take(self, peer: Peer) -> Connection:
        """A connection, the one that was used last if there is any.

        Raises:
            NoAnswer: nobody is there.
        """
        idle = self._idle.get(peer)
        while idle:
            since, connection = idle.pop()
            if not connection.closed and asyncio.get_running_loop().time() - since < IDLE_SECONDS:
                self._used.add(connection)
                return connection
            connection.close()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                connection = await self._opened(peer)
        except TimeoutError:
            raise NoAnswer("ConnectTimeout") from None
        except OSError as error:
            raise NoAnswer(type(error).__name__) from error
        self._used.add(connection)
        return connection

    def give_back(self, peer: Peer, connection: Connection) -> None:
        """Keep a connection for the next request, where that is possible."""
        self._used.discard(connection)
        if connection.closed or not connection.reusable:
            connection.close()
            return
        now = asyncio.get_running_loop().time()
        idle = self._idle.setdefault(peer, deque())
        idle.append((now, connection))
        while idle and (now - idle[0][0] >= IDLE_SECONDS or idle[0][1].closed):
            idle.popleft()[1].close()

    def drop(self, connection: Connection) -> None:
        """End a connection whose answer was not read to its end."""
        self._used.discard(connection)
        connection.close()

    async def close(self) -> None:
        """End all connections."""
        for connection in (*self._used, *(kept for idle in self._idle.values() for _, kept in idle)):
            connection.close()
        self._used.clear()
        self._idle.clear()
        await asyncio.sleep(0)  # in which the event loop lets go of them

    async def _opened(self, peer: Peer) -> Connection:
        if peer.proxy is None:
            return await self._connected(peer.host, peer.port, tls=peer.secure)
        connection = await self._connected(peer.proxy.host, peer.proxy.port, tls=False)
        if peer.forwarded:
            return connection
        try:
            await self._tunnelled(connection, peer, peer.proxy)
        except BaseException:
            connection.close()
            raise
        return connection

    async def _connected(self, host: str, port: int, *, tls: bool) -> Connection:
        loop = asyncio.get_running_loop()
        failed: OSError | None = None
        for address in await self._resolved(host, port):
            try:
                _, connection = await loop.create_connection(
                    lambda: Connection(self._buffer),
                    address,
                    port,
                    ssl=self._tls if tls else None,
                    server_hostname=host if tls else None,
                )
            except OSError as error:
                failed = error
            else:
                return connection
        raise failed or OSError(f"{host} has no address")

    async def _resolved(self, host: str, port: int) -> list[str]:
        loop = asyncio.get_running_loop()
        async with self._looking:
            known = self._addresses.get((host, port))
            if known is None or known[0] < loop.time():
                found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
                addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
                known = self._addresses[host, port] = (loop.time() + ADDRESS_SECONDS, addresses)
            return known[1]

    async def _tunnelled(self, connection: Connection, peer: Peer, proxy: Proxy) -> None:
        place = f"{peer.host}:{peer.port}"
        lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
        lines += [f"Proxy-Authorization: {proxy.authorization}"] if proxy.authorization else []
        await connection.send("\r\n".join([*lines, "", ""]).encode("ascii"), hold=True)
        head = await connection.head()
        if head.status >= REDIRECTION:
            raise NoAnswer(f"Proxy{head.status}")
        transport = await asyncio.get_running_loop().start_tls(
            connection.transport, connection, self._tls, server_hostname=peer.host
        )
        if transport is None:
            raise NoAnswer("ConnectionClosed")
        connection.transport = transport
