"""Reads JSON that carries images while it arrives.

An answer of the model is a megabyte of base64 with a little JSON around it. Here the base64 is decoded piece by piece
as the pieces come in, so that an image is held once, decoded; only the little JSON is parsed as such.
`inlineData.data` holds bytes afterwards. pybase64 decodes sixty times as fast as the standard library, in which an
image of 1.5 MB would take more time than all the rest of its request.
"""

import binascii
import json
import re
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import pybase64

START = re.compile(rb'"data"\s*:\s*"')
ESCAPE = re.compile(rb"\\(u[0-9a-fA-F]{4}|[^u])")
HALF = re.compile(rb"\\u[dD][89a-fA-F]")
QUOTE = b'"'
BACKSLASH = b"\\"
TAIL = 64
"""A start that is spread over two pieces is found again when the last bytes of a piece are kept."""
URL_SAFE = bytes.maketrans(b"-_", b"+/")
LONGEST_ESCAPE = 6

Document = dict[str, Any]
Admit = Callable[[int | None], Awaitable[None]]
"""Waits until there is room for an answer of so many bytes; None where it does not say how many."""


class Splitter:
    """Takes pieces of a JSON text, gives the document with decoded data."""

    def __init__(self) -> None:
        self._mark = f"data-{secrets.token_hex(8)}-"
        self._text: list[bytes] = []
        self._tail = b""
        self._decoder: _Base64 | None = None
        self._found: list[bytes] = []

    def feed(self, piece: bytes | bytearray) -> None:
        """Take the next piece; nothing of it is kept but copies.

        Raises:
            ValueError: data is not base64.
        """
        buffer = self._tail + piece if self._tail else piece
        self._tail = b""
        at = 0
        while at < len(buffer):
            if self._decoder is not None:
                end = buffer.find(QUOTE, at)
                if end < 0:
                    self._decoder.feed(buffer, at, len(buffer))
                    return
                self._decoder.feed(buffer, at, end)
                self._found.append(self._decoder.finish())
                self._decoder = None
                at = end
                continue
            start = START.search(buffer, at)
            if start is None:
                keep = max(at, len(buffer) - TAIL)
                self._text.append(bytes(buffer[at:keep]))
                self._tail = bytes(buffer[keep:])
                return
            self._text += (bytes(buffer[at : start.end()]), f"{self._mark}{len(self._found)}".encode())
            self._decoder = _Base64()
            at = start.end()

    def finish(self) -> Document:
        """The document.

        Raises:
            ValueError: it ended early, is no JSON object, or carries what is not base64.
        """
        if self._decoder is not None:
            raise ValueError("the text ends within data")
        text = b"".join((*self._text, self._tail))
        document = json.loads(text, object_hook=self._put_back)
        if not isinstance(document, dict):
            raise ValueError("the text is no JSON object")  # noqa: TRY004 -- of a text, all that is wrong is its value
        return _whole(document) if HALF.search(text) else document

    def _put_back(self, entry: Document) -> Document:
        data = entry.get("data")
        if isinstance(data, str) and data.startswith(self._mark):
            entry["data"] = self._found[int(data[len(self._mark) :])]
        return entry


class _Base64:
    """Decodes base64 piece by piece."""

    def __init__(self) -> None:
        self._rest = b""
        self._done: list[bytes] = []

    def feed(self, buffer: bytes | bytearray, start: int, end: int) -> None:
        """Decode what a buffer holds between two places."""
        if BACKSLASH in self._rest or buffer.find(BACKSLASH, start, end) >= 0:
            text = self._rest + buffer[start:end]
            # Some encoders escape "/" and "="; an escape may be cut off at the end of a piece.
            cut = text.rfind(BACKSLASH)
            if len(text) - cut < LONGEST_ESCAPE:
                text, held = text[:cut], text[cut:]
            else:
                held = b""
            text = ESCAPE.sub(_unescaped, text)
            whole = len(text) // 4 * 4
            self._take(text[:whole])
            self._rest = text[whole:] + held
            return
        if self._rest:
            at = min(start + -len(self._rest) % 4, end)  # completes what was left over
            self._rest += buffer[start:at]
            if len(self._rest) % 4:
                return
            self._take(self._rest)
            start = at
        whole = start + (end - start) // 4 * 4
        self._rest = bytes(buffer[whole:end])
        with memoryview(buffer) as view, view[start:whole] as text_of_it:
            self._take(text_of_it)

    def finish(self) -> bytes:
        """What was decoded, in one piece."""
        rest = ESCAPE.sub(_unescaped, self._rest)
        self._take(rest + b"=" * (-len(rest) % 4))
        return self._done[0] if len(self._done) == 1 else b"".join(self._done)

    def _take(self, text: bytes | memoryview) -> None:
        if not text:
            return
        try:
            self._done.append(pybase64.b64decode(text, validate=True))
        except binascii.Error:
            self._done.append(pybase64.b64decode(bytes(text).translate(URL_SAFE), validate=True))


def _unescaped(match: re.Match[bytes]) -> bytes:
    escape = match[1]
    return chr(int(escape[1:], 16)).encode() if escape.startswith(b"u") and len(escape) > 1 else escape


def object_of(body: bytes) -> Document:
    """A JSON text as an object; empty where it is none."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(document, dict):
        return {}
    return _whole(document) if HALF.search(body) else document


def _whole(value: Any) -> Any:
    """The same without halves of surrogate pairs, which JSON can escape and UTF-8 cannot hold."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    return [_whole(item) for item in value] if isinstance(value, list) else value
