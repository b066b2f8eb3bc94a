"""Compute Engine's error envelope: no canonical ``status``, always an ``errors`` list.

Shape: recorded answers of compute.googleapis.com; wording as Google's.
"""

from __future__ import annotations

from typing import Any

from sandbox.errors import AlreadyExists, ApiError, InvalidArgument, NotFound, PreconditionFailed


class ComputeFailure(ApiError):
    """Leaves out the canonical status, as Compute Engine does."""

    def envelope(self) -> dict[str, Any]:
        """The JSON body of the answer."""
        document = super().envelope()
        del document["error"]["status"]
        return document


class Missing(ComputeFailure, NotFound):
    """No resource of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The resource '{name}' was not found")


class Taken(ComputeFailure, AlreadyExists):
    """A resource of that name exists."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The resource '{name}' already exists")


class Invalid(ComputeFailure, InvalidArgument):
    """A field holds a value that is refused."""

    legacy_reason = "invalid"

    @classmethod
    def value(cls, field: str, value: object, why: str) -> Invalid:
        """Google's usual wording for one field below ``resource``."""
        return cls(f"Invalid value for field 'resource.{field}': '{value}'. {why}")


class InUse(ComputeFailure, InvalidArgument):
    """Something else still needs the resource."""

    legacy_reason = "resourceInUseByAnotherResource"

    def __init__(self, noun: str, name: str, user: str) -> None:
        super().__init__(f"The {noun} resource '{name}' is already being used by '{user}'")


class StaleFingerprint(ComputeFailure, PreconditionFailed):
    """The caller changed something it had read before another change."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"Supplied fingerprint does not match current {what}: read the resource again, then retry."
            if what != "labels"
            else "Labels fingerprint either invalid or resource labels have changed"
        )
