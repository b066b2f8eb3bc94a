"""Numbers and ids that Google would generate: repeatable for a seed, never twice the same."""

from __future__ import annotations

import hashlib
import uuid

from sandbox.store import Store

LONGEST_INT64 = 19


class Identifiers:
    """Generated values. Each is a digest of the seed and of a persistent counter."""

    def __init__(self, store: Store, seed: int) -> None:
        self._store = store
        self._seed = seed

    def _digest(self, purpose: str) -> bytes:
        text = f"{self._seed}:{purpose}:{self._store.next(purpose)}"
        return hashlib.sha256(text.encode()).digest()

    def number(self, purpose: str, digits: int = 12) -> str:
        """A decimal number of exactly ``digits`` digits; one of 19 still fits a signed 64-bit integer."""
        lowest = 10 ** (digits - 1)
        above = 10**digits if digits != LONGEST_INT64 else 2**63
        return str(lowest + int.from_bytes(self._digest(purpose)[:12]) % (above - lowest))

    def hexadecimal(self, purpose: str, length: int = 32) -> str:
        """Lower-case hexadecimal of ``length`` characters."""
        return self._digest(purpose).hex()[:length]

    def uuid(self, purpose: str) -> str:
        """A version-4-shaped UUID."""
        return str(uuid.UUID(bytes=self._digest(purpose)[:16], version=4))
