"""A ceiling of images a minute, shared fairly between callers. Each server process counts its part for itself."""

import time
from collections import deque
from collections.abc import Callable

from generation.errors import Reason, failure

WINDOW_SECONDS = 60.0
OPEN_SHARE = 0.9
"""Beyond its fair part a caller gets only what lies below this share, so that a newcomer finds room."""


class Rate:
    """Images of the last minute, by caller.

    Args:
        most: images a minute.
        clock: seconds.
    """

    def __init__(self, most: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._taken: deque[tuple[float, str, int]] = deque()
        self._by_caller: dict[str, int] = {}
        self._total = 0

    def take(self, caller: str, count: int) -> None:
        """Count images that are to be made.

        Raises:
            QuotaExhausted: RATE_EXCEEDED.
        """
        now = self._clock()
        self._forget(now)
        own = self._by_caller.get(caller, 0)
        fair = self._most / (len(self._by_caller) + (own == 0))
        open_part = self._most if len(self._by_caller) <= (own > 0) else self._most * OPEN_SHARE
        within = self._total + count <= (self._most if own + count <= fair else open_part)
        if not within and self._total:
            oldest = self._taken[0][0]
            raise failure(
                Reason.RATE_EXCEEDED,
                f"The ceiling of {self._most} images a minute is reached",
                hint="Wait, ask with async, or raise capacity.imagesPerMinute of the campaign: pulumi up",
                retry_after=max(1.0, oldest + WINDOW_SECONDS - now),
            )
        self._taken.append((now, caller, count))
        self._by_caller[caller] = own + count
        self._total += count

    def _forget(self, now: float) -> None:
        while self._taken and self._taken[0][0] <= now - WINDOW_SECONDS:
            _, caller, count = self._taken.popleft()
            self._total -= count
            left = self._by_caller[caller] - count
            if left:
                self._by_caller[caller] = left
            else:
                del self._by_caller[caller]
