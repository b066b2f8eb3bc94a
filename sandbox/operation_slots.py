"""Ids of long-running operations.

Google gives every operation an id of its own. So does a strict sandbox (``Settings.strict``). Otherwise the id of an
operation that was finished in the very answer that named it may serve again: once somebody has read that operation, for
the next one of the same place, the one that was read last first; and for the next change of the same resource. Its
caller had the outcome in hand, so nobody waits for it. Recorded traffic needs that: recorders write one placeholder for
all operations, and who binds it once names and asks for the first operation's id where a later one was meant. An
operation that goes on in the background keeps its id for ever, one whose failure shows when it is read keeps it until
then.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

#: Operations whose ids may still serve again; older ones keep theirs. In memory only, as is all of this.
REMEMBERED = 4096

Slot = tuple[str, str]


class OperationSlots:
    """Which ids are whose.

    Args:
        strict: see the module.
    """

    def __init__(self, *, strict: bool = False) -> None:
        self._strict = strict
        self._slots: OrderedDict[str, Slot] = OrderedDict()
        self._latest: dict[Slot, str] = {}
        self._free: dict[str, dict[str, None]] = {}

    def claim(self, place: str, resource: str, make: Callable[[], str]) -> str:
        """An id for an operation that is about to begin.

        Args:
            place: where ids must differ, as ``compute/projects/p``.
            resource: full name of what the operation changes.
            make: gives a new id.
        """
        if self._strict:
            return make()
        slot = (place, resource)
        identity = next(reversed(self._free.get(place, {})), None) or self._latest.get(slot) or make()
        self._drop(identity)
        self._slots[identity] = slot
        self._latest[slot] = identity
        if len(self._slots) > REMEMBERED:
            self._drop(next(iter(self._slots)))
        return identity

    def goes_on(self, identity: str) -> None:
        """The operation was not finished in its first answer: its id never serves again."""
        self._drop(identity)

    def to_be_read(self, identity: str) -> None:
        """The operation's end is not in its first answer: its id serves again once that was read."""
        if slot := self._slots.get(identity):
            self._latest.pop(slot, None)

    def collected(self, identity: str) -> None:
        """Somebody has read the finished operation."""
        if slot := self._slots.get(identity):
            waiting = self._free.setdefault(slot[0], {})
            waiting.pop(identity, None)
            waiting[identity] = None

    def _drop(self, identity: str) -> None:
        if slot := self._slots.pop(identity, None):
            if self._latest.get(slot) == identity:
                del self._latest[slot]
            waiting = self._free.get(slot[0], {})
            waiting.pop(identity, None)
            if not waiting:
                self._free.pop(slot[0], None)
