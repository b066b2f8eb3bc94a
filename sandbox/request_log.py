"""The last requests, and every method that was asked for and is not emulated."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import asdict, dataclass
from typing import Any

CAPACITY = 5000


@dataclass(frozen=True, slots=True)
class Entry:
    """One answered request. ``milliseconds`` is the sandbox's own time, ``denial`` names a refusal's explanation."""

    time: str
    verb: str
    host: str
    path: str
    method: str
    principal: str
    network: str | None
    status: int
    milliseconds: float
    note: str = ""
    denial: str = ""


class RequestLog:
    """A bounded log in memory; counts cover the whole life of the process."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=CAPACITY)
        self.statuses: Counter[int] = Counter()
        self.methods: Counter[str] = Counter()
        self.not_emulated: Counter[str] = Counter()
        self.refused_hosts: Counter[str] = Counter()
        self.milliseconds = 0.0
        #: Seconds spent on building and starting functions, in the background.
        self.deployment_seconds = 0.0
        #: Tracebacks of the sandbox's own defects, never shown to callers.
        self.defects: deque[str] = deque(maxlen=20)

    def add(self, entry: Entry) -> None:
        """Append one entry."""
        self._entries.append(entry)
        self.statuses[entry.status] += 1
        self.methods[entry.method] += 1
        self.milliseconds += entry.milliseconds
        if entry.status == 501:  # noqa: PLR2004 -- NotEmulated
            self.not_emulated[entry.method] += 1

    def clear(self) -> None:
        """Forget every entry and start all counts anew."""
        self.__init__()  # type: ignore[misc]  # the same object: others hold it

    def last(self, count: int) -> list[dict[str, Any]]:
        """The newest entries, oldest of them first."""
        return [asdict(entry) for entry in list(self._entries)[-count:]]
