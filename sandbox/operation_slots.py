"""Ids of long-running operations.

Every operation has an id of its own. In a sandbox for replayed recordings (``Settings.replaying``) an id is taken into
use again: recordings write one placeholder for all their operations, so that a replay which binds it once asks for the
first operation's id in place of every later one. There an id stays with its operation until the finished operation was
read, or until its resource is changed again; then the next operation of the same place takes it.
"""

from __future__ import annotations

from collections.abc import Callable

from sandbox.store import Store

SLOTS = "operations.slots"
LATEST = "operations.latest"
FREE = "operations.free"


class OperationSlots:
    """Which operation ids of a place are in use, and for what resource.

    Args:
        store: of the sandbox.
        reuse: see the module.
    """

    def __init__(self, store: Store, *, reuse: bool = False) -> None:
        self._store = store
        self._reuse = reuse
        self._running: set[str] = set()

    def claim(self, place: str, resource: str, make: Callable[[], str]) -> str:
        """An id for an operation that is about to begin.

        Args:
            place: where ids must differ, as ``compute/projects/p``.
            resource: full name of what the operation changes.
            make: gives a new id.
        """
        if not self._reuse:
            return make()
        identity = self._own(place, resource) or self._free(place) or make()
        self._store.put(SLOTS, identity, {"place": place, "resource": resource})
        self._store.put(LATEST, f"{place}/{resource}", {"id": identity})
        self._store.delete(FREE, f"{place}/{identity}")
        return identity

    def _own(self, place: str, resource: str) -> str | None:
        """The id of the resource's last operation, if that has ended and nothing else took it."""
        latest = self._store.get(LATEST, f"{place}/{resource}")
        if latest is None or latest["id"] in self._running:
            return None
        slot = self._store.get(SLOTS, latest["id"])
        return str(latest["id"]) if slot == {"place": place, "resource": resource} else None

    def _free(self, place: str) -> str | None:
        for name, _ in self._store.items(FREE, place):
            return name.rpartition("/")[2]
        return None

    def started(self, identity: str) -> None:
        """The operation goes on in the background."""
        self._running.add(identity)

    def ended(self, identity: str) -> None:
        """The background work is over."""
        self._running.discard(identity)

    def collected(self, identity: str) -> None:
        """Somebody has read the finished operation."""
        slot = self._store.get(SLOTS, identity) if self._reuse else None
        if slot and identity not in self._running:
            self._store.put(FREE, f"{slot['place']}/{identity}", {})
