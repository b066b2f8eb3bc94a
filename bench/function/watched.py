"""The function with a watch: GET /lag answers how late its event loops were, in milliseconds, and how much they held.

functions-framework loads this file instead of functions/main.py; everything else is the function as it is deployed.
Each server process notes its own in a file of BENCH_FOLDER; whichever is asked reads those of all.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import TextIO

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

sys.path.insert(0, str(Path(__file__).parents[2] / "functions"))

from generation.app import Application
from generation.memory import settle

TICK = 0.02
application = Application()
settle()
watching: set[asyncio.Task[None]] = set()
answering = 0


async def watch(notes: TextIO) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + TICK
        await asyncio.sleep(TICK)
        now = loop.time()
        notes.write(f"{now:.3f} {max(0.0, now - due) * 1000:.1f} {answering}\n")


def own_notes() -> TextIO:
    return Path(os.environ["BENCH_FOLDER"], f"{os.getpid()}.lag").open("a", buffering=1)


def noted(since: float) -> dict[str, float]:
    """What all processes noted from a time on."""
    notes: list[tuple[float, float, int, str]] = []
    for path in Path(os.environ["BENCH_FOLDER"]).glob("*.lag"):
        # The last line may be half written.
        lines = [line.split() for line in path.read_text().split("\n")[:-1]]
        notes += [(float(at), float(late), int(held), path.name) for at, late, held in lines]
    holding: dict[str, int] = {}
    most = 0
    for _, _, held, process in sorted(notes):
        holding[process] = held
        most = max(most, sum(holding.values()))
    times = sorted(late for at, late, _, _ in notes if at >= since) or [0.0]
    return {
        "p99": round(times[len(times) * 99 // 100], 1),
        "longest": round(times[-1], 1),
        "mostInFlight": most,
        "processes": len(holding),
        "now": asyncio.get_running_loop().time(),
    }


@functions_framework.aio.http
async def images(request: Request) -> Response:
    """Answer one HTTP request."""
    global answering  # noqa: PLW0603 -- the counter of this process
    if not watching:
        watching.add(asyncio.create_task(watch(own_notes())))
    if request.url.path == "/lag":
        return JSONResponse(noted(float(request.query_params.get("since", "0"))))
    answering += 1
    try:
        return await application.handle(request)
    finally:
        answering -= 1
