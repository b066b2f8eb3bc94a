"""Dispatching: a queue's tasks are sent when they are due, as fast as the queue's limits let them.

Headers, retries and limits: https://docs.cloud.google.com/tasks/docs/creating-http-target-tasks and
https://docs.cloud.google.com/tasks/docs/configuring-queues (read 2026-08).
"""

from __future__ import annotations

import asyncio
import base64
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from sandbox.runtime.background import woken
from sandbox.runtime.outgoing import Outcome, Outgoing, send
from sandbox.services.cloudtasks.names import QUEUES, TASKS

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]

STAMP = "%Y-%m-%dT%H:%M:%S.%fZ"
LONGEST_SLEEP = 60.0


def wake(cloud: Cloud, queue: str) -> None:
    """Let the queue's dispatcher look at its tasks."""
    cloud.background.wake(f"{QUEUES}/{queue}", partial(Dispatcher(cloud, queue).run))


def wake_all(cloud: Cloud) -> None:
    """Look at every queue: after a restart, and when the clock was moved."""
    for name in {name.rpartition("/tasks/")[0] for name, _ in cloud.store.items(TASKS)}:
        wake(cloud, name)


def seconds(duration: str) -> float:
    """Seconds of a duration such as ``0.100s``."""
    return float(duration.removesuffix("s"))


def backoff(retry: Document, attempts: int) -> float:
    """Seconds to wait after so many attempts: doubled a few times, then grown by the same step, up to a limit."""
    shortest, longest = seconds(retry["minBackoff"]), seconds(retry["maxBackoff"])
    doublings = int(retry["maxDoublings"])
    wait = shortest * 2.0 ** min(attempts - 1, doublings)
    if attempts - 1 > doublings:
        wait += shortest * 2.0**doublings * (attempts - 1 - doublings)
    return min(wait, longest)


class Dispatcher:
    """Sends the tasks of one queue.

    Dispatches a second are counted in a bucket that holds ``maxBurstSize`` and fills at ``maxDispatchesPerSecond``.
    """

    def __init__(self, cloud: Cloud, queue: str) -> None:
        self._cloud = cloud
        self._queue = queue
        self._running: dict[str, asyncio.Task[None]] = {}
        self._tokens = 0.0
        self._filled: float | None = None

    async def run(self, event: asyncio.Event) -> None:
        """Dispatch until no task is left."""
        try:
            while (queue := self._cloud.store.get(QUEUES, self._queue)) is not None:
                tasks = self._cloud.store.items(TASKS, f"{self._queue}/tasks")
                if not tasks and not self._running:
                    return
                wait = self._start(queue, tasks, event) if queue["state"] == "RUNNING" else LONGEST_SLEEP
                await woken(event, wait)
        finally:
            for task in self._running.values():
                task.cancel()

    def _start(self, queue: Document, tasks: list[tuple[str, Document]], event: asyncio.Event) -> float:
        """Start what is due; returns the seconds after which to look again."""
        limits, now = queue["rateLimits"], self._cloud.clock.now()
        self._fill(limits)
        wait = LONGEST_SLEEP
        for name, task in sorted(tasks, key=lambda entry: str(entry[1]["scheduleTime"])):
            if name in self._running:
                continue
            due = (datetime.fromisoformat(task["scheduleTime"]) - now).total_seconds()
            if due > 0:
                return min(wait, due)
            if len(self._running) >= int(limits["maxConcurrentDispatches"]):
                return wait
            if self._tokens < 1:
                return (1 - self._tokens) / float(limits["maxDispatchesPerSecond"])
            self._tokens -= 1
            self._running[name] = asyncio.get_running_loop().create_task(self._attempt(queue, name, task, event))
        return wait

    def _fill(self, limits: Document) -> None:
        now, most = time.monotonic(), float(limits["maxBurstSize"])
        passed = now - self._filled if self._filled is not None else most
        self._filled = now
        self._tokens = min(most, self._tokens + passed * float(limits["maxDispatchesPerSecond"]))

    async def _attempt(self, queue: Document, name: str, task: Document, event: asyncio.Event) -> None:
        try:
            started = self._cloud.clock.timestamp()
            outcome = await send(self._cloud, outgoing(self._queue, name, task))
            self._settle(queue, name, task, started, outcome)
        finally:
            del self._running[name]
            event.set()

    def _settle(self, queue: Document, name: str, task: Document, started: str, outcome: Outcome) -> None:
        """Forget a task that was accepted or has failed too often; schedule the others again."""
        store, clock = self._cloud.store, self._cloud.clock
        if store.get(TASKS, name) is None:
            return
        count = int(task.get("dispatchCount", 0)) + 1
        retry = queue["retryConfig"]
        if outcome.accepted or given_up(retry, task, count, clock.now()):
            store.delete(TASKS, name)
            return
        attempt = {"scheduleTime": task["scheduleTime"], "dispatchTime": started}
        answered = {**attempt, "responseTime": clock.timestamp(), "responseStatus": outcome.rpc_status()}
        again = clock.now() + timedelta(seconds=backoff(retry, count))
        changed = {
            **task,
            "dispatchCount": count,
            "responseCount": int(task.get("responseCount", 0)) + (0 if outcome.message else 1),
            "firstAttempt": task.get("firstAttempt", {"dispatchTime": started}),
            "lastAttempt": answered,
            "scheduleTime": again.astimezone(UTC).strftime(STAMP),
        }
        store.put(TASKS, name, changed)


def given_up(retry: Document, task: Document, count: int, now: datetime) -> bool:
    """Whether a task has had all its attempts, and all its time where that is limited."""
    most = int(retry["maxAttempts"])
    if most < 0 or count < most:
        return False
    limit = seconds(retry.get("maxRetryDuration", "0s"))
    first = task.get("firstAttempt", {}).get("dispatchTime")
    return not limit or first is None or now - datetime.fromisoformat(first) >= timedelta(seconds=limit)


def outgoing(queue: str, name: str, task: Document) -> Outgoing:
    """The request of a task; one for App Engine has an address that no sandbox answers."""
    request = task.get("httpRequest", {"url": "https://appengine.google.com/"})
    identity = request.get("oidcToken") or request.get("oauthToken") or {}
    due = datetime.fromisoformat(task["scheduleTime"]).timestamp()
    return Outgoing(
        service="cloudtasks",
        project=queue.split("/")[1],
        url=request["url"],
        verb=request.get("httpMethod", "POST"),
        headers={
            "Content-Type": "application/octet-stream",
            **request.get("headers", {}),
            "User-Agent": "Google-Cloud-Tasks",
            "X-CloudTasks-QueueName": queue.rpartition("/")[2],
            "X-CloudTasks-TaskName": name.rpartition("/")[2],
            "X-CloudTasks-TaskRetryCount": str(task.get("dispatchCount", 0)),
            "X-CloudTasks-TaskExecutionCount": str(task.get("responseCount", 0)),
            "X-CloudTasks-TaskETA": f"{due:.6f}",
        },
        content=base64.b64decode(request.get("body", "")),
        account=identity.get("serviceAccountEmail", ""),
        access="oauthToken" in request,
        audience=identity.get("audience", ""),
        seconds=seconds(task["dispatchDeadline"]),
    )
