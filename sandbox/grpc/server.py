"""The gRPC server: takes calls of every described method and lets the application answer their REST form.

Nothing is decided here. Identity, perimeter, permissions, quotas, faults and the request log are those of the REST
request, which comes from the same address as the gRPC call.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

# Set before gRPC is loaded: its handlers of forks have no part in how the sandbox starts its functions.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")

import grpc
import grpc.aio
import httpx
from google.protobuf.message import DecodeError, Message

from sandbox.errors import ApiError
from sandbox.grpc import mixins, transcoding
from sandbox.grpc.descriptors import Descriptors, Rpc, described
from sandbox.grpc.statuses import Failure, failure, refused
from sandbox.request_log import Entry
from sandbox.runtime.gateway import LOOPBACK

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from sandbox.cloud import Cloud

#: Largest message either way, bytes: a published Pub/Sub message or an image is far larger than gRPC's own 4 MB.
LARGEST = 512 * 1024 * 1024
OPTIONS = (("grpc.max_receive_message_length", LARGEST), ("grpc.max_send_message_length", LARGEST))

#: Metadata that belongs to gRPC and means nothing over HTTP.
OWN = ("grpc-", ":")
DROPPED_HEADERS = {"content-type", "te", "host", "content-length", "connection", "accept-encoding"}

Context = Any  # grpc.aio.ServicerContext is generic over messages, and these are bytes
Stream = Callable[["Session", AsyncIterator[bytes]], AsyncIterator[bytes]]


class Session:
    """One gRPC call: who calls from where, and the way to the application.

    Attributes:
        cloud: the sandbox.
        descriptors: of all messages.
        rpc: the method.
        host: Google's host through which the call came; empty when the client came to the sandbox's own port.
    """

    def __init__(self, cloud: Cloud, application: Starlette, rpc: Rpc, context: Context) -> None:
        self.cloud = cloud
        self.descriptors: Descriptors = described()
        self.rpc = rpc
        self._application = application
        self._port = port_of(context.peer())
        self.host = cloud.gateway.arrival_from(self._port).host
        self._headers = headers(context.invocation_metadata())
        if not self.host and "authorization" not in self._headers:
            # Without TLS no client sends credentials: as with Google's emulators, whoever comes this way is trusted.
            self._headers["authorization"] = f"Bearer {cloud.settings.administrator_token}"

    def request(self, content: bytes) -> Message:
        """The client's message.

        Raises:
            Failure: the bytes are no such message.
        """
        try:
            return self.descriptors.message(self.rpc.request).FromString(content)
        except DecodeError as error:
            raise Failure(grpc.StatusCode.INTERNAL, f"Exception deserializing request! {error}") from None

    async def send(self, host: str, wanted: transcoding.HttpRequest) -> httpx.Response:
        """The application's answer to the REST form.

        Raises:
            Failure: it refused.
        """
        sent = {**self._headers, "host": host, **({"content-type": "application/json"} if wanted.body else {})}
        request = httpx.Request(wanted.verb, f"http://{host}{wanted.target}", headers=sent, content=wanted.body)
        transport = httpx.ASGITransport(self._application, client=(LOOPBACK, self._port))
        answer = await transport.handle_async_request(request)
        await answer.aread()
        if answer.is_error:
            raise failure(answer.status_code, answer.content, self.descriptors)
        return answer

    async def call(self, method: str, **fields: Any) -> Message:
        """Another unary method of the same service, as the same caller.

        Raises:
            Failure: it was refused.
        """
        rpc = self.descriptors.method(f"{self.rpc.service}/{method}")
        if rpc is None:
            raise KeyError(method)
        return await self.unary(rpc, self.descriptors.message(rpc.request)(**fields))

    async def unary(self, rpc: Rpc, message: Message) -> Message:
        """The response to one message.

        Raises:
            Failure: the request was refused.
        """
        try:
            if rpc.service in mixins.MIXINS:
                rpc = mixins.resolve(self.cloud, rpc, message, self.host)
            wanted = transcoding.encode(rpc, message, self.descriptors)
        except ApiError as error:
            raise refused(error, self.descriptors) from None
        host = self._host(rpc)
        service, path = self.cloud.description.service_of_host(host), wanted.target.partition("?")[0].lstrip("/")
        if service is None or self.cloud.description.match(service, wanted.verb, path) is None:
            raise not_emulated(self.cloud, rpc.full_name)
        answer = await self.send(host, wanted)
        media_type = answer.headers.get("content-type", "")
        return transcoding.decode(rpc.response, wanted.binding, answer.content, media_type, self.descriptors)

    def _host(self, rpc: Rpc) -> str:
        """The host through which the client came, as a regional one, if it is one of the method's API."""
        service = self.cloud.description.service_of_host
        return self.host if self.host and service(self.host) == service(rpc.host) else rpc.host


