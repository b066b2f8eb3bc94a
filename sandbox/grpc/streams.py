"""The streaming methods, made of the unary ones."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from sandbox.grpc import transcoding
from sandbox.services.pubsub.names import MESSAGES, SUBSCRIPTIONS

if TYPE_CHECKING:
    from sandbox.grpc.server import Session, Stream

#: Seconds between two looks for something new, and until a silent stream says that it lives.
POLL, HEARTBEAT = 0.05, 20.0
#: The same for a tail of logs, where a look is a whole request.
TAIL = 0.5
MOST_MESSAGES = 100


async def generate(session: Session, incoming: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """``PredictionService.StreamGenerateContent``: REST answers with a list of what the stream is made of."""
    async for content in incoming:
        wanted = transcoding.encode(session.rpc, session.request(content), session.descriptors)
        answer = await session.send(session.host or session.rpc.host, wanted)
        for document in json.loads(answer.content):
            part = transcoding.from_json(session.rpc.response, document, session.descriptors)
            yield part.SerializeToString()


class Pulling:
    """One ``StreamingPull``: what the client acknowledges goes one way, messages the other.

    Source: https://docs.cloud.google.com/pubsub/docs/pull (read 2026-11).
    """

    def __init__(self, session: Session, first: Any) -> None:
        self._session = session
        self._name: str = first.subscription
        self._deadline: int = first.stream_ack_deadline_seconds
        self._confirmed: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def take(self, incoming: AsyncIterator[bytes]) -> None:
        """Carry out what the client asks for until it has no more to say."""
        async for content in incoming:
            await self.carry_out(self._session.request(content))

    async def carry_out(self, request: Any) -> None:
        """Acknowledgements and changes of deadlines in one request.

        Raises:
            Failure: they were refused.
        """
        if request.stream_ack_deadline_seconds:
            self._deadline = request.stream_ack_deadline_seconds
        if request.ack_ids:
            await self._session.call("Acknowledge", subscription=self._name, ack_ids=request.ack_ids)
            self._confirmed.put_nowait({"acknowledge_confirmation": {"ack_ids": list(request.ack_ids)}})
        by_seconds: dict[int, list[str]] = {}
        for ack_id, wait in zip(request.modify_deadline_ack_ids, request.modify_deadline_seconds, strict=False):
            by_seconds.setdefault(wait, []).append(ack_id)
        for wait, ack_ids in by_seconds.items():
            await self._modify(ack_ids, wait)
            self._confirmed.put_nowait({"modify_ack_deadline_confirmation": {"ack_ids": ack_ids}})

    async def _modify(self, ack_ids: list[str], wait: int) -> None:
        await self._session.call(
            "ModifyAckDeadline", subscription=self._name, ack_ids=ack_ids, ack_deadline_seconds=wait
        )

    async def give(self) -> AsyncIterator[dict[str, Any]]:
        """Fields of the responses, without end.

        Raises:
            Failure: the caller may not pull, or the subscription is gone.
        """
        cloud = self._session.cloud
        name = cloud.hierarchy.canonical(self._name)
        silent = HEARTBEAT  # the first answer comes at once
        while True:
            subscription = cloud.store.get(SUBSCRIPTIONS, name) or {}
            while not self._confirmed.empty():
                confirmation = self._confirmed.get_nowait()
                if subscription.get("enableExactlyOnceDelivery"):
                    yield confirmation
            # A pull also finds out whether the caller may; otherwise it waits until something is there.
            if silent >= HEARTBEAT or not subscription or self._waits(name):
                messages = await self._pulled()
                yield {"received_messages": messages, "subscription_properties": properties(subscription)}
                silent = 0.0
            await asyncio.sleep(POLL)
            silent += POLL

    async def _pulled(self) -> list[Any]:
        pulled: Any = await self._session.call(
            "Pull", subscription=self._name, max_messages=MOST_MESSAGES, return_immediately=True
        )
        if pulled.received_messages and self._deadline:
            await self._modify([item.ack_id for item in pulled.received_messages], self._deadline)
        return list(pulled.received_messages)

    def _waits(self, name: str) -> bool:
        """Whether a message is due."""
        cloud = self._session.cloud
        now = cloud.clock.timestamp()
        entries = cloud.store.items(MESSAGES, f"{name}/messages")
        return any(not entry["acknowledged"] and entry["visible"] <= now for _, entry in entries)


def properties(subscription: dict[str, Any]) -> dict[str, bool]:
    """What a subscriber must know of its subscription."""
    return {
        "exactly_once_delivery_enabled": bool(subscription.get("enableExactlyOnceDelivery")),
        "message_ordering_enabled": bool(subscription.get("enableMessageOrdering")),
    }


async def pull(session: Session, incoming: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """``Subscriber.StreamingPull``."""
    first: Any = session.request(await anext(aiter(incoming), b""))
    pulling = Pulling(session, first)
    await pulling.carry_out(first)
    reader = asyncio.get_running_loop().create_task(pulling.take(incoming))
    response = session.descriptors.message(session.rpc.response)
    try:
        async for fields in pulling.give():
            yield response(**fields).SerializeToString()
            if reader.done() and (error := reader.exception()):
                raise error
    finally:
        reader.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await reader


async def tail(session: Session, incoming: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """``LoggingServiceV2.TailLogEntries``: the entries that arrive from now on.

    Source: https://docs.cloud.google.com/logging/docs/reference/v2/rpc/google.logging.v2 (read 2026-11).
    """
    first: Any = session.request(await anext(aiter(incoming), b""))
    response = session.descriptors.message(session.rpc.response)
    seen: set[str] | None = None
    while True:
        listed: Any = await session.call(
            "ListLogEntries",
            resource_names=list(first.resource_names),
            filter=first.filter,
            order_by="timestamp desc",
            page_size=1000,
        )
        fresh = [entry for entry in listed.entries if seen is not None and key(entry) not in seen]
        if fresh or seen is None:
            yield response(entries=fresh[::-1]).SerializeToString()
        seen = {key(entry) for entry in listed.entries}
        await asyncio.sleep(TAIL)


def key(entry: Any) -> str:
    """What makes an entry one."""
    return f"{entry.log_name} {entry.insert_id} {entry.timestamp.ToJsonString()}"


STREAMS: dict[str, Stream] = {
    "google.cloud.aiplatform.v1.PredictionService/StreamGenerateContent": generate,
    "google.logging.v2.LoggingServiceV2/TailLogEntries": tail,
    "google.pubsub.v1.Subscriber/StreamingPull": pull,
}
