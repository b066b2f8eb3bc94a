"""Kinds of Cloud Tasks' resources, and the refusal that both share."""

from __future__ import annotations

from sandbox.errors import NotFound

QUEUES = "cloudtasks.queues"
TASKS = "cloudtasks.tasks"


def no_queue(name: str) -> NotFound:
    """404 in Cloud Tasks' words."""
    return NotFound(f'queue "{name}" not found')
