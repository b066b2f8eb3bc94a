"""One HTTP/1.1 connection: a request goes out, its answer comes in, then the next.

httptools, which is also what the server parses with, parses what comes. A long body of stated length goes past it: the
kernel writes it into the memory from which it is decoded, and no piece is copied on its way.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import httptools

BUFFER_BYTES = 64 * 1024
"""What is read at once, besides long bodies; all connections of an event loop share one buffer."""
WINDOW_BYTES = 4 * 1024 * 1024
"""A long body is received in parts of this size, so that it is never held twice as a whole."""
HEAD_BYTES = 256 * 1024
"""An answer whose headers are longer is none."""
PIECE_BYTES = 1024 * 1024
SUCCESS = 200
REDIRECTION = 300

Part = bytes | memoryview
Feed = Callable[[bytes | bytearray], None]


class NoAnswer(Exception):
    """The connection failed, or was cut."""


@dataclass(frozen=True, slots=True)
class Head:
    """What comes before a body.

    Attributes:
        status: HTTP status.
        headers: names in lower case.
        length: of the body in bytes, as stated; None where it is not.
    """

    status: int
    headers: Mapping[str, str]
    length: int | None


class Connection(asyncio.BufferedProtocol):
    """A connection, for one request at a time.

    Args:
        buffer: what is read comes here first; it may be shared with other connections of the same event loop.
    """

    def __init__(self, buffer: memoryview) -> None:
        self.closed = False
        self.reusable = False
        self._buffer = buffer
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._full = False
        self._parser: httptools.HttpResponseParser | None = None
        self._clear()

    def _clear(self) -> None:
        self._parser = None  # which holds this connection, so the two would be garbage in a cycle
        self._headers: dict[bytes, bytes] = {}
        self._pieces: list[bytes] = []
        self._head: Head | None = None
        self._head_bytes = 0
        self._ended = False
        self._error = ""
        self._refusal: ValueError | None = None
        self._hold = False
        self._feed: Feed | None = None
        self._window: bytearray | None = None
        self._view: memoryview | None = None
        self._filled = 0
        self._left = 0

    @property
    def transport(self) -> asyncio.Transport:
        """What the connection runs on."""
        if self._transport is None:
            raise NoAnswer("ConnectionClosed")
        return self._transport

    @transport.setter
    def transport(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def close(self) -> None:
        """End it at once."""
        self.closed = True
        if self._transport is not None:
            self._transport.abort()

    async def send(self, head: bytes, body: Sequence[Part] = (), *, hold: bool = False) -> None:
        """Send a request.

        Args:
            head: from the request line to the empty line.
            body: in parts, which are not copied.
            hold: whether the body of a successful answer waits until `pour`.

        Raises:
            NoAnswer: the connection failed.
        """
        self._clear()
        self._hold = hold
        self._parser = httptools.HttpResponseParser(self)
        self.reusable = False
        if sum(map(len, body)) <= PIECE_BYTES:
            self.transport.writelines((head, *body))
            return
        self.transport.write(head)
        for part in body:
            view = memoryview(part)
            for at in range(0, len(view), PIECE_BYTES):
                while self._full and not self._ended:
                    await self._wait()
                if self._ended:
                    self.reusable = False  # the answer came before all was sent: it is a refusal
                    return
                self.transport.write(view[at : at + PIECE_BYTES])

    async def head(self) -> Head:
        """What comes before the body.

        Raises:
            NoAnswer: the connection failed.
        """
        while self._head is None:
            await self._wait()
        return self._head

    async def rest(self) -> bytes:
        """The body.

        Raises:
            NoAnswer: the connection failed.
        """
        while not self._ended:
            await self._wait()
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)

    async def pour(self, feed: Feed) -> None:
        """Hand the body on while it comes, after a request with `hold`.

        Raises:
            NoAnswer: the connection failed.
            ValueError: `feed` did not like what came.
        """
        pieces, self._pieces = self._pieces, []
        if self._head is not None and self._head.length is not None and not self._ended:
            self._left = self._head.length
            self._open_window(b"".join(pieces))
        else:
            for piece in pieces:
                feed(piece)
        self._feed = feed
        self.transport.resume_reading()
        while not self._ended:
            await self._wait()

    async def _wait(self) -> None:
        self._must_work()
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None
        self._must_work()

    def _must_work(self) -> None:
        refusal, self._refusal = self._refusal, None
        try:
            if refusal is not None:
                raise refusal
            if self._error:
                raise NoAnswer(self._error)
        finally:
            del refusal  # what is raised holds this frame, and must not be held by it

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _open_window(self, start: bytes = b"") -> None:
        self._window = bytearray(min(self._left, WINDOW_BYTES))
        self._window[: len(start)] = start
        self._view = memoryview(self._window)
        self._filled = len(start)

    def _close_window(self) -> None:
        window, feed = self._window, self._feed
        if window is None or feed is None:
            return
        self._left -= len(window)
        self._window = self._view = None
        try:
            feed(window)
        except ValueError as error:
            self._refuse(error)
            return
        if self._left:
            self._open_window()
        else:
            self._end()

    def _refuse(self, error: ValueError) -> None:
        self._refusal = error
        self._wake()
        self.close()

    def _end(self) -> None:
        self._ended = True
        self._wake()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Part of asyncio's protocol."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's have its methods and not its class

    def connection_lost(self, exc: Exception | None) -> None:
        """Part of asyncio's protocol."""
        self.closed = True
        self._transport = None
        head = self._head
        if exc is None and head is not None and head.length is None and not self._chunked():
            self._ended = True  # a body without a length ends with its connection
        if not self._ended:
            self._error = type(exc).__name__ if exc is not None else "ConnectionClosed"
        self._wake()

    def eof_received(self) -> bool:
        """Part of asyncio's protocol."""
        return False

    def pause_writing(self) -> None:
        """Part of asyncio's protocol."""
        self._full = True

    def resume_writing(self) -> None:
        """Part of asyncio's protocol."""
        self._full = False
        self._wake()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Part of asyncio's protocol."""
        return self._buffer if self._view is None else self._view[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        """Part of asyncio's protocol."""
        if self._window is not None:
            self._filled += nbytes
            if self._filled == len(self._window):
                self._close_window()
            return
        if self._parser is None or self._ended:
            self.close()  # nobody asked for anything
            return
        if self._head is None:
            self._head_bytes += nbytes
            if self._head_bytes > HEAD_BYTES:
                self._unreadable("HeadersTooLong")
                return
        try:
            self._parser.feed_data(self._buffer[:nbytes])
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if isinstance(error, httptools.HttpParserCallbackError) and isinstance(error.__context__, ValueError):
                self._refuse(error.__context__)
            else:
                self._unreadable(type(error).__name__)

    def _unreadable(self, error: str) -> None:
        if not self._ended:  # what comes after a whole answer does not spoil it
            self._error = error
            self._wake()
        self.close()

    # What the parser calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        """All headers."""
        if self._parser is None:
            return
        status = self._parser.get_status_code()
        if status < SUCCESS:
            self._headers.clear()  # more is to come
            return
        self.reusable = self._parser.should_keep_alive()
        stated = self._headers.get(b"content-length", b"")
        length = int(stated) if stated.isdigit() and not self._chunked() else None
        named = {name.decode("latin-1"): value.decode("latin-1") for name, value in self._headers.items()}
        self._head = Head(status, named, length)
        if self._hold:
            if status < REDIRECTION:
                self.transport.pause_reading()
            self._wake()

    def on_body(self, piece: bytes) -> None:
        """A piece of the body."""
        if self._feed is None:
            self._pieces.append(piece)
        else:
            self._feed(piece)

    def on_message_complete(self) -> None:
        """The end of an answer."""
        if self._head is not None:
            self._end()

    def _chunked(self) -> bool:
        return b"transfer-encoding" in self._headers
