"""Asks a model for a request's images and keeps what comes: images first, their record last."""

import asyncio
import datetime as dt
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from generation.admission import Room
from generation.archive import Archive
from generation.breaker import Breaker
from generation.concurrency import Limiter
from generation.conversation import Turn, model_call, prompt_text, seed_of
from generation.digest import Sources, canonical, digest_of
from generation.disclosure import disclosure, marks
from generation.errors import ErrorClass, GenerationError, Reason, failure
from generation.models import Model
from generation.outcome import Outcome, read_outcome
from generation.record import KeptImage, Provenance, Record, Safety, Skipped, Timing, milliseconds
from generation.request import Capacity, Delivery, Request
from generation.retry import Policy, RetryBudget, patiently
from generation.settings import Settings
from generation.shutdown import stopping
from generation.telemetry import Telemetry
from generation.usage import Cost, Usage
from generation.vertex import ImageModel

CLIENT = "plantain generation function, Agent Platform REST API v1"


@dataclass(frozen=True, slots=True)
class Choice:
    """A model with the id an image has when this model makes it.

    Attributes:
        model: the model.
        image: the id.
        canonical: the form of the request whose digest the id is.
    """

    model: Model
    image: str
    canonical: bytes = field(repr=False)

    @classmethod
    def of(cls, request: Request, model: Model, sources: Sources) -> Self:
        """The choice of a model for a request."""
        form = canonical(request, model, sources)
        return cls(model, digest_of(form), form)


@dataclass(frozen=True, slots=True)
class Made:
    """A record.

    Attributes:
        record: as it lies in the bucket.
        data: the bytes of its images, where this instance has just made them and they go along with the answer.
        own: whether this instance has just made them.
        used: tokens this instance used for them; also where another one's images were kept first.
        skipped: models that were asked before, in vain.
    """

    record: Record
    data: tuple[bytes, ...] | None = field(default=None, repr=False)
    own: bool = False
    used: Usage | None = None
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be made.

    Attributes:
        request: a valid request.
        choice: the model that makes it, and the id it will have.
        sources: its input images.
        turns: the conversation it goes on from, oldest first.
        caller: for whom.
        room: what it may hold in memory.
    """

    request: Request
    choice: Choice
    sources: Sources
    turns: Sequence[Turn]
    caller: str
    room: Room

    @property
    def edited(self) -> bool:
        """Whether it is made from images that the caller gave."""
        return bool(self.sources.references or self.sources.named)

    @property
    def size(self) -> str:
        """The image size, with the model's default filled in."""
        return self.request.image_size or self.choice.model.default_size

    def seed(self, index: int) -> int | None:
        """The seed of an image."""
        return seed_of(self.request, self.choice.model, self.choice.image, index)


@dataclass(frozen=True, slots=True)
class Painted:
    """What the model answered.

    Attributes:
        outcomes: answers with images, with the index of the call.
        refusals: answers without.
        calls: calls made.
    """

    outcomes: Sequence[tuple[int, Outcome]]
    refusals: Sequence[GenerationError]
    calls: int

    @property
    def usage(self) -> Usage:
        """Tokens of all answers, declined ones included."""
        used = [outcome.usage for _, outcome in self.outcomes]
        return sum([*used, *(refusal.usage for refusal in self.refusals if refusal.usage)], Usage())

    @property
    def finish_reason(self) -> str:
        """STOP, or the first reason for anything else."""
        reasons = [refusal.reason.value for refusal in self.refusals]
        reasons += [outcome.finish_reason for _, outcome in self.outcomes]
        return next((reason for reason in reasons if reason != "STOP"), "STOP")


@dataclass(frozen=True, slots=True)
class Gate:
    """What stands between requests and one model's capacity."""

    limiter: Limiter
    breaker: Breaker
    retries: RetryBudget


