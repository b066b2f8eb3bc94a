"""Cloud Tasks: queues with their limits, and tasks that are dispatched."""

from __future__ import annotations

from sandbox.services import locations
from sandbox.services.cloudtasks import dispatch, queues, tasks
from sandbox.services.registry import Service

SERVICE = Service(
    name="cloudtasks",
    title="Cloud Tasks API",
    prefix="google.cloud.tasks.v2",
    resources=(queues.Queue, tasks.Task),
    handlers={**locations.handlers("cloudtasks", locations.REGIONS), **queues.HANDLERS, **tasks.HANDLERS},
    tick=dispatch.wake_all,
    resume=dispatch.wake_all,
)
