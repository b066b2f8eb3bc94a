"""Stops asking a model that fails all the time, and tries again with one call."""

import time
from collections.abc import Callable

from generation.errors import GenerationError, Reason, failure

FAILURES = 20
REST_SECONDS = 5.0
LONGEST_REST_SECONDS = 60.0


class Breaker:
    """The circuit breaker of one model at one location.

    Args:
        model: whose.
        failures: in a row, after which it opens.
        rest: seconds until the first try; doubled while tries fail.
        clock: seconds.
    """

    def __init__(
        self,
        model: str,
        *,
        failures: int = FAILURES,
        rest: float = REST_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._model = model
        self._most = failures
        self._first_rest = rest
        self._rest = rest
        self._clock = clock
        self._failures = 0
        self._opened: float | None = None
        self._trying = False

    def enter(self) -> None:
        """Let a call through.

        Raises:
            TemporaryFailure: MODEL_PAUSED, the model rests.
        """
        if self._opened is None:
            return
        left = self._opened + self._rest - self._clock()
        if left > 0 or self._trying:
            raise failure(
                Reason.MODEL_PAUSED,
                f"{self._model} failed {self._failures} times in a row, so it is not asked for a while",
                hint="Wait, or name a model in fallback; see https://status.cloud.google.com",
                retry_after=max(1.0, left),
            )
        self._trying = True

    def succeeded(self) -> None:
        """A call was answered, whatever the answer."""
        self._failures = 0
        self._opened = None
        self._trying = False
        self._rest = self._first_rest

    def failed(self, error: BaseException) -> None:
        """A call failed."""
        if not isinstance(error, GenerationError):
            self._trying = False  # given up by the caller: it says nothing of the model
            return
        if error.reason is not Reason.MODEL_UNAVAILABLE:
            self.succeeded()
            return
        self._failures += 1
        if self._trying:
            self._rest = min(LONGEST_REST_SECONDS, self._rest * 2)
        if self._trying or self._failures >= self._most:
            self._opened = self._clock()
        self._trying = False
