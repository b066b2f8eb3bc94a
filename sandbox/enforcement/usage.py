"""Which grants were used: every permission that was held, by which bindings, and for what.

Off until asked for, because all bindings of a caller are then looked at instead of the first that fits. What was
recorded lives in memory: it says what a piece of work needed, and is of no use after the next one.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

Document = dict[str, Any]

#: What is going on: the method that was called, with the work that it set off in the background.
STEP: ContextVar[str] = ContextVar("step", default="background")

#: Different checks that are kept; what comes later is only counted.
CAPACITY = 200_000

#: Asking what one may do needs nothing.
QUESTIONS = ("testIamPermissions",)


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """Why a permission is held.

    Attributes:
        role: the role that holds it.
        member: whom the binding names: the caller, or a group or domain of the caller's.
        resource: full name of the resource that has the binding.
        condition: title of the binding's condition; empty without one.
    """

    role: str
    member: str
    resource: str
    condition: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was needed.

    Attributes:
        principal: who needed it.
        permission: what.
        resource: full name of the resource it was needed on.
        step: for what.
        grants: every binding that gave it, nearest first; without any one of several, the others do.
    """

    principal: str
    permission: str
    resource: str
    step: str
    grants: tuple[Grant, ...]


class Usage:
    """The checks since recording began.

    Attributes:
        recording: whether they are kept.
        dropped: how many different ones there was no room for.
    """

    def __init__(self) -> None:
        self.recording = False
        self.dropped = 0
        self._counts: dict[Check, int] = {}

    def start(self) -> None:
        """Forget what was recorded and record from now on."""
        self.recording, self.dropped = True, 0
        self._counts.clear()

    def stop(self) -> None:
        """Keep what was recorded, record no more."""
        self.recording = False

    def add(self, principal: str, permission: str, resource: str, grants: Sequence[Grant]) -> None:
        """Keep one check that succeeded."""
        step = STEP.get()
        if step.endswith(QUESTIONS):
            return
        check = Check(principal, permission, resource, step, tuple(grants))
        if check not in self._counts and len(self._counts) >= CAPACITY:
            self.dropped += 1
            return
        self._counts[check] = self._counts.get(check, 0) + 1

    def document(self) -> Document:
        """As JSON: the checks in the order in which they first came, with how often."""
        checks = [{**asdict(check), "count": count} for check, count in self._counts.items()]
        return {"recording": self.recording, "dropped": self.dropped, "checks": checks}
