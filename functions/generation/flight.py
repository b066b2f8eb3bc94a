"""Equal work that starts while it is under way joins it, within one instance."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from generation.shutdown import stopping

T = TypeVar("T")


class Flights(Generic[T]):
    """Work under way, by key."""

    def __init__(self) -> None:
        self._tasks: dict[Hashable, asyncio.Task[T]] = {}

    async def join(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> tuple[T, bool]:
        """The result of the work, and whether this call started it.

        A caller who goes away does not end the work: others may wait for it, and a model call under way is paid for.

        Raises:
            TemporaryFailure: INSTANCE_STOPPING, the work was interrupted.
        """
        task = self._tasks.get(key)
        started = task is None
        if task is None:
            task = asyncio.ensure_future(self._run(work))
            self._tasks[key] = task
            task.add_done_callback(lambda done: self._land(key, done))
        try:
            return await asyncio.shield(task), started
        except asyncio.CancelledError:
            if task.cancelled():
                raise stopping() from None  # the work was ended, not its caller
            raise
        finally:
            del task  # its exception would hold this frame, and this frame the exception

    @staticmethod
    async def _run(work: Callable[[], Awaitable[T]]) -> T:
        return await work()

    def _land(self, key: Hashable, task: asyncio.Task[T]) -> None:
        del self._tasks[key]
        if not task.cancelled():
            # Looking at it keeps asyncio from printing an exception, prompt and all, that nobody waited for.
            task.exception()

    def interrupt(self) -> None:
        """End what is under way: who waits for it is told that the instance stops."""
        for task in self._tasks.values():
            task.cancel()

    async def land(self) -> None:
        """Wait until nothing is under way."""
        if self._tasks:
            await asyncio.wait(set(self._tasks.values()))
