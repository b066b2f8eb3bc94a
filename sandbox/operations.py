"""Long-running operations: kept across restarts, finished at once unless work goes on in the background."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from sandbox.errors import ApiError, Internal
from sandbox.operation_slots import OperationSlots
from sandbox.store import Store

Document = dict[str, Any]
Work = Callable[[], Awaitable[Document]]

INTERRUPTED = 1  # google.rpc.Code.CANCELLED

#: Finished operations that outlive a restart, of each service. Google forgets them after some weeks.
KEPT = 2000


class Operations:
    """The registry of ``google.longrunning.Operation`` documents, by service and name."""

    def __init__(self, store: Store, *, strict: bool = False) -> None:
        self._store = store
        self.slots = OperationSlots(strict=strict)
        self._tasks: set[asyncio.Task[None]] = set()

    def finished(self, service: str, name: str, response: Document, metadata: Document | None = None) -> Document:
        """An operation that is done already."""
        operation = {"name": name, **({"metadata": metadata} if metadata else {}), "done": True, "response": response}
        self._store.put(f"{service}.operations", name, operation)
        return operation

    def failed(self, service: str, name: str, error: ApiError, metadata: Document | None = None) -> Document:
        """An operation that has ended with an error already; its caller learns of it by asking for the operation."""
        status = {"code": GRPC_CODES.get(error.status, 2), "message": error.message}
        head = {"name": name, **({"metadata": metadata} if metadata else {})}
        self._store.put(f"{service}.operations", name, {**head, "done": True, "error": status})
        self.slots.to_be_read(name.rpartition("/")[2])
        return head

    def background(self, service: str, name: str, work: Work, metadata: Document | None = None) -> Document:
        """An operation whose ``work`` runs on the event loop; its result or failure ends the operation."""
        operation = {"name": name, **({"metadata": metadata} if metadata else {}), "done": False}
        self._store.put(f"{service}.operations", name, operation)
        self.slots.goes_on(name.rpartition("/")[2])
        task = asyncio.get_running_loop().create_task(self._run(service, name, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return operation

    async def _run(self, service: str, name: str, work: Work) -> None:
        operation = self._store.get(f"{service}.operations", name) or {"name": name}
        try:
            operation["response"] = await work()
        except ApiError as error:
            operation["error"] = {"code": GRPC_CODES.get(error.status, 2), "message": error.message}
            if error.details:
                operation["error"]["details"] = error.details
        except Exception as error:  # noqa: BLE001 -- a defect must end the operation, or its caller polls for ever
            operation["error"] = {"code": 13, "message": Internal(f"{type(error).__name__}: {error}").message}
        operation["done"] = True
        self._store.put(f"{service}.operations", name, operation)

    def get(self, service: str, name: str) -> Document | None:
        """The operation of that name."""
        return self._store.get(f"{service}.operations", name)

    def collect(self, service: str, name: str) -> Document | None:
        """The operation for a caller who waits for it: read as done, it may make room for another."""
        operation = self.get(service, name)
        if operation and operation.get("done"):
            self.slots.collected(name.rpartition("/")[2])
        return operation

    def interrupt(self) -> None:
        """At a start: forget the oldest operations, end what a killed process left unfinished."""
        for kind in [kind for kind in self._store.kinds() if kind.endswith(".operations")]:
            self._store.keep_latest(kind, KEPT)
            for name, operation in self._store.items(kind):
                if operation.get("done") is False:
                    operation["done"] = True
                    operation["error"] = {"code": INTERRUPTED, "message": "The sandbox was stopped meanwhile."}
                    self._store.put(kind, name, operation)

    async def close(self) -> None:
        """Cancel background work and wait for its end."""
        for task in list(self._tasks):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


GRPC_CODES = {
    "INVALID_ARGUMENT": 3,
    "NOT_FOUND": 5,
    "ALREADY_EXISTS": 6,
    "PERMISSION_DENIED": 7,
    "RESOURCE_EXHAUSTED": 8,
    "FAILED_PRECONDITION": 9,
    "ABORTED": 10,
    "UNIMPLEMENTED": 12,
    "INTERNAL": 13,
    "UNAVAILABLE": 14,
    "UNAUTHENTICATED": 16,
}
