"""The network's way out: an HTTPS proxy that ends TLS, and remembers from which VPC network a connection came.

Every connection is handed on, decrypted, to the sandbox's own port. The port number of that second connection is the
key under which its origin is kept, so nothing in the request itself can pretend to come from somewhere else.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sandbox.call import Origin

if TYPE_CHECKING:
    from starlette.requests import Request

    from sandbox.runtime.certificates import Authority

LOOPBACK = "127.0.0.1"
CHUNK = 65536
HEAD_LIMIT = 65536
FAREWELL_SECONDS = 0.5
INTERNAL_ADDRESS = "10.0.0.2"

#: Hosts which the gateway answers for; everything else does not exist beyond this network.
ANSWERED = (".googleapis.com", ".run.app", ".cloudfunctions.net", ".pkg.dev", ".gcr.io")


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a request reached the sandbox: from which network, through whose metadata address, to which host's tunnel."""

    origin: Origin = field(default_factory=Origin)
    instance: str | None = None
    host: str = ""


OUTSIDE = Arrival()


class Gateway:
    """Proxy for TLS traffic and entry of every metadata server.

    Attributes:
        port: the sandbox's HTTP port.
        proxy_port: the proxy's port.
        refused: hosts outside Google's that somebody tried to reach.
    """

    def __init__(self, authority: Authority, port: int) -> None:
        self.authority = authority
        self.port = port
        self.proxy_port = 0
        self.refused: dict[str, int] = {}
        self._arrivals: dict[int, Arrival] = {}
        self._credentials: dict[str, Arrival] = {}
        self._servers: list[asyncio.Server] = []
        self._connections: set[asyncio.Task[None]] = set()
        self._inside: dict[str, int] = {}

    async def open(self, preferred: int = 0) -> None:
        """Start to listen on a loopback port: the preferred one, or a free one if that is taken."""
        try:
            server = await asyncio.start_server(self._proxy, LOOPBACK, preferred, limit=HEAD_LIMIT)
        except OSError:
            server = await asyncio.start_server(self._proxy, LOOPBACK, 0, limit=HEAD_LIMIT)
        self._servers.append(server)
        self.proxy_port = server.sockets[0].getsockname()[1]

    async def open_metadata(self, instance: str, network: str | None) -> int:
        """A metadata address of one instance; returns its port."""
        arrival = Arrival(origin_of(network), instance)

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._splice(reader, writer, arrival)

        server = await asyncio.start_server(accept, LOOPBACK, 0)
        self._servers.append(server)
        port: int = server.sockets[0].getsockname()[1]
        return port

    def admit(self, origin: Origin) -> str:
        """Proxy credentials of a machine that stands somewhere; returns ``user:password``."""
        user = f"vpc:{secrets.token_hex(16)}"
        self._credentials[user] = Arrival(origin)
        return user

    def proxy_url(self, credentials: str = "") -> str:
        """What ``HTTPS_PROXY`` must say."""
        return f"http://{credentials + '@' if credentials else ''}{LOOPBACK}:{self.proxy_port}"

    def inside(self, project: str) -> int:
        """The port of requests that a Google service makes for a project: below zero, for no socket has it."""
        if project not in self._inside:
            self._inside[project] = -1 - len(self._inside)
            arrival = Arrival(origin_of(f"projects/{project}/global/networks/google-internal"))
            self._arrivals[self._inside[project]] = arrival
        return self._inside[project]

    def arrival(self, request: Request) -> Arrival:
        """How a request came."""
        return self.arrival_from(request.client.port if request.client else 0)

    def arrival_from(self, port: int) -> Arrival:
        """How the connection from a port came."""
        return self._arrivals.get(port, OUTSIDE)

    async def close(self) -> None:
        """Stop listening and drop what is open."""
        for server in self._servers:
            server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _proxy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            writer.close()
            return
        line, *headers = head.split("\r\n")
        verb, _, target = line.partition(" ")
        host, _, port = target.partition(" ")[0].rpartition(":")
        arrival = self._authorized(headers)
        if verb != "CONNECT":
            await self._refuse(writer, "405 Method Not Allowed", "This proxy only tunnels TLS: use CONNECT.")
        elif arrival is None:
            await self._refuse(writer, "407 Proxy Authentication Required", "These proxy credentials are unknown.")
        elif port != "443" or not host.endswith(ANSWERED):
            self.refused[host] = self.refused.get(host, 0) + 1
            await self._refuse(writer, "403 Forbidden", f"{host} cannot be reached from this network.")
        else:
            await self._tunnel(reader, writer, host, arrival)

    def _authorized(self, headers: list[str]) -> Arrival | None:
        for header in headers:
            name, _, value = header.partition(":")
            if name.lower() == "proxy-authorization":
                with contextlib.suppress(ValueError):
                    return self._credentials.get(base64.b64decode(value.split()[-1]).decode())
                return None
        return OUTSIDE

    @staticmethod
    async def _refuse(writer: asyncio.StreamWriter, status: str, text: str) -> None:
        body = text.encode()
        head = (
            f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        with contextlib.suppress(ConnectionError):
            writer.write(head.encode() + body)
            await writer.drain()
            writer.close()

    async def _tunnel(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, arrival: Arrival
    ) -> None:
        try:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await writer.drain()
            await writer.start_tls(self.authority.context(host))
        except (OSError, ConnectionError):  # a client that does not trust the authority hangs up
            writer.close()
            return
        await self._splice(reader, writer, replace(arrival, host=host))

    async def _splice(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, arrival: Arrival) -> None:
        task = asyncio.current_task()
        if task:
            self._connections.add(task)
        try:
            await self.hand_on(reader, writer, self.port, arrival)
        finally:
            if task:
                self._connections.discard(task)

    async def hand_on(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        port: int,
        arrival: Arrival,
        connected: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Join a connection to a port of this process, which knows the arrival by the new connection's own port.

        Args:
            reader: of the connection.
            writer: of the connection, which is closed at the end.
            port: where it goes.
            arrival: where it comes from.
            connected: is told the port from which it goes on.
        """
        try:
            inner_reader, inner_writer = await asyncio.open_connection(LOOPBACK, port)
        except OSError:
            writer.close()
            return
        local: int = inner_writer.get_extra_info("sockname")[1]
        self._arrivals[local] = arrival
        connected(local)
        pumps = [asyncio.create_task(pump(reader, inner_writer)), asyncio.create_task(pump(inner_reader, writer))]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in pumps:
                one.cancel()
            self._arrivals.pop(local, None)
            for end in (inner_writer, writer):
                part(end)


def part(writer: asyncio.StreamWriter) -> None:
    """Close a connection, by force if its other end does not answer the farewell of TLS, as gRPC's does not."""
    writer.close()
    asyncio.get_running_loop().call_later(FAREWELL_SECONDS, writer.transport.abort)


def origin_of(network: str | None) -> Origin:
    """The origin of a machine in a VPC network."""
    return Origin(network, INTERNAL_ADDRESS) if network else Origin()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until the reading side ends."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()
