"""From a valid request to an answer: composes the archive, the claims, the flights and the painter."""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import pybase64

from generation.admission import EXPECTED_BYTES, Admission, Room, room_of_the_instance
from generation.archive import Archive
from generation.caller import NOBODY, Caller
from generation.claim import Claims
from generation.clients import Clients
from generation.conversation import Turn
from generation.digest import Sources
from generation.errors import GenerationError, Reason, Violation, failure, invalid
from generation.flight import Flights
from generation.label_values import LabelValues
from generation.ledger import Ledger
from generation.models import FLEX, Model, Spent, table
from generation.painter import Choice, Made, Painter, Work
from generation.pending import Pendings
from generation.rate import Rate
from generation.record import AnsweredImage, ImageAnswer, Pending, Skipped, Timing, milliseconds
from generation.request import Capacity, Delivery, Request
from generation.retry import Policy
from generation.settings import Settings
from generation.shutdown import stopping
from generation.sources import find_sources
from generation.usage import Cost, Usage

STORE_SECONDS = 120.0
"""Storing may take this long beyond timeoutSeconds: by then the image is paid for. A claim is held as much longer."""
INLINE = 4
"""How often an image is held while it is put into an answer: as bytes, as base64, and in the JSON around it."""
THOUGHTS = 2000
"""Tokens of thinking that an estimate allows for; 200 to 1,500 were seen."""
CHARACTERS_PER_TOKEN = 3
FALL_BACK = {
    Reason.MODEL_UNAVAILABLE,
    Reason.MODEL_PAUSED,
    Reason.MODEL_FAILED,
    Reason.MODEL_NOT_FOUND,
    Reason.DEADLINE_EXCEEDED,
    Reason.QUOTA_EXCEEDED,
    Reason.CAPACITY_EXHAUSTED,
}


@dataclass(frozen=True, slots=True)
class Order:
    """A request with whom it is for.

    Attributes:
        request: a valid request.
        models: to be tried in turn, at least one.
        caller: for whom.
        address: origin at which the function was called.
        arrived: when, on the clock of `time.monotonic`; now when left out.
        room: what the request holds in memory itself.
    """

    request: Request
    models: Sequence[Model]
    caller: Caller = NOBODY
    address: str = ""
    arrived: float | None = None
    room: Room | None = None


