"""Eventual consistency: what was just made is seen later, as with Google.

Source: https://docs.cloud.google.com/iam/docs/access-change-propagation (read 2026-08): grants take up to minutes, new
service accounts and enabled APIs too. The sandbox shows every change at once unless told otherwise. One lag is always
there, because it is the same each time: who asked for a thing in vain and then makes it, misses it once more where the
service remembers what is not there (recorded answers of Pub/Sub, 2026-08).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import BaseModel, ConfigDict, Field

from sandbox.clock import Clock

#: Seconds for which an absence is remembered, before and after the thing is made.
ABSENCE = 10.0
#: Absences that are remembered at a time.
ABSENCES = 256


class Lag(BaseModel):
    """How far views lie behind.

    Attributes:
        identities: reads of a new service account or agent that still miss it.
        grants: permission checks that still see the policy from before a change.
        services: seconds until an enabled API answers.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    identities: int = Field(default=0, ge=0, le=1000)
    grants: int = Field(default=0, ge=0, le=1000)
    services: float = Field(default=0.0, ge=0, le=3600)


class Consistency:
    """What is not visible yet. In memory only: a restart shows everything."""

    def __init__(self, clock: Clock) -> None:
        self.lag = Lag()
        self._clock = clock
        self._reads: dict[str, int] = {}
        self._policies: dict[str, tuple[int, dict[str, object] | None]] = {}
        self._services: dict[str, float] = {}
        self._sought: OrderedDict[str, float] = OrderedDict()
        self._unseen: dict[str, float] = {}

    def set(self, lag: Lag) -> None:
        """Change the lag of what comes; without any, everything is visible at once."""
        self.lag = lag
        if lag == Lag():
            self._reads.clear()
            self._policies.clear()
            self._services.clear()

    def made_identity(self, email: str) -> None:
        """An account or agent came into being."""
        if self.lag.identities:
            self._reads[email] = self.lag.identities

    @contextmanager
    def seen(self, email: str) -> Iterator[None]:
        """Inside, an account is there however new it is: Google's own services do not wait for themselves."""
        self._reads.pop(email, None)
        yield
        self.made_identity(email)

    def hides_identity(self, email: str) -> bool:
        """Whether a read misses an account that exists; counts the read."""
        left = self._reads.get(email, 0)
        if not left:
            return False
        if left == 1:
            del self._reads[email]
        else:
            self._reads[email] = left - 1
        return True

    def sought(self, name: str) -> None:
        """Somebody asked for what is not there."""
        self._sought[name] = self._clock.now().timestamp()
        self._sought.move_to_end(name)
        if len(self._sought) > ABSENCES:
            self._sought.popitem(last=False)

    def made(self, name: str) -> None:
        """It was made."""
        now = self._clock.now().timestamp()
        if now - self._sought.pop(name, float("-inf")) < ABSENCE:
            self._unseen[name] = now

    def hides(self, name: str) -> bool:
        """Whether a read misses what exists because it was sought too early; only the first one does."""
        made = self._unseen.pop(name, None) if self._unseen else None
        return made is not None and self._clock.now().timestamp() - made < ABSENCE

    def made_grant(self, resource: str, before: dict[str, object] | None) -> None:
        """A policy was replaced."""
        if self.lag.grants:
            self._policies.setdefault(resource, (self.lag.grants, before))

    def former_policy(self, resource: str) -> tuple[bool, dict[str, object] | None]:
        """Whether a permission check still sees the former policy, and which; counts the check."""
        if resource not in self._policies:
            return False, None
        left, before = self._policies[resource]
        if left <= 1:
            del self._policies[resource]
        else:
            self._policies[resource] = (left - 1, before)
        return True, before

    def made_service(self, name: str) -> None:
        """An API was enabled: ``projects/p/services/host``."""
        if self.lag.services:
            self._services[name] = self._clock.now().timestamp() + self.lag.services

    def hides_service(self, name: str) -> bool:
        """Whether an enabled API does not answer yet."""
        ready = self._services.get(name)
        if ready is None:
            return False
        if self._clock.now().timestamp() >= ready:
            del self._services[name]
            return False
        return True