class Handlers(grpc.GenericRpcHandler):
    """Finds the behaviour of a method by its name; messages go through as bytes."""

    def __init__(self, cloud: Cloud, application: Starlette, streams: dict[str, Stream]) -> None:
        self._cloud = cloud
        self._application = application
        self._streams = streams

    def service(self, handler_call_details: Any) -> grpc.RpcMethodHandler[Any, Any] | None:
        """The handler of one call."""
        name = handler_call_details.method.lstrip("/")
        rpc = described().method(name)
        if rpc is None or not (rpc.bindings or name in self._streams or rpc.service in mixins.MIXINS):
            return grpc.unary_unary_rpc_method_handler(self._unknown(name))
        if name in self._streams:
            streamed = self._streaming(rpc, self._streams[name])
            if rpc.streams[0]:
                return grpc.stream_stream_rpc_method_handler(streamed)
            return grpc.unary_stream_rpc_method_handler(self._single(streamed))
        if any(rpc.streams):
            return grpc.unary_unary_rpc_method_handler(self._unknown(name))
        return grpc.unary_unary_rpc_method_handler(self._unary(rpc))

    def _unary(self, rpc: Rpc) -> Callable[[bytes, Context], Awaitable[bytes]]:
        async def behave(content: bytes, context: Context) -> bytes:
            async with self._refusals(context):
                session = Session(self._cloud, self._application, rpc, context)
                return (await session.unary(rpc, session.request(content))).SerializeToString()
            raise AssertionError("a refusal has been raised")

        return behave

    def _streaming(self, rpc: Rpc, stream: Stream) -> Callable[[AsyncIterator[bytes], Context], AsyncIterator[bytes]]:
        async def behave(incoming: AsyncIterator[bytes], context: Context) -> AsyncIterator[bytes]:
            async with self._refusals(context):
                async for content in stream(Session(self._cloud, self._application, rpc, context), incoming):
                    yield content

        return behave

    @staticmethod
    def _single(
        streamed: Callable[[AsyncIterator[bytes], Context], AsyncIterator[bytes]],
    ) -> Callable[[bytes, Context], AsyncIterator[bytes]]:
        async def one(content: bytes) -> AsyncIterator[bytes]:
            yield content

        async def behave(content: bytes, context: Context) -> AsyncIterator[bytes]:
            async for response in streamed(one(content), context):
                yield response

        return behave

    @asynccontextmanager
    async def _refusals(self, context: Context) -> AsyncIterator[None]:
        """Answer a failure with its status; a defect is kept for ``/_sandbox/defects``."""
        try:
            yield
        except Failure as error:
            await context.abort(error.code, error.message, error.metadata)
        except Exception:  # noqa: BLE001 -- whatever it is, the caller must be answered
            self._cloud.log.defects.append(traceback.format_exc())
            await context.abort(grpc.StatusCode.INTERNAL, "Internal error encountered.")

    def _unknown(self, name: str) -> Callable[[bytes, Context], Awaitable[bytes]]:
        async def behave(_: bytes, context: Context) -> bytes:
            async with self._refusals(context):
                raise not_emulated(self._cloud, name)
            raise AssertionError("a refusal has been raised")

        return behave


def not_emulated(cloud: Cloud, name: str) -> Failure:
    """The refusal of a method that has no REST form here; it is counted with those of REST."""
    cloud.log.add(Entry(cloud.clock.timestamp(), "POST", "", f"/{name}", name, "", None, 501, 0.0))
    return Failure(
        grpc.StatusCode.UNIMPLEMENTED,
        f"The sandbox does not emulate the gRPC method {name}. The call was not carried out; GET /_sandbox/status "
        "lists such calls.",
    )


def port_of(peer: str) -> int:
    """The port in gRPC's name of a peer: ``ipv4:127.0.0.1:40000``."""
    tail = peer.rpartition(":")[2]
    return int(tail) if tail.isdigit() else 0


def headers(metadata: Any) -> dict[str, str]:
    """Metadata as HTTP headers, without what is gRPC's own or binary."""
    return {
        key: value
        for key, value in metadata or ()
        if isinstance(value, str) and not key.startswith(OWN) and key not in DROPPED_HEADERS
    }


async def start(cloud: Cloud, application: Starlette, streams: dict[str, Stream]) -> tuple[grpc.aio.Server, int]:
    """Serve on a free loopback port, which only the sandbox itself connects to."""
    server = grpc.aio.server(options=OPTIONS)
    server.add_generic_rpc_handlers((Handlers(cloud, application, streams),))
    port = server.add_insecure_port(f"{LOOPBACK}:0")
    await server.start()
    return server, port
