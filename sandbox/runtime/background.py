"""Work that goes on between requests: one named worker each, woken when there may be something to do."""

from __future__ import annotations

import asyncio
import contextlib
import traceback
from collections.abc import Awaitable, Callable

from sandbox.request_log import RequestLog

Worker = Callable[[asyncio.Event], Awaitable[None]]


class Background:
    """The workers of a sandbox.

    A worker runs until it has nothing left to do; it waits on its event, which ``wake`` sets. What it has not
    finished must lie in the store, from where it is taken up again after a restart.
    """

    def __init__(self, log: RequestLog) -> None:
        self._log = log
        self._workers: dict[str, tuple[asyncio.Task[None], asyncio.Event]] = {}

    def wake(self, name: str, worker: Worker) -> None:
        """Start the worker unless it runs, and tell it to look again."""
        running = self._workers.get(name)
        if running and not running[0].done():
            running[1].set()
            return
        event = asyncio.Event()
        task = asyncio.get_running_loop().create_task(self._run(name, worker, event))
        self._workers[name] = (task, event)

    async def _run(self, name: str, worker: Worker, event: asyncio.Event) -> None:
        try:
            await worker(event)
        except Exception:  # noqa: BLE001 -- a worker's defect is kept for /_sandbox/defects and ends no other
            self._log.defects.append(traceback.format_exc())
        finally:
            if self._workers.get(name, (None,))[0] is asyncio.current_task():
                del self._workers[name]

    async def close(self) -> None:
        """Cancel all and wait for their end."""
        tasks = [task for task, _ in self._workers.values()]
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def woken(event: asyncio.Event, seconds: float | None) -> None:
    """Wait until the event is set or the time is over; the event is unset afterwards."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    event.clear()
