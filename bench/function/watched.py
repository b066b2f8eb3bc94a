"""The function with a watch on its event loop: GET /lag answers how late the loop was, in milliseconds.

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


async def watch() -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + TICK
        await asyncio.sleep(TICK)
        late.append(max(0.0, loop.time() - due) * 1000)


@functions_framework.aio.http
async def images(request: Request) -> Response:
    """Answer one HTTP request."""
    if not watching:
        watching.add(asyncio.create_task(watch()))
    if request.url.path == "/lag":
        times = sorted(late) or [0.0]
        late.clear()
        return JSONResponse({"p99": round(times[len(times) * 99 // 100], 1), "longest": round(times[-1], 1)})
    return await application.handle(request)
