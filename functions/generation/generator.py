"""From a valid request to an answer: composes the archive, the claims, the flights and the painter."""

import asyncio
import base64
import contextlib
import time
from collections.abc import Sequence

from generation.archive import Archive
from generation.bucket import ObjectStore
from generation.claim import Claims
from generation.conversation import Turn
from generation.digest import Sources, image_id
from generation.errors import GenerationError, Reason, Violation, failure, invalid
from generation.flight import Flights
from generation.models import Model, table
from generation.painter import Choice, Made, Painter, Work
from generation.record import AnsweredImage, ImageAnswer, Timing, milliseconds
from generation.request import Delivery, Request
from generation.retry import Policy
from generation.settings import Settings
from generation.sources import find_sources
from generation.usage import Cost, Usage
from generation.vertex import ImageModel

STORE_SECONDS = 120.0
"""Storing may take this long beyond timeoutSeconds: by then the image is paid for. A claim is held as much longer."""
FALL_BACK = {
    Reason.MODEL_UNAVAILABLE,
    Reason.MODEL_FAILED,
    Reason.MODEL_NOT_FOUND,
    Reason.DEADLINE_EXCEEDED,
    Reason.QUOTA_EXCEEDED,
    Reason.CAPACITY_EXHAUSTED,
}


class Generator:
    """Makes images, each once."""

    def __init__(self, settings: Settings, store: ObjectStore, model: ImageModel, policy: Policy | None = None) -> None:
        self._settings = settings
        self._store = store
        self._archive = Archive(store, settings.bucket)
        self._painter = Painter(settings, self._archive, model, policy or Policy())
        self._claims = Claims(store)
        self._flights: Flights[Made] = Flights()

    async def generate(self, request: Request, models: Sequence[Model]) -> ImageAnswer:
        """The answer to a request.

        Args:
            request: a valid request.
            models: to be tried in turn, at least one.

        Raises:
            GenerationError: there is no image.
        """
        start = time.monotonic()
        deadline = start + request.timeout_seconds
        try:
            async with asyncio.timeout(request.timeout_seconds):
                sources = await find_sources(request, models, self._store)
                choices = [Choice(model, image_id(request, model, sources)) for model in models]
                made, fresh = await self._stored(choices), False
        except TimeoutError:
            raise _too_late(request) from None
        if made is None:
            made, fresh = await self._join(request, choices, sources, deadline)
        return await self._answer(request, made, fresh=fresh, start=start)

    async def show(self, image: str) -> dict[str, object]:
        """The record of an image with fresh signed URLs; an empty id is nobody's.

        Raises:
            GenerationError: IMAGE_NOT_FOUND, or the bucket or the signature failed.
        """
        record = await self._archive.record(image) if image else None
        if record is None:
            raise failure(
                Reason.IMAGE_NOT_FOUND,
                "There is no image of this id",
                hint="Ids are those that POST /images answered; images are deleted after images.deleteAfterDays",
            )
        document = record.model_dump(mode="json", by_alias=True)
        urls = await self._archive.signed_urls(record)
        for entry, kept, url in zip(document["images"], record.images, urls, strict=True):
            del entry["thoughtSignature"]
            entry |= {"uri": self._archive.uri(kept.object), "signedUrl": url}
        return document

    async def close(self) -> None:
        """Let what is under way end."""
        await self._flights.land()

    async def _stored(self, choices: Sequence[Choice]) -> Made | None:
        records = await asyncio.gather(*(self._archive.record(choice.image) for choice in choices))
        return next((Made(record) for record in records if record is not None), None)

    async def _join(
        self, request: Request, choices: Sequence[Choice], sources: Sources, deadline: float
    ) -> tuple[Made, bool]:
        key = tuple(choice.image for choice in choices)
        left = deadline - time.monotonic() + STORE_SECONDS
        try:
            async with asyncio.timeout(left):
                made, started = await self._flights.join(key, lambda: self._make(request, choices, sources, deadline))
        except TimeoutError:
            raise _too_late(request) from None
        return made, started and made.data is not None

    async def _make(self, request: Request, choices: Sequence[Choice], sources: Sources, deadline: float) -> Made:
        for position, choice in enumerate(choices):
            now = time.monotonic()
            share = now + (deadline - now) / (len(choices) - position)
            try:
                return await self._claimed(request, choice, sources, share)
            except GenerationError as error:
                if error.reason not in FALL_BACK or position + 1 == len(choices):
                    raise
        raise AssertionError("a request names at least one model")

    async def _claimed(self, request: Request, choice: Choice, sources: Sources, deadline: float) -> Made:
        async def done() -> bool:
            return await self._archive.record(choice.image) is not None

        start = time.monotonic()
        turns = await self._turns(request, choice.model)
        lease = deadline - start + STORE_SECONDS
        claim = await self._claims.take(choice.image, lease=lease, deadline=deadline, done=done)
        if claim is None:
            record = await self._archive.record(choice.image)
            if record is not None:
                return Made(record)
            raise failure(Reason.INTERNAL, f"The record of image {choice.image} was there and is gone")
        try:
            work = Work(request, choice, sources, turns)
            return await self._painter.paint(work, attempt=claim.number, start=start, deadline=deadline)
        except BaseException as error:
            reason = error.reason.value if isinstance(error, GenerationError) else type(error).__name__
            with contextlib.suppress(GenerationError):
                await self._claims.give_up(claim, reason)
            raise

    async def _turns(self, request: Request, model: Model) -> Sequence[Turn]:
        if request.previous is None:
            return ()
        inputs = len(request.references) + (request.mask is not None)
        turns = await self._archive.conversation(request.previous, model.input.images - inputs)
        if not turns:
            raise invalid(
                [
                    Violation(
                        "previous",
                        Reason.REFERENCE_NOT_FOUND,
                        f"there is no image {request.previous}",
                        "give the id that POST /images answered",
                    )
                ]
            )
        return turns

    async def _answer(self, request: Request, made: Made, *, fresh: bool, start: float) -> ImageAnswer:
        record = made.record
        signing = time.monotonic()
        urls = await self._archive.signed_urls(record)
        data: Sequence[bytes | None] = [None] * len(record.images)
        if request.delivery is Delivery.INLINE:
            data = made.data if made.data is not None else await self._archive.bytes_of(record)
        now = time.monotonic()
        model = table().get(record.model)
        nothing = Cost.nothing(model) if model else record.cost.model_copy(update={"amount": 0.0})
        earlier = record.timing if fresh else Timing()
        store_ms = earlier.store_ms + milliseconds(now - signing)
        return ImageAnswer(
            id=record.id,
            model=record.model,
            images=tuple(
                AnsweredImage(
                    uri=self._archive.uri(kept.object),
                    signed_url=url,
                    sha256=kept.sha256,
                    mime_type=kept.mime_type,
                    width=kept.width,
                    height=kept.height,
                    bytes=kept.bytes,
                    data=None if content is None else base64.b64encode(content).decode(),
                )
                for kept, url, content in zip(record.images, urls, data, strict=True)
            ),
            usage=record.usage if fresh else Usage(),
            cost=record.cost if fresh else nothing,
            timing=Timing(
                queue_ms=max(0, milliseconds(now - start) - earlier.model_ms - store_ms),
                model_ms=earlier.model_ms,
                store_ms=store_ms,
                total_ms=milliseconds(now - start),
            ),
            cached=not fresh,
            attempts=record.attempts if fresh else 0,
            finish_reason=record.finish_reason,
            text=record.text,
        )


def _too_late(request: Request) -> GenerationError:
    return failure(
        Reason.DEADLINE_EXCEEDED,
        f"There is no image after {request.timeout_seconds} s",
        hint="Raise timeoutSeconds, or ask again: what is under way is finished and kept",
        retry_after=5.0,
    )
