"""The sandbox's time: real time plus an offset that may be moved forward and outlives a restart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.store import Store

KIND = "sandbox.clock"
NAME = "offset"


class Clock:
    """Wall clock with a movable offset.

    Args:
        store: where the offset is kept; without one it ends with the process.
    """

    def __init__(self, store: Store | None = None) -> None:
        self._store = store
        kept = store.get(KIND, NAME) if store else None
        self.offset = timedelta(seconds=kept["seconds"] if kept else 0)

    def now(self) -> datetime:
        """Current sandbox time, timezone-aware UTC."""
        return datetime.now(UTC) + self.offset

    def timestamp(self) -> str:
        """RFC 3339 with microseconds, as Google's newer APIs answer."""
        return self.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def timestamp_millis(self) -> str:
        """RFC 3339 with milliseconds, as Cloud Storage and projects answer."""
        return self.now().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"

    def advance(self, seconds: float) -> None:
        """Move forward; never back."""
        self.offset += timedelta(seconds=max(0.0, seconds))
        if self._store:
            self._store.put(KIND, NAME, {"seconds": self.offset.total_seconds()})

    def reset(self) -> None:
        """Back to real time."""
        self.offset = timedelta()
