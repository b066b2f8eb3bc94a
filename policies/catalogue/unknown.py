"""A value that exists but cannot be read yet, or not by whoever reads."""

from dataclasses import dataclass
from typing import Final

AFTER_DEPLOYMENT = "known only after deployment"


@dataclass(frozen=True)
class Unknown:
    """Stands in a resource's properties where a value cannot be read.

    Attributes:
        reason: why, as the end of a sentence that begins with the property's name and "is".
    """

    reason: str = AFTER_DEPLOYMENT


UNKNOWN: Final = Unknown()
"""What the engine does not know before it has deployed."""


@dataclass(frozen=True)
class Missing:
    """Says that a property is not there; unlike None it cannot be a property's value."""


MISSING: Final = Missing()
