"""Hands requests over to Cloud Tasks, which sends them back to the function when there is time.

The task carries no prompt: the request lies in the campaign's bucket, under the campaign's key, and the task names it.
Source: docs.cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks (read 2026-08).
"""

import asyncio
import base64
import json

from generation.connection import NoAnswer
from generation.errors import GenerationError, Reason
from generation.refusals import TASKS, Refusal, translate
from generation.settings import Settings
from generation.transport import Transport, unreachable

PATH = "/tasks"
SECONDS = 10.0
LONGEST_SECONDS = 1800
"""Cloud Tasks waits no longer for a handler."""
SHORTEST_SECONDS = 15


class Queue:
    """The campaign's queue."""

    def __init__(self, settings: Settings, transport: Transport) -> None:
        self._settings = settings
        self._transport = transport
        self._queue = settings.queue or ""

    async def add(self, name: str, url: str, *, seconds: int) -> None:
        """Have a request sent to the function.

        Args:
            name: of the object that holds the request.
            url: the function's own.
            seconds: the function takes for it at most.

        Raises:
            GenerationError: Cloud Tasks did not take it.
        """
        address = (self._settings.url or url).rstrip("/")
        task = {
            "httpRequest": {
                "url": f"{address}{PATH}",
                "httpMethod": "POST",
                "headers": {"Content-Type": "application/json"},
                "body": base64.b64encode(json.dumps({"request": name}).encode()).decode(),
                "oidcToken": {"serviceAccountEmail": self._settings.service_account, "audience": address},
            },
            "dispatchDeadline": f"{min(LONGEST_SECONDS, max(SHORTEST_SECONDS, seconds))}s",
        }
        body = json.dumps({"task": task}).encode()
        try:
            async with asyncio.timeout(SECONDS):
                answer = await self._transport.call(TASKS, "POST", f"/v2/{self._queue}/tasks", body=body)
        except TimeoutError:
            raise self._unreachable(NoAnswer("TimeoutError")) from None
        except NoAnswer as error:
            raise self._unreachable(error) from error
        if not answer.ok:
            refusal = Refusal(TASKS, answer.status, answer.json(), answer.headers, self._queue)
            raise translate(refusal, self._settings)

    @staticmethod
    def _unreachable(error: NoAnswer) -> GenerationError:
        return unreachable(Reason.QUEUE_UNAVAILABLE, TASKS, error, ", so the request is not queued")
