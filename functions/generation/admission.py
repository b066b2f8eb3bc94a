"""Bytes in flight: images are taken in only while there is room for them.

A request waits here, and so does the network behind it: what is not read stays in the sender's buffers. So the memory
of an instance is bounded by a number of bytes and not by a number of requests of unknown size.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from pathlib import Path

MEGABYTE = 1024 * 1024
EXPECTED_BYTES = {"512": 1 * MEGABYTE, "1K": 3 * MEGABYTE, "2K": 8 * MEGABYTE, "4K": 26 * MEGABYTE}
"""What an answer without Content-Length may hold, by image size: PNGs seen in 2026, with room to spare."""
SMALL = 64 * 1024
"""Bodies up to this size pass without being counted."""
BASE64 = 0.75
SHARE = 0.4
"""Part of the instance's memory that images in flight may take."""
WITHOUT_LIMIT = 1024 * MEGABYTE
CGROUP = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


class Admission:
    """Room for so many bytes.

    Args:
        limit: bytes. One request larger than this passes alone.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.taken = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, count: int) -> None:
        """Wait for room, first come first served."""
        if not self._waiting and self._fits(count):
            self.taken += count
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (count, turn)
        self._waiting.append(entry)
        try:
            await turn
        except asyncio.CancelledError:
            if entry in self._waiting:
                self._waiting.remove(entry)
            elif turn.done() and not turn.cancelled():
                self.taken -= count  # the turn came in the very moment it was given up
            self._next()
            raise

    def give_back(self, count: int) -> None:
        """Make room."""
        self.taken -= count
        self._next()

    def refuse(self, error: Callable[[], Exception]) -> None:
        """Turn away all who wait, each with an error of its own."""
        while self._waiting:
            _, turn = self._waiting.popleft()
            if not turn.done():
                turn.set_exception(error())

    def _fits(self, count: int) -> bool:
        return self.taken == 0 or self.taken + count <= self.limit

    def _next(self) -> None:
        while self._waiting and self._fits(self._waiting[0][0]):
            count, turn = self._waiting.popleft()
            if not turn.done():
                self.taken += count
                turn.set_result(None)


class Room:
    """What one request holds of an admission, given back at its end.

    Args:
        admission: of the instance.
        expected: bytes of an answer that does not say how many.
        beside: other room of the same request.
    """

    def __init__(self, admission: Admission, expected: int = 0, beside: "Room | None" = None) -> None:
        self._admission = admission
        self._expected = expected
        self._beside = beside
        self._held = 0

    @property
    def holds(self) -> bool:
        """Whether the request holds any."""
        return self._held > 0 or (self._beside is not None and self._beside.holds)

    async def take(self, content_length: int | None) -> None:
        """Wait for room for an answer's image."""
        count = self._expected if content_length is None else int(content_length * BASE64)
        await self.hold(count)

    async def hold(self, count: int) -> None:
        """Wait for room for so many bytes."""
        if self.holds:
            # Who holds some room already never waits for more: two such could wait for each other for ever.
            self.add(count)
        elif count > SMALL:
            await self._admission.take(count)
            self._held += count

    def add(self, count: int) -> None:
        """Count bytes that are held already."""
        if count > SMALL:
            self._admission.taken += count
            self._held += count

    def leave(self) -> None:
        """Give everything back."""
        held, self._held = self._held, 0
        if held:
            self._admission.give_back(held)


def room_of_the_instance(stated: int | None) -> int:
    """Bytes that may be in flight: as stated, else a share of the container's memory."""
    if stated is not None:
        return stated
    for path in CGROUP:
        try:
            text = path.read_text("ascii").strip()
        except OSError:
            continue
        if text.isdigit() and int(text) < 1 << 50:
            return int(int(text) * SHARE)
    return WITHOUT_LIMIT
