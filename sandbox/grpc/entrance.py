"""The way to the gRPC server: connections that open with HTTP/2's preface, on the sandbox's own port.

HTTP clients speak HTTP/1.1 there; gRPC clients always speak HTTP/2, through the gateway's TLS or in plain text. The
server itself is loaded and started with the first of them.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sandbox.runtime.gateway import LOOPBACK

if TYPE_CHECKING:
    import grpc.aio
    from starlette.applications import Starlette

    from sandbox.cloud import Cloud

PREFACE = b"PRI * HTTP/2.0\r\n"


class Passage:
    """One connection on its way to the gRPC server; to uvicorn it is one of its own.

    Attributes:
        client: address under which the application knows the caller.
        transport: of the client's end.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self.client: tuple[str, int] | None = None
        self.transport = transport

    def go_on(self, port: int) -> None:
        """Take note of the port under which the application knows the caller."""
        self.client = (LOOPBACK, port)

    def shutdown(self) -> None:
        """Called when the sandbox ends."""
        self.transport.abort()


class Entrance:
    """Starts the gRPC server when it is needed, and passes connections on to it."""

    def __init__(self, cloud: Cloud, application: Starlette) -> None:
        self._cloud = cloud
        self._application = application
        self._server: grpc.aio.Server | None = None
        self._port = 0
        self._starting = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def protocol(self) -> type[HttpToolsProtocol]:
        """What uvicorn makes of a connection."""
        entrance = self

        class Protocol(HttpToolsProtocol):
            """HTTP/1.1 as usual, until a connection turns out to be HTTP/2."""

            untried = True

            def data_received(self, data: bytes) -> None:
                if self.untried and PREFACE.startswith(data[: len(PREFACE)]):
                    self._unset_keepalive_if_required()
                    self.connections.discard(self)
                    entrance.admit(self.transport, data, self.connections)
                    return
                self.untried = False
                super().data_received(data)

        return Protocol

    def admit(self, transport: asyncio.Transport, data: bytes, connections: set[Any]) -> None:
        """Take a connection over from uvicorn; ``connections`` are those that uvicorn ends."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        protocol.connection_made(transport)
        transport.set_protocol(protocol)
        reader.feed_data(data)
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        passage = Passage(transport)
        connections.add(passage)
        task = loop.create_task(self._pass_on(passage, reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: connections.discard(passage))

    async def _pass_on(self, passage: Passage, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        gateway, port = self._cloud.gateway, await self._started()
        arrival = gateway.arrival_from(passage.transport.get_extra_info("peername")[1])
        await gateway.hand_on(reader, writer, port, arrival, passage.go_on)

    async def _started(self) -> int:
        """The gRPC server's port."""
        async with self._starting:
            if self._server is None:
                from sandbox.grpc.server import start  # noqa: PLC0415 -- gRPC is loaded for whom it serves
                from sandbox.grpc.streams import STREAMS  # noqa: PLC0415 -- as above

                self._server, self._port = await start(self._cloud, self._application, STREAMS)
        return self._port

    async def close(self) -> None:
        """End every connection and the server."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server:
            await self._server.stop(None)
