"""Ends an instance in the ten seconds that the platform leaves it.

Cloud Run sends SIGTERM, and SIGKILL ten seconds later (docs.cloud.google.com/run/docs/container-contract, read
2026-08). In between: new work is refused, so that callers turn to another instance at once; what is under way may end;
what does not end in time gives its claims up, so that the next request need not wait for a lease; budget and telemetry
are written. Only then the server hears of the signal.
"""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from generation.errors import GenerationError, Reason, failure

GRACE_SECONDS = 7.0
"""What is under way may take this long; giving up claims and writing what is left fits into the rest."""
CLOSING_SECONDS = 2.0


def stopping() -> GenerationError:
    """The failure of a request that this instance will not make any more."""
    return failure(
        Reason.INSTANCE_STOPPING,
        "This instance of the function is being shut down, so it makes no more images",
        hint="Send the same request again: another instance answers",
        retry_after=1.0,
    )


class Shutdown:
    """The end of one instance.

    Args:
        grace: seconds for what is under way.
    """

    def __init__(self, grace: float = GRACE_SECONDS) -> None:
        self._grace = grace
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._ending: asyncio.Task[None] | None = None
        self.begun = False

    def must_admit(self) -> None:
        """Refuse new work once the end has begun.

        Raises:
            TemporaryFailure: INSTANCE_STOPPING.
        """
        if self.begun:
            raise stopping()

    @contextlib.contextmanager
    def request(self) -> Iterator[None]:
        """A request that the end waits for."""
        self._under_way += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    def listen(self, work: "Work") -> None:
        """Take SIGTERM over from the server, where one handles it."""
        server = signal.getsignal(signal.SIGTERM)
        if not callable(server):
            return  # nobody ends gracefully here, such as a test

        def begin() -> None:
            if self._ending is None:
                self._ending = asyncio.ensure_future(self._end(work, server))

        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, begin)

    async def _end(self, work: "Work", server: Callable[[int, Any], Any]) -> None:
        self.begun = True
        try:
            work.refuse()
            if not await self._quiet(work, self._grace):
                work.interrupt()
                await self._quiet(work, CLOSING_SECONDS / 2)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSING_SECONDS / 2):
                    await work.close()
        finally:
            server(signal.SIGTERM, None)

    async def _quiet(self, work: "Work", seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
                await work.land()
        except TimeoutError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Work:
    """What an instance does, as its end sees it.

    Attributes:
        refuse: turns away who only waits.
        land: waits for what is under way.
        interrupt: ends what is under way.
        close: writes what is left, and gives up connections.
    """

    refuse: Callable[[], None]
    land: Callable[[], Awaitable[None]]
    interrupt: Callable[[], None]
    close: Callable[[], Awaitable[None]]
