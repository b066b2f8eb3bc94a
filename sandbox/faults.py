"""Failures on demand: which calls, how often, and in which way they fail."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from sandbox.errors import BY_CODE, ApiError

Kind = Literal["error", "reset", "slow", "lost", "stale", "kill"]


class Fault(BaseModel):
    """A plan for the calls whose method id matches ``method``, a glob.

    Attributes:
        method: as ``storage.objects.*``; also ``run.invoke`` and ``storage.xml``.
        path: a glob as well, over the path as the request log shows it: ``*/projects/p/*`` spares all but one project.
        kind: ``error`` answers with an HTTP code; ``reset`` drops the connection before anything is done; ``slow``
            waits first; ``lost`` does the work, then drops the connection without an answer; ``stale`` answers a read
            from before the latest change; ``kill`` ends the sandbox's process as ``kill -9`` does.
        code: HTTP status of an error.
        message: the error's text.
        seconds: how long a slow answer is held back.
        after: a kill happens once the work is done, before the answer; otherwise before the work.
        skip: matching calls that pass unharmed first.
        count: calls that fail; 0 means without end.
        probability: of each matching call to fail.
        seed: makes the draws of ``probability`` repeatable.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: str = Field(min_length=1)
    path: str = Field(default="*", min_length=1)
    kind: Kind = "error"
    code: Literal[400, 401, 403, 404, 409, 412, 429, 500, 501, 503] = 503
    message: str = ""
    seconds: float = Field(default=1.0, ge=0, le=600)
    after: bool = False
    skip: int = Field(default=0, ge=0)
    count: int = Field(default=1, ge=0)
    probability: float = Field(default=1.0, gt=0, le=1)
    seed: int = 0


@dataclass
class Planned:
    """A fault with what is left of it.

    Attributes:
        id: by which it is taken back.
        happened: calls that failed by it.
    """

    id: str
    fault: Fault
    skip: int
    left: int
    happened: int = 0
    draws: random.Random = field(default_factory=random.Random, repr=False)

    def due(self) -> bool:
        """Whether this matching call fails; counts it."""
        if self.skip:
            self.skip -= 1
            return False
        if self.fault.probability < 1 and self.draws.random() >= self.fault.probability:
            return False
        self.happened += 1
        self.left -= 1
        return True

    @property
    def spent(self) -> bool:
        """Nothing is left of it."""
        return self.fault.count > 0 and self.left <= 0

    def document(self) -> dict[str, Any]:
        """As JSON."""
        left = self.left if self.fault.count else None
        return {"id": self.id, **self.fault.model_dump(), "skip": self.skip, "left": left, "happened": self.happened}


class ConnectionDropped(Exception):
    """The answer that never comes: the application drops the connection."""


class Faults:
    """The faults that are still to happen, oldest first.

    Attributes:
        remember: called when a stale read is planned, so that the store keeps what changes replace.
        file: where a process that kills itself by a fault leaves the others to the next one; None to forget them.
    """

    def __init__(self, remember: Callable[[], None] = lambda: None, file: Path | None = None) -> None:
        self.pending: list[Planned] = []
        self.remember = remember
        self.file = file
        self._number = 0
        if file and file.exists():
            for left in json.loads(file.read_text()):
                self.add(Fault.model_validate(left))
            file.unlink()

    def add(self, fault: Fault) -> Planned:
        """Plan a fault."""
        self._number += 1
        # Repeatable draws for tests; nothing secret hangs on them.
        draws = random.Random(fault.seed)  # noqa: S311
        planned = Planned(f"f{self._number}", fault, fault.skip, fault.count, draws=draws)
        self.pending.append(planned)
        if fault.kind == "stale":
            self.remember()
        return planned

    def leave(self) -> None:
        """Write down what is left of the plan, for the process that comes after a kill."""
        if self.file:
            plans = [
                {**one.fault.model_dump(), "skip": one.skip, "count": one.left if one.fault.count else 0}
                for one in self.pending
            ]
            self.file.write_text(json.dumps(plans))

    def remove(self, wanted: str = "") -> None:
        """Take one back by its id, or all."""
        self.pending = [planned for planned in self.pending if wanted and planned.id != wanted]

    def take(self, *names: str, path: str = "", read: bool = True) -> Fault | None:
        """The fault due for a call, counted down.

        Args:
            names: every id by which a plan may name the method.
            path: of the request.
            read: the call changes nothing; only such calls can be stale.
        """
        for planned in self.pending:
            fault = planned.fault
            if (fault.kind == "stale" and not read) or not fnmatchcase(path, fault.path):
                continue
            if any(fnmatchcase(name, fault.method) for name in names) and planned.due():
                if planned.spent:
                    self.pending.remove(planned)
                if fault.kind == "kill":
                    self.leave()
                return fault
        return None


async def begin(fault: Fault | None, label: str) -> None:
    """What happens before the work.

    Raises:
        ApiError: the error that was asked for.
        ConnectionDropped: the caller gets no answer.
    """
    if fault is None:
        return
    if fault.kind == "error":
        raise injected(fault, label)
    if fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
    if fault.kind == "reset":
        raise ConnectionDropped
    if fault.kind == "kill" and not fault.after:
        kill()


def end(fault: Fault | None) -> None:
    """What happens once the work is done and kept.

    Raises:
        ConnectionDropped: the caller gets no answer.
    """
    if fault is None:
        return
    if fault.kind == "lost":
        raise ConnectionDropped
    if fault.kind == "kill" and fault.after:
        kill()


def injected(fault: Fault, label: str) -> ApiError:
    """The error that a plan asks for."""
    return BY_CODE[fault.code](fault.message or f"Injected fault {fault.code} for {label}.")


def kill() -> None:
    """End this process as ``kill -9`` does: nothing is written back, nobody is told."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)  # the signal arrives before this line ends
