"""The function with a watch: GET /lag answers how late its event loop was, in milliseconds, and how much it held.

functions-framework loads this file instead of functions/main.py; everything else is the function as it is deployed.
"""

import asyncio
import sys
from pathlib import Path

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

sys.path.insert(0, str(Path(__file__).parents[2] / "functions"))

from generation.app import Application
from generation.memory import settle

TICK = 0.02
application = Application()
settle()
late: list[float] = []
watching: set[asyncio.Task[None]] = set()
answering = 0
most = 0


async def watch() -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + TICK
        await asyncio.sleep(TICK)
        late.append(max(0.0, loop.time() - due) * 1000)


@functions_framework.aio.http
async def images(request: Request) -> Response:
    """Answer one HTTP request."""
    global answering, most  # noqa: PLW0603 -- the counters of this process
    if not watching:
        watching.add(asyncio.create_task(watch()))
    if request.url.path == "/lag":
        times = sorted(late) or [0.0]
        late.clear()
        late_by = {"p99": round(times[len(times) * 99 // 100], 1), "longest": round(times[-1], 1)}
        return JSONResponse({**late_by, "mostInFlight": most})
    answering += 1
    most = max(most, answering)
    try:
        return await application.handle(request)
    finally:
        answering -= 1
