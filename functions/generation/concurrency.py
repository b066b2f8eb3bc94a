"""How many model calls are under way: as many as the model's capacity turns out to bear, fairly shared between callers.

Additive increase, multiplicative decrease, as TCP does it: each call that succeeds widens the limit a little, each
answer that says there is no capacity narrows it at once. Who waits is served in turn, caller by caller.
"""

import asyncio
import contextlib
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable

from generation.errors import ErrorClass, GenerationError

NARROWING = 0.7
PAUSE_SECONDS = 1.0
"""Refusals that come within this time of a narrowing belong to the same burst, and narrow nothing more."""


class Limiter:
    """Slots for one model and one kind of capacity.

    Args:
        most: slots there are at most, and at first.
        clock: seconds.
    """

    def __init__(self, most: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = float(most)
        self._limit = float(most)
        self._clock = clock
        self._narrowed = float("-inf")
        self._refusal: Callable[[], Exception] | None = None
        self.active = 0
        self._queues: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @property
    def limit(self) -> int:
        """Slots there are now."""
        return max(1, int(self._limit))

    @contextlib.asynccontextmanager
    async def slot(self, caller: str, *, within: float | None = None) -> AsyncIterator[None]:
        """A slot, and what is learned from how its call ends.

        Args:
            caller: for whom.
            within: seconds to wait for it; as long as it takes when left out.

        Raises:
            TimeoutError: there was no slot in time.
        """
        await self._enter(caller, within)
        try:
            yield
        except GenerationError as error:
            if error.error_class is ErrorClass.QUOTA:
                self._narrow()
            raise
        else:
            self._limit = min(self._most, self._limit + 1.0 / max(1.0, self._limit))
        finally:
            self.active -= 1
            self._next()

    def refuse(self, error: Callable[[], Exception]) -> None:
        """Turn away all who wait, and all who come later, each with an error of its own."""
        self._refusal = error
        while self._queues:
            _, queue = self._queues.popitem()
            for turn in queue:
                if not turn.done():
                    turn.set_exception(error())

    async def _enter(self, caller: str, within: float | None) -> None:
        if self._refusal is not None:
            raise self._refusal()
        if not self._queues and self.active < self.limit:
            self.active += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(caller, deque()).append(turn)
        try:
            async with asyncio.timeout(within):
                await turn
        except (asyncio.CancelledError, TimeoutError):
            if turn.done() and not turn.cancelled():
                self.active -= 1
            else:
                self._forget(caller, turn)
            self._next()
            raise

    def _forget(self, caller: str, turn: asyncio.Future[None]) -> None:
        queue = self._queues.get(caller)
        if queue is not None and turn in queue:
            queue.remove(turn)
            if not queue:
                del self._queues[caller]

    def _next(self) -> None:
        while self._queues and self.active < self.limit:
            caller, queue = next(iter(self._queues.items()))
            turn = queue.popleft()
            # To the end of the row: the next slot is another caller's.
            del self._queues[caller]
            if queue:
                self._queues[caller] = queue
            if not turn.done():
                self.active += 1
                turn.set_result(None)

    def _narrow(self) -> None:
        now = self._clock()
        if now - self._narrowed >= PAUSE_SECONDS:
            self._narrowed = now
            self._limit = max(1.0, min(self._limit, float(self.active)) * NARROWING)
