"""Cloud Tasks: queues with their limits, and the tasks that wait in them.

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
from sandbox.services import locations
from sandbox.services.registry import Service

Document = dict[str, Any]

QUEUES = "cloudtasks.queues"
TASKS = "cloudtasks.tasks"
GRAVES = "cloudtasks.deletedQueues"
QUEUE_ID = re.compile(r"[a-zA-Z0-9-]{1,100}")
TASK_ID = re.compile(r"[a-zA-Z0-9_-]{1,500}")

DISPATCHES_PER_SECOND = 500
CONCURRENT_DISPATCHES = 1000
SMALLEST_BURST = 10
DISPATCHES_PER_BURST = 5
RETRY = {"maxAttempts": 100, "minBackoff": "0.100s", "maxBackoff": "3600s", "maxDoublings": 16}
DISPATCH_DEADLINE = "600s"
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


def no_queue(name: str) -> NotFound:
    """404 in Cloud Tasks' words."""
    return NotFound(f'queue "{name}" not found')


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


class Task(Resource):
    """A task. It waits: nothing dispatches it."""

    kind = TASKS

    def create(self, call: Call) -> Document:
        """Enqueue."""
        parent = call.name.rpartition("/")[0]
        require_queue(call, parent)
        task = dict(call.body.get("task", {}))
        if not (task.get("httpRequest", {}).get("url") or "appEngineHttpRequest" in task):
            raise InvalidArgument("Task.message_type must be set: give httpRequest.url.")
        given = task.get("name", "").rpartition("/")[2]
        if given and not TASK_ID.fullmatch(given):
            raise InvalidArgument(f'Task name must be formatted: "{parent}/tasks/TASK_ID".')
        name = f"{parent}/tasks/{given or call.cloud.identifiers.number('tasks', 20)}"
        if call.cloud.store.get(TASKS, name):
            raise AlreadyExists("Requested entity already exists")
        now = call.cloud.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        task.pop("view", None)
        stored = {
            **task,
            "name": name,
            "createTime": now,
            "scheduleTime": task.get("scheduleTime", call.cloud.clock.timestamp()),
            "dispatchDeadline": task.get("dispatchDeadline", DISPATCH_DEADLINE),
        }
        if request := stored.get("httpRequest"):
            stored["httpRequest"] = {"httpMethod": "POST", **request}
        call.cloud.store.put(TASKS, name, stored)
        return self.shown(stored, call.body.get("responseView", "BASIC"))

    def shown(self, task: Document, view: str) -> Document:
        """Without its body unless the whole is asked for."""
        shown = {**task, "view": "FULL" if view == "FULL" else "BASIC"}
        if view != "FULL" and "httpRequest" in shown:
            shown["httpRequest"] = {k: v for k, v in shown["httpRequest"].items() if k != "body"}
        return shown

    def view(self, call: Call, document: Document) -> Document:
        """As the ``responseView`` parameter asks."""
        return self.shown(document, call.query.get("responseView", "BASIC"))

    def missing(self, call: Call) -> NotFound:
        """The task does not exist, or did."""
        return NotFound("The task no longer exists, though a task with this name existed recently.")


SERVICE = Service(
    name="cloudtasks",
    title="Cloud Tasks API",
    prefix="google.cloud.tasks.v2",
    resources=(Queue, Task),
    handlers={
        **locations.handlers("cloudtasks", locations.REGIONS),
        "cloudtasks.queues.pause": pause,
        "cloudtasks.queues.resume": resume,
        "cloudtasks.queues.purge": purge,
    },
)