class Painter:
    """Makes images."""

    def __init__(
        self, settings: Settings, archive: Archive, model: ImageModel, policy: Policy, telemetry: Telemetry
    ) -> None:
        self._settings = settings
        self._archive = archive
        self._model = model
        self._policy = policy
        self._telemetry = telemetry
        self._gates: dict[tuple[str, str], Gate] = {}
        self._refusing = False

    async def paint(self, work: Work, *, attempt: int, start: float, deadline: float) -> Made:
        """The images and their record, stored.

        Args:
            work: what is to be made.
            attempt: number of the claim.
            start: when the request came, on the clock of `time.monotonic`.
            deadline: until when the model may take, on the same clock.

        Raises:
            GenerationError: the model gave no image, or it could not be stored.
        """
        asked = time.monotonic()
        if work.request.count == 1:
            # Without a task of its own, which most requests would pay for and not need.
            painted = Painted([(0, (only := await self._call(work, 0, deadline))[0])], [], only[1])
        else:
            calls = (self._call(work, index, deadline) for index in range(work.request.count))
            painted = _sorted_out(await asyncio.gather(*calls, return_exceptions=True))
        try:
            return await self._kept(work, painted, attempt=attempt, start=start, asked=asked)
        except GenerationError as error:
            error.drawn = True
            error.usage = painted.usage  # which is paid for, whether or not it could be stored
            raise

    async def _kept(self, work: Work, painted: Painted, *, attempt: int, start: float, asked: float) -> Made:
        answered = time.monotonic()
        kept: list[KeptImage] = []
        data: list[bytes] = []
        for index, outcome in painted.outcomes:
            for drawn in outcome.drawn:
                kept.append(
                    await self._archive.keep_image(
                        work.choice.image,
                        len(kept),
                        drawn,
                        attempt=attempt,
                        seed=work.seed(index),
                        notes=self._notes(work),
                    )
                )
                if work.request.delivery is Delivery.INLINE:
                    data.append(drawn.data)
        stored = time.monotonic()
        timing = Timing(
            queue_ms=milliseconds(asked - start),
            model_ms=milliseconds(answered - asked),
            store_ms=milliseconds(stored - answered),
            total_ms=milliseconds(stored - start),
        )
        record = await self._archive.keep_record(self._record(work, painted, kept, timing))
        own = [image.sha256 for image in record.images] == [image.sha256 for image in kept]
        return Made(record, tuple(data) if own else None, own=own, used=painted.usage)

    def refuse(self) -> None:
        """Turn away all who wait for a turn, and all who come later."""
        self._refusing = True
        for gate in self._gates.values():
            gate.limiter.refuse(stopping)

    async def _call(self, work: Work, index: int, deadline: float) -> tuple[Outcome, int]:
        model = work.choice.model
        location = self._settings.location_of(model) or self._settings.location
        call = model_call(
            work.request,
            model,
            work.sources,
            work.turns,
            self._labels(work.request),
            seed=work.seed(index),
            location=location,
        )
        gate = self._gate(model, work.request.capacity)

        async def once(left: float) -> Outcome:
            gate.breaker.enter()
            try:
                async with gate.limiter.slot(work.caller, within=left):
                    with self._telemetry.span("generateContent", model=model.id):
                        answer = await self._model.generate(call, within=left, room=work.room)
                    outcome = read_outcome(answer, model, work.size)
            except TimeoutError:
                gate.breaker.failed(TimeoutError())
                raise self._no_turn(work) from None
            except BaseException as error:
                gate.breaker.failed(error)
                raise
            gate.breaker.succeeded()
            return outcome

        return await patiently(once, deadline=deadline, policy=self._policy, budget=gate.retries)

    def _gate(self, model: Model, capacity: Capacity) -> "Gate":
        key = (model.id, capacity.value)
        gate = self._gates.get(key)
        if gate is None:
            limiter = Limiter(self._settings.part(self._settings.calls_in_flight))
            gate = self._gates[key] = Gate(limiter, Breaker(model.id), RetryBudget())
            if self._refusing:
                limiter.refuse(stopping)
        return gate

    @staticmethod
    def _no_turn(work: Work) -> GenerationError:
        return failure(
            Reason.DEADLINE_EXCEEDED,
            f"{work.choice.model.id} has had no room for the request in time, so there is no image",
            hint="Raise timeoutSeconds, ask with async, or name a model in fallback",
            retry_after=5.0,
        )

    def _labels(self, request: Request) -> dict[str, str]:
        return {**self._settings.labels, **request.labels}

    def _notes(self, work: Work) -> dict[str, str]:
        notes = {
            "campaign": self._settings.campaign,
            "model": work.choice.model.id,
            "image-id": work.choice.image,
            "image-size": work.size,
            "aspect-ratio": work.request.aspect_ratio or "",
            "request-id": work.request.request_id or "",
            **marks(work.choice.model.id, edited=work.edited),
        }
        return {key: value for key, value in notes.items() if value}

    def _record(self, work: Work, painted: Painted, kept: Sequence[KeptImage], timing: Timing) -> Record:
        request, model = work.request, work.choice.model
        outcomes = [outcome for _, outcome in painted.outcomes]
        credentials = all(image.content_credentials for image in kept)
        return Record(
            id=work.choice.image,
            campaign=self._settings.campaign,
            project=self._settings.project,
            location=self._settings.location_of(model) or self._settings.location,
            model=model.id,
            created_at=dt.datetime.now(dt.UTC),
            canonical=json.loads(work.choice.canonical),
            prompt=prompt_text(request.prompt, request.negative_prompt),
            seed=kept[0].seed,
            labels=self._labels(request),
            request_id=request.request_id,
            images=tuple(kept),
            usage=painted.usage,
            cost=Cost.of(painted.usage, model),
            timing=timing,
            attempts=painted.calls,
            finish_reason=painted.finish_reason,
            text="\n".join(outcome.text for outcome in outcomes if outcome.text),
            safety=Safety(
                thresholds={category.value: threshold.value for category, threshold in request.safety.items()},
                ratings={category: rating for o in outcomes for category, rating in o.ratings.items()},
            ),
            provenance=Provenance(
                model_version=outcomes[0].model_version,
                response_ids=tuple(outcome.response_id for outcome in outcomes),
                client=CLIENT,
                content_credentials=credentials,
                sources=tuple(dict.fromkeys(source for outcome in outcomes for source in outcome.sources)),
                previous=request.previous,
            ),
            disclosure=disclosure(model.id, edited=work.edited, content_credentials=credentials),
            failures=tuple(refusal.reason.value for refusal in painted.refusals),
        )


def _sorted_out(results: Sequence[tuple[Outcome, int] | BaseException]) -> Painted:
    """Answers with images, and those without.

    Raises:
        BaseException: no image came, or one failed for a reason that another try could mend: a record is final, so
            it must not leave out what is only late.
    """
    outcomes = [(index, result[0]) for index, result in enumerate(results) if not isinstance(result, BaseException)]
    errors = [result for result in results if isinstance(result, BaseException)]
    refusals = [e for e in errors if isinstance(e, GenerationError) and e.error_class is ErrorClass.SAFETY]
    others = [error for error in errors if error not in refusals]
    try:
        if others:
            if isinstance(others[0], GenerationError):
                failed = [error for error in errors if isinstance(error, GenerationError)]
                used = Painted(outcomes, failed, 0).usage  # the images that came are paid for
                others[0].usage = None if used == Usage() else used
                others[0].unanswered = any(error.unanswered for error in failed)
            raise others[0]
        if not outcomes:
            raise refusals[0]
        calls = sum(result[1] for result in results if not isinstance(result, BaseException))
        return Painted(outcomes, refusals, calls + sum(refusal.attempts for refusal in refusals))
    finally:
        failed = []
        del results, errors, refusals, others, failed  # what is raised holds this frame, and must not be held by it
