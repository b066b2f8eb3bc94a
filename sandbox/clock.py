"""The sandbox's time: real time plus an offset that tests and lifecycle runs may move forward."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """Wall clock with a movable offset."""

    def __init__(self) -> None:
        self.offset = timedelta()

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
