"""How often and how patiently the model is asked again."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from generation.errors import GenerationError, Reason

T = TypeVar("T")
FINAL = {
    Reason.DEADLINE_EXCEEDED,
    Reason.MODEL_FAILED,
    Reason.MODEL_PAUSED,
    Reason.BUDGET_EXCEEDED,
    Reason.INSTANCE_STOPPING,
}
"""A second try within the same request would take as long again, or draw the same answer."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Exponential backoff with jitter, never beyond a deadline.

    Attributes:
        attempts: most calls, the first included.
        first_delay: seconds before the second call.
        longest_delay: seconds that a delay never exceeds, unless Google asks for more.
        shortest_call: seconds a call needs to make sense; with less time left it is not tried.
    """

    attempts: int = 5
    first_delay: float = 1.0
    longest_delay: float = 32.0
    shortest_call: float = 1.0

    def delay(self, failed: int) -> float:
        """Seconds to wait after so many failed calls: any part of the full delay, which spreads load best."""
        full = min(self.longest_delay, self.first_delay * 2.0 ** (failed - 1))
        return full * random.random()  # noqa: S311 -- spreads load, protects nothing


class RetryBudget:
    """Keeps retries from multiplying the load when most calls fail: each call earns a part of a retry.

    Args:
        ratio: retries that one call earns.
        reserve: retries that may be made without any; also the most that are saved up beyond them.
    """

    def __init__(self, ratio: float = 0.2, reserve: float = 20.0) -> None:
        self._ratio = ratio
        self._most = reserve
        self._left = reserve

    def earn(self) -> None:
        """A first call was made."""
        self._left = min(self._most, self._left + self._ratio)

    def spend(self) -> bool:
        """Whether a retry may be made now."""
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


async def patiently(
    call: Callable[[float], Awaitable[T]],
    *,
    deadline: float,
    policy: Policy,
    budget: RetryBudget | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> tuple[T, int]:
    """The result of a call, and how many calls it took.

    Args:
        call: takes the seconds that are left.
        deadline: on the clock of `time.monotonic`.
        policy: when to give up.
        budget: shared by all that call the same thing.
        sleep: waits.

    Raises:
        GenerationError: the last failure; its `attempts` says how many there were.
    """
    failed = 0
    if budget is not None:
        budget.earn()
    while True:
        try:
            return await call(max(0.001, deadline - time.monotonic())), failed + 1
        except GenerationError as error:
            failed += 1
            error.attempts = failed
            if not error.may_succeed_later or error.reason in FINAL or failed >= policy.attempts:
                raise
            wait = max(policy.delay(failed), error.asked_wait or 0.0)
            if time.monotonic() + wait + policy.shortest_call > deadline:
                raise
            if budget is not None and not budget.spend():
                raise
        await sleep(wait)
