"""Asks for images as a number of callers do, each the next after the last.

    python -m bench.function.load PORT CALLERS REQUESTS RAMP_SECONDS [PATH]

Writes one JSON object: latencies in milliseconds, errors, and images a second while all callers were at work. PATH is
/images of the function, or another whose body is taken from the variable BENCH_BODY.
"""

import asyncio
import json
import os
import resource
import sys
import time
from typing import Any

import httptools
import uvloop

LOOPBACK = "127.0.0.1"
OK = 200
MOST_OF = 5
BODY = '{"prompt": "a lighthouse at dusk, number %d"}'


class Client(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self.answered: asyncio.Future[tuple[int, int]] | None = None
        self._status = 0
        self._size = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self._parser = httptools.HttpResponseParser(self)

    def connection_lost(self, error: Exception | None) -> None:
        if self.answered is not None and not self.answered.done():
            self.answered.set_result((0, 0))

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._size = 0

    def on_headers_complete(self) -> None:
        self._status = self._parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        self._size += len(body)

    def on_message_complete(self) -> None:
        if self.answered is not None and not self.answered.done():
            self.answered.set_result((self._status, self._size))


class Load:
    """All callers."""

    def __init__(self, port: int, callers: int, requests: int, path: str) -> None:
        self._port = port
        self._callers = callers
        self._left = requests
        self._path = path
        self._body = os.environ.get("BENCH_BODY", BODY)
        self._number = int(time.time() * 1000) % 10_000_000 * 1000
        self.latencies: list[float] = []
        self.finished: list[float] = []
        self.errors: dict[str, int] = {}
        self.smallest = sys.maxsize

    async def caller(self, delay: float) -> None:
        await asyncio.sleep(delay)
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(Client, LOOPBACK, self._port)
        while self._left > 0:
            self._left -= 1
            self._number += 1
            body = (self._body.replace("%d", str(self._number))).encode()
            head = (
                f"POST {self._path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
                f"Authorization: Bearer {os.environ.get('BENCH_TOKEN', 'x')}\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            client.answered = loop.create_future()
            start = time.perf_counter()
            client.transport.write(head.encode() + body)
            status, size = await client.answered
            end = time.perf_counter()
            if status == OK:
                self.latencies.append((end - start) * 1000)
                self.smallest = min(self.smallest, size)
                self.finished.append(end)
            else:
                self.errors[str(status)] = self.errors.get(str(status), 0) + 1
            if status == 0:
                _, client = await loop.create_connection(Client, LOOPBACK, self._port)
        client.transport.close()

    async def run(self, ramp: float) -> dict[str, Any]:
        start = time.perf_counter()
        await asyncio.gather(*(self.caller(ramp * n / self._callers) for n in range(self._callers)))
        end = time.perf_counter()
        times = sorted(self.latencies)
        first, last = len(times) // 5, len(times) * 4 // 5  # the middle of the run, when all callers are at work
        many = len(times) >= MOST_OF
        return {
            "finished": len(times),
            "errors": self.errors,
            "smallest": self.smallest,
            "seconds": round(end - start, 3),
            "peakMegabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            "perSecond": round((last - first) / (self.finished[last] - self.finished[first]), 1) if many else 0,
            "p50": round(times[len(times) // 2], 2) if many else 0,
            "p99": round(times[len(times) * 99 // 100], 2) if many else 0,
        }


if __name__ == "__main__":
    port, callers, requests, ramp, *path = sys.argv[1:]
    load = Load(int(port), int(callers), int(requests), (path or ["/images"])[0])
    print(json.dumps(uvloop.run(load.run(float(ramp)))))
