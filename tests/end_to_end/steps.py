"""What a deployment was put through, step by step: how long each took, and whether it did what it should."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

PASSED, FAILED = "passed", "failed"


@dataclass(frozen=True)
class Step:
    """One step of one shape.

    Attributes:
        shape: what was deployed.
        step: what was done with it.
        seconds: how long it took.
        verdict: ``passed`` or ``failed``.
        reason: why it failed; empty when it did not.
    """

    shape: str
    step: str
    seconds: float
    verdict: str
    reason: str = ""


@dataclass
class Steps:
    """Records the steps of one shape.

    Attributes:
        shape: its name.
        told: called with each step when it has ended.
        taken: the steps so far.
    """

    shape: str
    told: Callable[[Step], None] = lambda _: None
    taken: list[Step] = field(default_factory=list)

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Record what happens inside; a failure is recorded and passed on, because what follows rests on it."""
        begun = time.monotonic()
        try:
            yield
        except Exception as error:
            self._end(name, begun, FAILED, f"{type(error).__name__}: {error}"[-2000:])
            raise
        self._end(name, begun, PASSED, "")

    def _end(self, name: str, begun: float, verdict: str, reason: str) -> None:
        step = Step(self.shape, name, round(time.monotonic() - begun, 1), verdict, reason)
        self.taken.append(step)
        self.told(step)
