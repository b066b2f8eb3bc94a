"""Equal work that starts in another instance waits for it.

A claim is an object that can be created once (`ifGenerationMatch=0`). The runtime identity may neither change nor
delete objects, so the state of a claim is told by which objects exist below `claims/<id>/`:

    00000        the first try, taken for as long as its metadata says
    00000.failed the first try failed: 00001 may be taken
    00001        ...

A try whose lease has passed counts as failed. Who created the record first decides what the image is.
"""

import asyncio
import datetime as dt
import json
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from generation.bucket import ObjectStore, Stored
from generation.errors import Reason, failure

PREFIX = "claims"
FAILED = ".failed"
LEASE = "lease-seconds"
POLL_SECONDS = 1.0
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to make an image, as the given try."""

    image: str
    number: int

    @property
    def name(self) -> str:
        """Name of its object."""
        return f"{PREFIX}/{self.image}/{self.number:05}"


class Claims:
    """Claims in a bucket."""

    def __init__(self, store: ObjectStore, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._store = store
        self._sleep = sleep

    async def take(
        self, image: str, *, lease: float, deadline: float, done: Callable[[], Awaitable[bool]]
    ) -> Claim | None:
        """The claim on an image, or None when somebody else has made it meanwhile.

        Args:
            image: id of the image.
            lease: seconds after which others may take the claim over.
            deadline: how long to wait, on the clock of `time.monotonic`.
            done: whether the image has been made.

        Raises:
            TemporaryFailure: IN_PROGRESS, somebody else is still at it at the deadline.
            GenerationError: the bucket failed.
        """
        claim = Claim(image, 0)
        while True:
            # Contents differ by holder, so that a retried upload recognises its own first try.
            holder = json.dumps({"holder": secrets.token_hex(16)}).encode()
            if await self._store.create(claim.name, holder, JSON, {LEASE: str(round(lease))}):
                return claim
            number = await self._wait(image, deadline, done)
            if number is None:
                return None
            claim = Claim(image, number)

    async def give_up(self, claim: Claim, reason: str) -> None:
        """Let others try: this try made no image."""
        await self._store.create(f"{claim.name}{FAILED}", json.dumps({"reason": reason}).encode(), JSON, {})

    async def _wait(self, image: str, deadline: float, done: Callable[[], Awaitable[bool]]) -> int | None:
        while True:
            if await done():
                return None
            tries = await self._store.list(f"{PREFIX}/{image}/")
            free = _free(tries, dt.datetime.now(dt.UTC))
            if free is not None:
                return free
            if time.monotonic() + POLL_SECONDS > deadline:
                raise failure(
                    Reason.IN_PROGRESS,
                    "Another instance of the function is still working on the same request",
                    hint="Ask again: the image is answered from the bucket as soon as it is there",
                    retry_after=10.0,
                )
            await self._sleep(POLL_SECONDS)


def _free(tries: list[Stored], now: dt.datetime) -> int | None:
    """Number of the next try; None while the newest one is held."""
    names = {stored.name for stored in tries}
    held = [stored for stored in tries if not stored.name.endswith(FAILED)]
    if not held:
        return 0
    newest = max(held, key=lambda stored: stored.name)
    number = int(newest.name.rpartition("/")[2])
    expires = newest.created + dt.timedelta(seconds=float(newest.metadata.get(LEASE, "0")))
    return number + 1 if f"{newest.name}{FAILED}" in names or expires <= now else None
