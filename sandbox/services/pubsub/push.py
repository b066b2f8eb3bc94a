"""Push subscriptions: each message is sent to the endpoint until it is accepted.

Format, acknowledging statuses and retries: https://docs.cloud.google.com/pubsub/docs/push (read 2026-08).
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from sandbox.runtime.background import woken
from sandbox.runtime.outgoing import Outcome, Outgoing, send
from sandbox.services.pubsub import cloud_events
from sandbox.services.pubsub.names import MESSAGES, SUBSCRIPTIONS, seconds

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]
#: What becomes of a message that was refused too often: sandbox, topic of dead letters, message.
Bury = Callable[["Cloud", str, Document], None]

ACCEPTED = {102, 200, 201, 202, 204}
SHORTEST_WAIT, LONGEST_WAIT = 0.1, 60.0
MOST_AT_ONCE = 100
LONGEST_SLEEP = 60.0


def wake(cloud: Cloud, subscription: Document, bury: Bury) -> None:
    """Let the pusher of a push subscription look at its messages; ``bury`` takes those that nobody accepts."""
    if endpoint(subscription):
        name = subscription["name"]
        cloud.background.wake(f"{SUBSCRIPTIONS}/{name}", partial(run, cloud, name, bury))


def endpoint(subscription: Document) -> str:
    """Where a subscription's messages go; empty for one that is pulled."""
    found: str = subscription.get("pushConfig", {}).get("pushEndpoint", "")
    return found


async def run(cloud: Cloud, name: str, bury: Bury, event: asyncio.Event) -> None:
    """Push until nothing waits."""
    running: dict[str, asyncio.Task[None]] = {}

    async def attempt(place: str, subscription: Document, entry: Document) -> None:
        try:
            outcome = await send(cloud, outgoing(subscription, entry))
            settle(cloud, subscription, place, entry, outcome, bury)
        finally:
            del running[place]
            event.set()

    try:
        while (subscription := cloud.store.get(SUBSCRIPTIONS, name)) and endpoint(subscription):
            now, wait = cloud.clock.now(), LONGEST_SLEEP
            entries = [e for e in cloud.store.items(MESSAGES, f"{name}/messages") if not e[1]["acknowledged"]]
            if not entries:
                return
            for place, entry in entries:
                due = (datetime.fromisoformat(entry["visible"]) - now).total_seconds() if entry["visible"] else 0.0
                if due > 0:
                    wait = min(wait, due)
                elif place not in running and len(running) < MOST_AT_ONCE:
                    running[place] = asyncio.get_running_loop().create_task(attempt(place, subscription, entry))
            await woken(event, wait)
    finally:
        for task in running.values():
            task.cancel()


def settle(cloud: Cloud, subscription: Document, place: str, entry: Document, outcome: Outcome, bury: Bury) -> None:
    """Acknowledge what was accepted; send the rest again later, or to the dead letters."""
    store = cloud.store
    if store.get(MESSAGES, place) is None:
        return
    attempts = int(entry["attempts"]) + 1
    if outcome.status in ACCEPTED:
        if subscription.get("retainAckedMessages"):
            store.put(MESSAGES, place, {**entry, "attempts": attempts, "acknowledged": True})
        else:
            store.delete(MESSAGES, place)
        return
    if subscription.get("_event", {}).get("once"):
        store.delete(MESSAGES, place)
        return
    policy = subscription.get("retryPolicy", {})
    shortest = float(seconds(policy["minimumBackoff"])) if "minimumBackoff" in policy else SHORTEST_WAIT
    longest = float(seconds(policy["maximumBackoff"])) if "maximumBackoff" in policy else LONGEST_WAIT
    again = cloud.clock.now() + timedelta(seconds=min(longest, shortest * 2.0 ** (attempts - 1)))
    failed = {**entry, "attempts": attempts, "visible": again.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}
    store.put(MESSAGES, place, failed)
    if (dead := subscription.get("deadLetterPolicy")) and attempts >= dead["maxDeliveryAttempts"]:
        store.delete(MESSAGES, place)
        bury(cloud, dead["deadLetterTopic"], entry["message"])


def outgoing(subscription: Document, entry: Document) -> Outgoing:
    """The request that carries a message, wrapped in JSON or as it is."""
    config, message = subscription["pushConfig"], entry["message"]
    identity = config.get("oidcToken", {})
    headers = {"User-Agent": "CloudPubSub-Google", "From": "noreply@google.com"}
    if "_event" in subscription:
        event_headers, content = cloud_events.event(subscription, message)
        headers |= event_headers
    elif "noWrapper" in config:
        content = base64.b64decode(message.get("data", ""))
        if config["noWrapper"].get("writeMetadata"):
            headers |= {f"x-goog-pubsub-{key}": value for key, value in message.get("attributes", {}).items()}
            headers["x-goog-pubsub-message-id"] = message["messageId"]
    else:
        both = {"message_id": message["messageId"], "publish_time": message["publishTime"]}
        wrapped: Document = {"message": {**message, **both}, "subscription": subscription["name"]}
        if "deadLetterPolicy" in subscription:
            wrapped["deliveryAttempt"] = int(entry["attempts"]) + 1
        content = json.dumps(wrapped).encode()
        headers["Content-Type"] = "application/json"
    return Outgoing(
        service="pubsub",
        project=subscription["name"].split("/")[1],
        url=config["pushEndpoint"],
        headers=headers,
        content=content,
        account=identity.get("serviceAccountEmail", ""),
        audience=identity.get("audience", ""),
        seconds=float(subscription["ackDeadlineSeconds"]),
    )
