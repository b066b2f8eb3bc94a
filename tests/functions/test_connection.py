"""HTTP as servers and proxies really speak it: a script stands for each of them."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import uvloop

from generation.connection import HEAD_BYTES, NoAnswer
from generation.credentials import Identity
from generation.decoding import Document
from generation.transport import Answer, Transport
from tests.functions.pictures import png

LOOPBACK = "127.0.0.1"
HOST = "storage.googleapis.com"
Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Someone(Identity):
    """Whoever has a token."""

    def __init__(self) -> None:
        pass

    async def authorization(self) -> str:
        return "Bearer x"


@asynccontextmanager
async def serving(script: Script) -> AsyncIterator[str]:
    """A server that follows a script with each connection; gives its origin."""

    async def follow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await script(reader, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has had enough
        finally:
            writer.close()

    server = await asyncio.start_server(follow, LOOPBACK)
    try:
        yield f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@asynccontextmanager
async def speaking(*answers: bytes) -> AsyncIterator[tuple[Transport, list[bytes]]]:
    """A transport in front of a server that gives these answers on one connection; with the heads it was sent."""
    heads: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            head = await reader.readuntil(b"\r\n\r\n")
            heads.append(head)
            stated = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
            await reader.readexactly(int(stated[0].partition(b":")[2]) if stated else 0)
            writer.write(answer)
            await writer.drain()

    async with serving(script) as origin:
        transport = Transport(Someone(), origin)
        try:
            yield transport, heads
        finally:
            await transport.close()


def whole(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def chunked(*pieces: bytes) -> bytes:
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body + b"0\r\n\r\n"


def drawing(data: bytes) -> bytes:
    return b'{"inlineData": {"mimeType": "image/png", "data": "' + base64.b64encode(data) + b'"}, "after": 1}'


async def drawn(transport: Transport) -> Answer | Document:
    async def admit(_: int | None) -> None:
        await asyncio.sleep(0.01)

    return await transport.document(HOST, "/model", body=b"{}", headers={}, admit=admit)


async def test_answers_come_one_after_the_other_on_one_connection() -> None:
    async with speaking(whole(b"one"), chunked(b"t", b"wo"), whole(b"")) as (transport, heads):
        bodies = [(await transport.call(HOST, "GET", f"/{number}")).body for number in range(3)]

    assert bodies == [b"one", b"two", b""]
    assert [head.partition(b" HTTP")[0] for head in heads] == [b"GET /storage/0", b"GET /storage/1", b"GET /storage/2"]


@pytest.mark.parametrize("size", [0, 1_000, 100_000, 9_000_000])
@pytest.mark.parametrize("pieces", [0, 1, 7])
async def test_an_image_arrives_as_it_was_sent(size: int, pieces: int) -> None:
    body = drawing(png(3, 3, padding=size))
    step = -(-len(body) // pieces) if pieces else 0
    answer = chunked(*(body[at : at + step] for at in range(0, len(body), step))) if pieces else whole(body)

    async with speaking(answer, whole(b"next")) as (transport, _):
        document = await drawn(transport)
        after = await transport.call(HOST, "GET", "/")

    assert document == {"inlineData": {"mimeType": "image/png", "data": png(3, 3, padding=size)}, "after": 1}
    assert after.body == b"next", "the connection is as good as before"


def test_an_image_arrives_by_uvloop_too() -> None:
    async def ask() -> Answer | Document:
        async with speaking(whole(drawing(png(3, 3, padding=9_000_000)))) as (transport, _):
            return await drawn(transport)

    document = uvloop.run(ask())

    assert isinstance(document, dict)
    assert document["inlineData"]["data"] == png(3, 3, padding=9_000_000)


async def test_a_body_without_length_ends_with_its_connection() -> None:
    async with speaking(b"HTTP/1.1 200 OK\r\n\r\nall there is") as (transport, _):
        assert (await transport.call(HOST, "GET", "/")).body == b"all there is"


async def test_what_comes_before_the_answer_is_no_answer() -> None:
    async with speaking(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + whole(b"here")) as (transport, _):
        answer = await transport.call(HOST, "GET", "/")

    assert (answer.status, answer.body, dict(answer.headers)) == (200, b"here", {"content-length": "4"})


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (b"", "ConnectionClosed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "ConnectionClosed"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhalf", "ConnectionClosed"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "HttpParserError"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * (HEAD_BYTES + 1), "HeadersTooLong"),
        (whole(b"\x1f\x8b", "Content-Encoding: gzip"), "CompressedAnswer"),
    ],
    ids=["nothing", "cut", "cut chunk", "another protocol", "endless headers", "compressed"],
)
@pytest.mark.parametrize("streamed", [False, True])
async def test_what_is_no_answer_is_said_to_be_none(answer: bytes, name: str, streamed: bool) -> None:
    async with speaking(answer) as (transport, _):
        with pytest.raises(NoAnswer, match=name):
            await (drawn(transport) if streamed else transport.call(HOST, "GET", "/"))


@pytest.mark.parametrize("answer", [whole(b'{"data": "%%%%"}'), chunked(b'{"data": "', b"%%%%", b'"}')])
async def test_what_is_not_base64_is_a_value_error(answer: bytes) -> None:
    async with speaking(answer) as (transport, _):
        with pytest.raises(ValueError, match=r"Non-base64|base64|padding"):
            await drawn(transport)


async def test_a_long_body_that_is_not_base64_is_given_up_at_once() -> None:
    body = b'{"data": "' + b"%" * 9_000_000 + b'"}'
    async with speaking(whole(body)) as (transport, _):
        with pytest.raises(ValueError, match="base64"):
            await drawn(transport)


@pytest.mark.parametrize("size", [10, 3_000_000])
async def test_a_body_arrives_whole(size: int) -> None:
    arrived = bytearray()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        arrived.extend(await reader.readexactly(size + 5))
        writer.write(whole(b"stored"))

    data = bytes(range(256)) * (size // 256) + bytes(size % 256)
    async with serving(script) as origin:
        transport = Transport(Someone(), origin)
        answer = await transport.call(HOST, "POST", "/", body=(b"--x", data, b"--"))
        await transport.close()

    assert answer.body == b"stored"
    assert bytes(arrived) == b"--x" + data + b"--"


async def test_an_upload_that_is_refused_before_its_end_is_a_refusal() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(whole(b"no", status="503 Service Unavailable"))
        await writer.drain()
        await asyncio.sleep(0.2)

    async with serving(script) as origin:
        transport = Transport(Someone(), origin)
        answer = await transport.call(HOST, "POST", "/", body=bytes(40_000_000))
        await transport.close()

    assert (answer.status, answer.body) == (503, b"no")


@pytest.mark.parametrize("last", [whole(b"bye", "Connection: close"), whole(b"bye") + b"more than was asked for"])
async def test_a_connection_that_cannot_be_used_again_is_not(last: bytes) -> None:
    connections = 0

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(last)
        await writer.drain()
        await asyncio.sleep(0.2)

    async with serving(script) as origin:
        transport = Transport(Someone(), origin)
        for _ in range(2):
            assert (await transport.call(HOST, "GET", "/")).body == b"bye"
            await asyncio.sleep(0.05)
        await transport.close()

    assert connections == 2


async def test_a_connection_that_was_closed_meanwhile_is_not_used() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(whole(b"here"))

    async with serving(script) as origin:
        transport = Transport(Someone(), origin)
        for _ in range(3):
            assert (await transport.call(HOST, "GET", "/")).body == b"here"
            await asyncio.sleep(0.05)
        await transport.close()


async def test_a_connection_that_was_idle_too_long_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with speaking(whole(b"one"), whole(b"two")) as (transport, _):
        assert (await transport.call(HOST, "GET", "/")).body == b"one"
        monkeypatch.setattr("generation.pool.IDLE_SECONDS", 0.0)
        assert (await transport.call(HOST, "GET", "/")).body == b"one", "the first answer of a new connection"
        assert not any(transport._pool._idle.values()), "nor is one kept"


async def test_a_caller_who_goes_away_leaves_no_half_read_connection() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
        await writer.drain()
        await asyncio.sleep(5)

    async with serving(script) as origin:
        transport = Transport(Someone(), origin)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await transport.call(HOST, "GET", "/")
        assert not transport._pool._used
        assert not any(transport._pool._idle.values())
        await transport.close()


async def test_a_header_never_holds_a_line_break() -> None:
    transport = Transport(Someone(), f"http://{LOOPBACK}:1")
    with pytest.raises(AssertionError, match="line break"):
        await transport.call(HOST, "GET", "/x\r\nX-Evil: 1")
    with pytest.raises(AssertionError, match="line break"):
        await transport.call(HOST, "GET", "/", headers={"X": "1\r\nX-Evil: 1"})
    await transport.close()


async def test_a_name_without_an_address_is_no_answer() -> None:
    transport = Transport(Someone(), "http://does-not-exist.invalid")
    with pytest.raises(NoAnswer, match="gaierror"):
        await transport.call(HOST, "GET", "/")
    await transport.close()


async def test_a_server_that_does_not_take_connections_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("generation.pool.CONNECT_SECONDS", 0.1)

    async def never(*_: object, **__: object) -> None:
        await asyncio.sleep(5)

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", never)
    transport = Transport(Someone(), f"http://{LOOPBACK}:1")
    with pytest.raises(NoAnswer, match="ConnectTimeout"):
        await transport.call(HOST, "GET", "/")
    await transport.close()


class TestProxies:
    """HTTP_PROXY and HTTPS_PROXY."""

    async def test_one_that_forwards_is_told_the_whole_address(self, monkeypatch: pytest.MonkeyPatch) -> None:
        heads: list[bytes] = []

        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(whole(b"forwarded"))

        async with serving(script) as origin:
            monkeypatch.setenv("http_proxy", origin.replace("http://", "http://ann:s%40crt@"))
            monkeypatch.setenv("no_proxy", "")
            transport = Transport(Someone(), "http://cloud.example:8085")
            answer = await transport.call(HOST, "GET", "/b")
            await transport.close()

        assert answer.body == b"forwarded"
        lines = heads[0].decode().split("\r\n")
        assert lines[0] == "GET http://cloud.example:8085/storage/b HTTP/1.1"
        assert "Host: cloud.example:8085" in lines
        assert f"Proxy-Authorization: Basic {base64.b64encode(b'ann:s@crt').decode()}" in lines

    async def test_one_that_makes_no_tunnel_is_no_answer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        heads: list[bytes] = []

        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(whole(b"who are you", status="407 Proxy Authentication Required"))

        async with serving(script) as origin:
            monkeypatch.setenv("https_proxy", origin.replace("http://", "http://ann:secret@"))
            monkeypatch.setenv("no_proxy", "")
            transport = Transport(Someone())
            with pytest.raises(NoAnswer, match="Proxy407"):
                await transport.call(HOST, "GET", "/b")
            await transport.close()

        assert heads[0].startswith(b"CONNECT storage.googleapis.com:443 HTTP/1.1\r\n")
        assert b"\r\nProxy-Authorization: Basic " in heads[0]
        assert b"Bearer" not in heads[0], "a proxy does not see the token"

    async def test_one_that_hangs_up_is_no_answer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

        async with serving(script) as origin:
            monkeypatch.setenv("https_proxy", origin)
            monkeypatch.setenv("no_proxy", "")
            transport = Transport(Someone())
            with pytest.raises(NoAnswer):
                await transport.call(HOST, "GET", "/b")
            await transport.close()

    async def test_hosts_that_are_excepted_are_called_directly(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.socket() as nobody:
            nobody.bind((LOOPBACK, 0))
            monkeypatch.setenv("http_proxy", f"http://{LOOPBACK}:{nobody.getsockname()[1]}")
            monkeypatch.setenv("no_proxy", LOOPBACK)
            async with speaking(whole(b"direct")) as (transport, _):
                assert (await transport.call(HOST, "GET", "/")).body == b"direct"
