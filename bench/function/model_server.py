"""As little of Google Cloud as a measurement needs: model, bucket and signature answer at once, from memory.

    python -m bench.function.model_server PORT IMAGE_BYTES MODEL_SECONDS

Every answer is made before the first request comes, and nothing is kept, so that what is measured is the client.
"""

import asyncio
import base64
import json
import os
import signal
import sys
from typing import Any

import httptools
import uvloop

from tests.functions.pictures import png

LOOPBACK = "127.0.0.1"
IDENTITY = {
    "access_token": "bench",
    "expires_in": 3599,
    "token_type": "Bearer",
    "email": "runtime@bench.iam.gserviceaccount.com",
    "scopes": ["https://www.googleapis.com/auth/cloud-platform"],
}
"""What the metadata server answers to any of its paths."""


def image(size: int) -> bytes:
    """A PNG of a size, whose bytes do not repeat."""
    data = png(1024, 1024)
    rest = size - len(data)
    return data if rest <= 0 else data[:33] + rest.to_bytes(4, "big") + b"juNK" + os.urandom(rest) + b"0000" + data[33:]


def model_answer(data: bytes) -> bytes:
    """An answer of generateContent with one image."""
    inline = {"mimeType": "image/png", "data": base64.b64encode(data).decode()}
    document = {
        "candidates": [{"content": {"role": "model", "parts": [{"inlineData": inline}]}, "finishReason": "STOP"}],
        "usageMetadata": {
            "promptTokenCount": 12,
            "candidatesTokenCount": 1120,
            "totalTokenCount": 1132,
            "trafficType": "ON_DEMAND",
            "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1120}],
        },
        "modelVersion": "gemini-3-pro-image",
        "responseId": "bench",
    }
    return json.dumps(document).encode()


def http(body: bytes, status: str = "200 OK", mime_type: str = "application/json; charset=UTF-8") -> bytes:
    """A whole HTTP answer."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {mime_type}\r\nMetadata-Flavor: Google\r\n"
    head += f"Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Answers:
    """Prepared answers."""

    def __init__(self, size: int, seconds: float) -> None:
        self.seconds = seconds
        self.model = http(model_answer(image(size)))
        stored = {
            "kind": "storage#object",
            "name": "x",
            "bucket": "bench",
            "generation": "1",
            "metageneration": "1",
            "size": "1",
            "contentType": "image/png",
            "timeCreated": "2026-11-21T12:00:00.000Z",
            "updated": "2026-11-21T12:00:00.000Z",
        }
        self.stored = http(json.dumps(stored).encode())
        self.nothing = http(b"No such object: bench/x", "404 Not Found", "text/html; charset=UTF-8")
        self.empty = http(b'{"kind": "storage#objects"}')
        self.signed = http(json.dumps({"signedBlob": base64.b64encode(bytes(256)).decode()}).encode())
        self.token = http(json.dumps(IDENTITY).encode())
        self.tokens = http(b'{"totalTokens": 1}')

    def to(self, method: bytes, url: bytes) -> tuple[bytes, float]:
        """The answer to a request, and the seconds it takes."""
        if b":generateContent" in url:
            return self.model, self.seconds
        if b":signBlob" in url:
            return self.signed, 0.0
        if b":countTokens" in url:
            return self.tokens, 0.0
        if b"computeMetadata" in url or url == b"/":
            return self.token, 0.0
        if method == b"POST":
            return self.stored, 0.0
        return (self.empty if url.partition(b"?")[0].endswith(b"/o") else self.nothing), 0.0


class Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, answers: Answers, loop: asyncio.AbstractEventLoop) -> None:
        self._answers = answers
        self._loop = loop
        self._url = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._url = b""

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_message_complete(self) -> None:
        answer, seconds = self._answers.to(self._parser.get_method(), self._url)
        if seconds:
            self._loop.call_later(seconds, self._transport.write, answer)
        else:
            self._transport.write(answer)


async def serve(port: int, size: int, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    answers = Answers(size, seconds)
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    server = await loop.create_server(lambda: Connection(answers, loop), LOOPBACK, port, backlog=8192)
    await stop.wait()
    server.close()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
