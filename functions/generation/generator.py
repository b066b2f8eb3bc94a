"""From a valid request to an answer: composes the archive, the claims, the flights and the model."""

import asyncio
import base64
import contextlib
import datetime as dt
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

from generation.archive import Archive
from generation.bucket import ObjectStore
from generation.claim import Claim, Claims
from generation.conversation import Turn, model_call, prompt_text, seed_of
from generation.digest import Sources, canonical, image_id
from generation.errors import ErrorClass, GenerationError, Reason, Violation, failure, invalid
from generation.flight import Flights
from generation.models import Model, table
from generation.outcome import Drawn, Outcome, read_outcome
from generation.record import (
    AnsweredImage,
    ImageAnswer,
    KeptImage,
    Provenance,
    Record,
    Safety,
    Timing,
)
from generation.request import Delivery, Request
from generation.retry import Policy, patiently
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
CLIENT = f"google-genai {version('google-genai')}"


@dataclass(frozen=True, slots=True)
class Choice:
    """A model with the id an image has when this model makes it."""

    model: Model
    image: str


@dataclass(frozen=True, slots=True)
class Made:
    """A record, and the bytes of its images where this instance has just made them."""

    record: Record
    data: tuple[bytes, ...] | None = None


class Generator:
    """Makes images, each once."""

    def __init__(self, settings: Settings, store: ObjectStore, model: ImageModel, policy: Policy | None = None) -> None:
        self._settings = settings
        self._store = store
        self._model = model
        self._policy = policy or Policy()
        self._archive = Archive(store, settings.bucket)
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
            return await self._draw(request, choice, sources, turns, claim, start=start, deadline=deadline)
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

    async def _draw(
        self,
        request: Request,
        choice: Choice,
        sources: Sources,
        turns: Sequence[Turn],
        claim: Claim,
        *,
        start: float,
        deadline: float,
    ) -> Made:
        model = choice.model
        size = request.image_size or model.default_size
        labels = {**self._settings.labels, **request.labels}

        async def one(index: int) -> tuple[Outcome, int]:
            seed = seed_of(request, model, choice.image, index)
            call = model_call(request, model, sources, turns, labels, seed=seed)

            async def once(left: float) -> Outcome:
                return read_outcome(await self._model.generate(call, within=left), model, size)

            return await patiently(once, deadline=deadline, policy=self._policy)

        asked = time.monotonic()
        results = await asyncio.gather(*(one(index) for index in range(request.count)), return_exceptions=True)
        answered = time.monotonic()
        outcomes, refusals, attempts = _sorted_out(results)
        kept: list[KeptImage] = []
        drawn: list[Drawn] = []
        notes = self._notes(choice, request)
        for index, outcome in outcomes:
            seed = seed_of(request, model, choice.image, index)
            for image in outcome.drawn:
                kept.append(
                    await self._archive.keep_image(
                        choice.image, len(kept), image, attempt=claim.number, seed=seed, notes=notes
                    )
                )
                drawn.append(image)
        usage = sum((o.usage for _, o in outcomes), Usage()) + sum((e.usage for e in refusals if e.usage), Usage())
        finish = [e.reason.value for e in refusals] or [o.finish_reason for _, o in outcomes]
        stored = time.monotonic()
        record = await self._archive.keep_record(
            Record(
                id=choice.image,
                campaign=self._settings.campaign,
                project=self._settings.project,
                location=self._settings.location,
                model=model.id,
                created_at=dt.datetime.now(dt.UTC),
                canonical=json.loads(canonical(request, model, sources)),
                prompt=prompt_text(request.prompt, request.negative_prompt),
                seed=kept[0].seed,
                labels=labels,
                request_id=request.request_id,
                images=tuple(kept),
                usage=usage,
                cost=Cost.of(usage, model),
                timing=Timing(
                    queue_ms=_ms(asked - start),
                    model_ms=_ms(answered - asked),
                    store_ms=_ms(stored - answered),
                    total_ms=_ms(stored - start),
                ),
                attempts=attempts,
                finish_reason=next((reason for reason in finish if reason != "STOP"), "STOP"),
                text="\n".join(o.text for _, o in outcomes if o.text),
                safety=Safety(
                    thresholds={c.value: t.value for c, t in request.safety.items()},
                    ratings={c: r for _, o in outcomes for c, r in o.ratings.items()},
                ),
                provenance=Provenance(
                    model_version=outcomes[0][1].model_version,
                    response_ids=tuple(o.response_id for _, o in outcomes),
                    client=CLIENT,
                    content_credentials=all(image.content_credentials for image in kept),
                    sources=tuple(dict.fromkeys(s for _, o in outcomes for s in o.sources)),
                    previous=request.previous,
                ),
                failures=tuple(e.reason.value for e in refusals),
            )
        )
        own = [image.sha256 for image in record.images] == [image.sha256 for image in kept]
        return Made(record, tuple(image.data for image in drawn) if own else None)

    def _notes(self, choice: Choice, request: Request) -> dict[str, str]:
        notes = {
            "campaign": self._settings.campaign,
            "model": choice.model.id,
            "image-id": choice.image,
            "image-size": request.image_size or choice.model.default_size,
            "aspect-ratio": request.aspect_ratio or "",
            "request-id": request.request_id or "",
        }
        return {key: value for key, value in notes.items() if value}

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
        store_ms = earlier.store_ms + _ms(now - signing)
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
                queue_ms=max(0, _ms(now - start) - earlier.model_ms - store_ms),
                model_ms=earlier.model_ms,
                store_ms=store_ms,
                total_ms=_ms(now - start),
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


def _sorted_out(
    results: Sequence[tuple[Outcome, int] | BaseException],
) -> tuple[list[tuple[int, Outcome]], list[GenerationError], int]:
    """Images by index, refusals beside them, calls made.

    Raises:
        BaseException: no image came, or one failed for a reason that another try could mend: a record is final, so
            it must not leave out what is only late.
    """
    outcomes = [(index, result[0]) for index, result in enumerate(results) if not isinstance(result, BaseException)]
    errors = [result for result in results if isinstance(result, BaseException)]
    refusals = [e for e in errors if isinstance(e, GenerationError) and e.error_class is ErrorClass.SAFETY]
    others = [error for error in errors if error not in refusals]
    if others:
        raise others[0]
    if not outcomes:
        raise refusals[0]
    calls = sum(result[1] for result in results if not isinstance(result, BaseException))
    return outcomes, refusals, calls + sum(error.attempts for error in refusals)


def _ms(seconds: float) -> int:
    return max(0, round(seconds * 1000))
