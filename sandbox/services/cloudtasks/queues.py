"""Queues: their limits, their states, and the rest of a deleted name.

Defaults: https://docs.cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues (read 2026-08) and
recorded answers.
"""

from __future__ import annotations

import copy
import math
import re
from datetime import datetime, timedelta
from typing import Any

from sandbox.call import Call
from sandbox.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound
from sandbox.resources import Resource
from sandbox.services.cloudtasks import dispatch
from sandbox.services.cloudtasks.names import QUEUES, no_queue
from sandbox.services.registry import Handler

Document = dict[str, Any]

GRAVES = "cloudtasks.deletedQueues"
QUEUE_ID = re.compile(r"[a-zA-Z0-9-]{1,100}")

DISPATCHES_PER_SECOND = 500
CONCURRENT_DISPATCHES = 1000
SMALLEST_BURST = 10
DISPATCHES_PER_BURST = 5
RETRY = {"maxAttempts": 100, "minBackoff": "0.100s", "maxBackoff": "3600s", "maxDoublings": 16}
#: The name of a deleted queue stays taken: https://docs.cloud.google.com/tasks/docs/deleting-appengine-queues-tasks
NAME_REST = timedelta(days=3)


class Queue(Resource):
    """A queue. Create and update answer without its state, as recorded."""

    kind = QUEUES

    def new_name(self, call: Call) -> str:
        """The name comes whole in the body."""
        name = call.cloud.hierarchy.canonical(call.body.get("name", ""))
        parent, _, last = name.rpartition("/")
        if parent != call.name or not QUEUE_ID.fullmatch(last):
            raise InvalidArgument(
                f"Invalid resource field value in the request: Queue.name must be {call.name}/QUEUE_ID, the id 1 to "
                "100 letters, digits and hyphens."
            )
        deleted = call.cloud.store.get(GRAVES, name)
        if deleted and datetime.fromisoformat(deleted["time"]) + NAME_REST > call.cloud.clock.now():
            raise FailedPrecondition("The queue cannot be created because a queue with this name existed too recently.")
        return name

    def accept(self, call: Call) -> Document:
        """Burst size and routing host are described as the server's; it takes them all the same, as recorded."""
        return {key: copy.deepcopy(value) for key, value in call.body.items() if key not in {"state", "purgeTime"}}

    def prepare(self, call: Call, document: Document) -> None:
        """Limits and retries that the caller left open."""
        limits = document.setdefault("rateLimits", {})
        limits.setdefault("maxDispatchesPerSecond", DISPATCHES_PER_SECOND)
        limits.setdefault("maxConcurrentDispatches", CONCURRENT_DISPATCHES)
        burst = max(SMALLEST_BURST, math.ceil(limits["maxDispatchesPerSecond"] / DISPATCHES_PER_BURST))
        limits.setdefault("maxBurstSize", burst)
        document["retryConfig"] = {**RETRY, **document.get("retryConfig", {})}
        document["state"] = "RUNNING"

    def patch(self, call: Call) -> Document:
        """Update; a queue that is not there is created."""
        if call.cloud.store.get(QUEUES, call.name) is None:
            document = {**self.accept(call), "name": call.name}
            self.prepare(call, document)
            call.cloud.store.put(QUEUES, call.name, document)
            return self.view(call, document)
        answer = super().patch(call)
        return answer if isinstance(answer, dict) else {}

    def deleting(self, call: Call, document: Document) -> None:
        """Its tasks go with it; its name rests."""
        call.cloud.store.delete_below(call.name)
        call.cloud.store.put(GRAVES, call.name, {"time": call.cloud.clock.timestamp()})

    def view(self, call: Call, document: Document) -> Document:
        """State is part of reads only."""
        shown = super().view(call, document)
        if call.method.action in {"create", "patch"}:
            shown.pop("state", None)
        return shown

    def missing(self, call: Call) -> NotFound:
        """Names the queue."""
        return no_queue(call.name)

    def duplicate(self, call: Call, name: str) -> AlreadyExists:
        """A queue of that name exists."""
        return AlreadyExists("Queue already exists")


def pause(call: Call) -> Document:
    """``:pause``."""
    return set_state(call, "PAUSED")


def resume(call: Call) -> Document:
    """``:resume``."""
    return set_state(call, "RUNNING")


def set_state(call: Call, state: str) -> Document:
    """Keep and answer a queue in another state."""
    queue = require_queue(call, call.name)
    queue["state"] = state
    call.cloud.store.put(QUEUES, call.name, queue)
    dispatch.wake(call.cloud, call.name)
    return queue


def purge(call: Call) -> Document:
    """Delete all tasks."""
    queue = require_queue(call, call.name)
    call.cloud.store.delete_below(f"{call.name}/tasks")
    queue["purgeTime"] = call.cloud.clock.timestamp()
    call.cloud.store.put(QUEUES, call.name, queue)
    return queue


def require_queue(call: Call, name: str) -> Document:
    """The queue of that name.

    Raises:
        NotFound: there is none.
    """
    queue = call.cloud.store.get(QUEUES, name)
    if queue is None:
        raise no_queue(name)
    return queue


HANDLERS: dict[str, Handler] = {
    "cloudtasks.queues.pause": pause,
    "cloudtasks.queues.resume": resume,
    "cloudtasks.queues.purge": purge,
}