class Generator:
    """Makes images, each once."""

    def __init__(self, settings: Settings, clients: Clients, policy: Policy | None = None) -> None:
        store = clients.store
        self._settings = settings
        self._store = store
        self._queue = clients.queue
        self._telemetry = clients.telemetry
        self._archive = Archive(store, settings.bucket)
        self._painter = Painter(settings, self._archive, clients.model, policy or Policy(), clients.telemetry)
        self._claims = Claims(store)
        self._pendings = Pendings(store)
        self._labels = LabelValues(store)
        self._rate = Rate(settings.part(settings.images_per_minute)) if settings.images_per_minute else None
        self._ledger = Ledger(store, settings.budget) if settings.budget else None
        self._flights: Flights[Made] = Flights()
        self.admission = Admission(settings.part(room_of_the_instance(settings.bytes_in_flight)))
        self._telemetry.observe("bytes_in_flight", lambda: float(self.admission.taken))

    async def generate(self, order: Order) -> ImageAnswer | Pending:
        """The answer to a request: images, or where they will be.

        Raises:
            GenerationError: there is no image.
        """
        start = time.monotonic() if order.arrived is None else order.arrived
        seconds = order.request.timeout_seconds
        try:
            async with asyncio.timeout(start + seconds - time.monotonic()):
                return await self._answered(order, start, start + seconds)
        except TimeoutError:
            raise failure(
                Reason.DEADLINE_EXCEEDED,
                f"There is no image after {seconds} s",
                hint="Raise timeoutSeconds, or ask again: what is under way is finished and kept",
                retry_after=5.0,
            ) from None

    async def _answered(self, order: Order, start: float, deadline: float) -> ImageAnswer | Pending:
        order, sources = await self._prepared(order)
        request = order.request
        choices = [Choice.of(request, model, sources) for model in order.models]
        if request.request_id is not None:
            await self._bind(request.request_id, order.caller, choices[0].image)
        made = await self._stored(choices)
        if made is None and request.asynchronous:
            return await self._hand_over(order, choices[0])
        if made is not None:
            return await self._answer(order, made, fresh=False, start=start)
        key = tuple(choice.image for choice in choices)
        made, started = await self._flights.join(key, lambda: self._make(order, choices, sources, deadline))
        return await self._answer(order, made, fresh=started and made.own, start=start)

    async def show(self, image: str) -> dict[str, object] | Pending:
        """The record of an image with fresh signed URLs, or how far it is; an empty id is nobody's.

        Raises:
            GenerationError: IMAGE_NOT_FOUND, the reason why the image was not made, or the bucket or the signature
                failed.
        """
        record = await self._archive.record(image) if image else None
        if record is None:
            pending = await self._pendings.state(image) if image else None
            if pending is not None:
                return pending
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

    async def queued(self, name: str, room: Room) -> tuple[bytes, str]:
        """A request that was handed to the queue, and the e-mail of its caller.

        Raises:
            GenerationError: IMAGE_NOT_FOUND, there is none.
        """
        return await self._pendings.read(name, room)

    def refuse(self) -> None:
        """Turn away who only waits: for room, or for a turn with the model."""
        self.admission.refuse(stopping)
        self._painter.refuse()

    def interrupt(self) -> None:
        """End what is under way; claims are given up."""
        self._flights.interrupt()

    async def land(self) -> None:
        """Wait until no image is being made, whether or not its caller still waits."""
        await self._flights.land()

    async def close(self) -> None:
        """Let what is under way end, and write down what was spent."""
        await self.land()
        if self._ledger is not None:
            with contextlib.suppress(GenerationError):
                await self._ledger.flush()

    async def _prepared(self, order: Order) -> tuple[Order, Sources]:
        request = order.request
        if request.template is not None:
            from generation.template import FOLDER, written  # noqa: PLC0415 -- Jinja2 is loaded only when it is asked for

            text = request.template.text
            if text is None:
                name = f"{FOLDER}/{request.template.name}.j2"
                kept = await self._store.read(name)
                if kept is None:
                    problem = f"{self._archive.uri(name)} does not exist"
                    hint = f"gcloud storage cp FILE {self._archive.uri(name)}"
                    raise invalid([Violation("template.name", Reason.TEMPLATE_FAILED, problem, hint)])
                text = kept.decode("utf-8", "replace")
            request = written(request, text)
            order = replace(order, request=request)
        if not (request.references or request.mask or request.reference_set):
            return order, Sources()
        return order, await find_sources(request, order.models, self._store, self._settings.bucket)

    async def _bind(self, request_id: str, caller: Caller, image: str) -> None:
        # Callers do not see each other's ids.
        whose = hashlib.sha256(caller.email.encode()).hexdigest()[:16]
        if not await self._store.create(f"requests/{whose}/{request_id}", image.encode(), "text/plain", {}):
            raise failure(
                Reason.REQUEST_ID_REUSED,
                f"requestId {request_id!r} was given to a request for another image",
                hint="Give each request a requestId of its own; the same one again answers the same image",
            )

    async def _stored(self, choices: Sequence[Choice]) -> Made | None:
        if len(choices) == 1:
            record = await self._archive.record(choices[0].image)
            return None if record is None else Made(record)
        records = await asyncio.gather(*(self._archive.record(choice.image) for choice in choices))
        return next((Made(record) for record in records if record is not None), None)

    async def _hand_over(self, order: Order, choice: Choice) -> Pending:
        if self._queue is None:
            raise AssertionError("validation lets async through only where there is a queue")
        self._take_rate(order)
        self._must_afford(order.request, choice.model)
        document = order.request.model_dump_json(
            by_alias=True, exclude_defaults=True, exclude={"asynchronous", "delivery"}
        )
        name = await self._pendings.add(choice.image, document, order.caller.email)
        if name is not None:
            seconds = round(order.request.timeout_seconds + STORE_SECONDS)
            await self._queue.add(name, order.address, seconds=seconds)
        return Pending(id=choice.image, state="QUEUED")

    async def _make(self, order: Order, choices: Sequence[Choice], sources: Sources, deadline: float) -> Made:
        skipped: list[Skipped] = []
        for position, choice in enumerate(choices):
            now = time.monotonic()
            share = now + (deadline - now) / (len(choices) - position)
            try:
                made = await self._paid(order, choice, sources, share)
            except GenerationError as error:
                if error.reason not in FALL_BACK or error.drawn or position + 1 == len(choices):
                    raise
                skipped.append(Skipped(model=choice.model.id, reason=error.reason.value))
            else:
                return replace(made, skipped=tuple(skipped)) if skipped else made
        raise AssertionError("a request names at least one model")

    async def _paid(self, order: Order, choice: Choice, sources: Sources, deadline: float) -> Made:
        self._take_rate(order)
        if order.request.labels:
            new = {key: value for key, value in order.request.labels.items() if key not in self._settings.labels}
            await self._labels.admit(new)
        if self._ledger is None:
            return await self._claimed(order, choice, sources, deadline)
        reservation = await self._ledger.reserve(estimate(order.request, choice.model))
        spent = Decimal(0)
        try:
            made = await self._claimed(order, choice, sources, deadline)
            if made.used is not None:
                spent = choice.model.cost(made.used.spent)
        except GenerationError as error:
            if error.usage is not None:
                spent = choice.model.cost(error.usage.spent)
            if error.unanswered:
                spent = max(spent, reservation.amount)
            raise
        except BaseException:
            spent = reservation.amount  # a call that is under way when the instance ends is billed all the same
            raise
        else:
            return made
        finally:
            # What cannot be written down now is written with the next; the image is there all the same.
            with contextlib.suppress(GenerationError):
                await self._ledger.settle(reservation, spent)

    async def _claimed(self, order: Order, choice: Choice, sources: Sources, deadline: float) -> Made:
        async def done() -> bool:
            return await self._archive.record(choice.image) is not None

        start = time.monotonic()
        request = order.request
        turns = await self._turns(request, choice.model)
        lease = deadline - start + STORE_SECONDS
        claim = await self._claims.take(choice.image, lease=lease, deadline=deadline, done=done)
        if claim is None:
            record = await self._archive.record(choice.image)
            if record is not None:
                return Made(record)
            raise failure(Reason.INTERNAL, f"The record of image {choice.image} was there and is gone")
        room = Room(
            self.admission,
            EXPECTED_BYTES.get(request.image_size or choice.model.default_size, 0),
            beside=order.room,
        )
        try:
            work = Work(request, choice, sources, turns, order.caller.email, room)
            return await self._painter.paint(work, attempt=claim.number, start=start, deadline=deadline)
        except BaseException as error:
            reason = _reason(error)
            with contextlib.suppress(GenerationError):
                await self._claims.give_up(claim, reason)
            raise
        finally:
            room.leave()

    async def _turns(self, request: Request, model: Model) -> Sequence[Turn]:
        if request.previous is None:
            return ()
        others = len(request.references) + (request.mask is not None)
        turns = await self._archive.conversation(request.previous, model.input.images - others)
        if not turns:
            problem = "there is no image of this id"
            hint = "give the id that POST /images answered"
            raise invalid([Violation("previous", Reason.REFERENCE_NOT_FOUND, problem, hint)])
        return turns

    def _take_rate(self, order: Order) -> None:
        if self._rate is not None:
            self._rate.take(order.caller.email, order.request.count)

    def _must_afford(self, request: Request, model: Model) -> None:
        if self._ledger is not None:
            self._ledger.must_fit(estimate(request, model))

    async def _answer(self, order: Order, made: Made, *, fresh: bool, start: float) -> ImageAnswer:
        record = made.record
        signing = time.monotonic()
        urls = await self._archive.signed_urls(record)
        data: Sequence[bytes | None] = [None] * len(record.images)
        if order.request.delivery is Delivery.INLINE:
            data = await self._inline(order, made)
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
                    content_credentials=kept.content_credentials,
                    data=None if content is None else pybase64.b64encode_as_string(content),
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
            disclosure=record.disclosure,
            skipped=made.skipped,
        )

    async def _inline(self, order: Order, made: Made) -> Sequence[bytes]:
        room = order.room or Room(self.admission)
        count = INLINE * sum(image.bytes for image in made.record.images)
        if made.data is not None:
            room.add(count)
            return made.data
        await room.hold(count)
        return await self._archive.bytes_of(made.record)


def _reason(error: BaseException) -> str:
    if isinstance(error, asyncio.CancelledError):
        return Reason.INSTANCE_STOPPING.value
    return error.reason.value if isinstance(error, GenerationError) else type(error).__name__


def estimate(request: Request, model: Model) -> Decimal:
    """What a request will cost at most, as far as can be known before: retries of failed calls cost nothing."""
    inputs = len(request.references) + (request.mask is not None) + (request.previous is not None)
    inputs += model.input.images - inputs if request.reference_set else 0
    size = request.image_size or model.default_size
    spent = Spent(
        input_tokens=len(request.prompt) // CHARACTERS_PER_TOKEN + inputs * model.input.image_tokens,
        image_tokens=model.sizes[size],
        text_tokens=THOUGHTS if model.thinking else 0,
        search_queries=1 if request.grounding else 0,
        traffic_type=FLEX if request.capacity is Capacity.FLEX else "",
    )
    return model.cost(spent) * request.count
