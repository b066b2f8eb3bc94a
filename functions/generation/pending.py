"""Requests that wait in the queue, and how far an image is whose record is not there yet.

A request that was handed over lies in `queue/<id>/<number>.json`: the prompt stays in the campaign's bucket, under its
key, and the task names only the object.
"""

import re

from generation.admission import Room
from generation.bucket import ObjectStore
from generation.claim import FAILED, PREFIX
from generation.errors import REASONS, ErrorClass, Reason, failure
from generation.record import Pending

FOLDER = "queue"
JSON = "application/json"
CALLER = "caller"
NAME = re.compile(r"queue/[0-9a-f]{64}/\d{5}\.json")
REASON = re.compile(rb'"reason"\s*:\s*"([A-Z_]+)"')


class Pendings:
    """Requests in the bucket."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def add(self, image: str, document: str, caller: str) -> str | None:
        """Keep a request for the queue.

        Args:
            image: id of the image it asks for.
            document: the request, as JSON.
            caller: e-mail of whom it is for.

        Returns:
            Name of the object; None when an equal request is waiting or worked on already.

        Raises:
            GenerationError: the bucket failed.
        """
        prefix = f"{FOLDER}/{image}/"
        waiting = await self._store.list(prefix)
        if waiting and await self._state(image, len(waiting)) is not None:
            return None
        name = f"{prefix}{len(waiting):05}.json"
        created = await self._store.create(name, document.encode(), JSON, {CALLER: caller} if caller else {})
        return name if created else None

    async def read(self, name: str, room: Room) -> tuple[bytes, str]:
        """A request of the queue, and the e-mail of its caller; it is read once there is room for it.

        Raises:
            GenerationError: IMAGE_NOT_FOUND, there is no such request.
        """
        listed = await self._store.list(name, most=1) if NAME.fullmatch(name) else []
        await room.hold(sum(stored.bytes for stored in listed))
        data = await self._store.read(name) if listed else None
        if data is None:
            raise failure(
                Reason.IMAGE_NOT_FOUND,
                "There is no such request in the queue",
                hint="Only the campaign's queue calls this path; ask with POST /images and async",
            )
        return data, listed[0].metadata.get(CALLER, "")

    async def state(self, image: str) -> Pending | None:
        """How far an image is that has no record; None for one that nobody asked for.

        Raises:
            GenerationError: the reason why the image was not made, or the bucket failed.
        """
        waiting = await self._store.list(f"{FOLDER}/{image}/")
        state = await self._state(image, len(waiting))
        if state is not None:
            return state
        reason = await self._failed(image)
        if reason is None:
            return None
        raise failure(
            reason,
            f"The image was not made: {REASONS[reason].meaning}",
            hint="Ask again with POST /images; what must change is said there",
        )

    async def _state(self, image: str, requests: int) -> Pending | None:
        tries = [stored.name for stored in await self._store.list(f"{PREFIX}/{image}/")]
        failures = {name for name in tries if name.endswith(FAILED)}
        held = [name for name in tries if name not in failures and f"{name}{FAILED}" not in failures]
        if held:
            return Pending(id=image, state="RUNNING")
        if not requests:
            return None
        if not failures:
            return Pending(id=image, state="QUEUED")
        reason = await self._failed(image)
        passing = {ErrorClass.RETRYABLE, ErrorClass.QUOTA}
        if reason is None or REASONS[reason].family.error_class in passing:
            return Pending(id=image, state="QUEUED")
        return None

    async def _failed(self, image: str) -> Reason | None:
        failures = [s.name for s in await self._store.list(f"{PREFIX}/{image}/") if s.name.endswith(FAILED)]
        if not failures:
            return None
        found = REASON.search(await self._store.read(max(failures)) or b"")
        name = found[1].decode() if found else ""
        return Reason(name) if name in Reason.__members__ else Reason.INTERNAL
