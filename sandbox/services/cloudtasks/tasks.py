"""Tasks: enqueued, listed, deleted; ``dispatch`` sends them."""

from __future__ import annotations

import re
from typing import Any

from sandbox.call import Call
from sandbox.errors import AlreadyExists, InvalidArgument, NotFound
from sandbox.resources import Resource
from sandbox.runtime.outgoing import account_name
from sandbox.services.cloudtasks import dispatch
from sandbox.services.cloudtasks.names import TASKS
from sandbox.services.cloudtasks.queues import require_queue
from sandbox.services.registry import Handler

Document = dict[str, Any]

TASK_ID = re.compile(r"[a-zA-Z0-9_-]{1,500}")
DISPATCH_DEADLINE = "600s"


class Task(Resource):
    """A task."""

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
        require_act_as(call, task.get("httpRequest", {}))
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
        dispatch.wake(call.cloud, parent)
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


def require_act_as(call: Call, request: Document) -> None:
    """Whoever makes a task that calls in the name of an account must be allowed to act as it."""
    identity = request.get("oidcToken") or request.get("oauthToken") or {}
    if email := identity.get("serviceAccountEmail"):
        name = account_name(email, call.name.split("/")[1])
        call.cloud.permissions.require(call.principal, "iam.serviceAccounts.actAs", "iam", name)


def run(call: Call) -> Document:
    """``:run``: due now, whatever the schedule says."""
    task = call.cloud.store.get(TASKS, call.name)
    if task is None:
        raise Task().missing(call)
    due = {**task, "scheduleTime": call.cloud.clock.timestamp()}
    call.cloud.store.put(TASKS, call.name, due)
    dispatch.wake(call.cloud, call.name.rpartition("/tasks/")[0])
    return Task().shown(due, call.body.get("responseView", "BASIC"))


HANDLERS: dict[str, Handler] = {"cloudtasks.tasks.run": run}
