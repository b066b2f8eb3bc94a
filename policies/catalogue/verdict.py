"""What a control says of a resource, and what it read to say so."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """The outcomes of a check. Nothing that was not read ever passes."""

    PASS = "pass"  # noqa: S105 - an outcome, not a password
    FAIL = "fail"
    NOT_APPLICABLE = "not_applicable"
    INDETERMINATE = "indeterminate"
    MANUAL = "manual"


@dataclass(frozen=True)
class Reading:
    """One value a check looked at. Evidence keeps it; messages never show it.

    Attributes:
        path: the property, such as encryption.defaultKmsKeyName.
        value: what was there; None where nothing was, or where the value may be a secret.
        urn: the resource, where it is not the one that is judged.
    """

    path: str
    value: Any
    urn: str = ""


@dataclass(frozen=True)
class Verdict:
    """One outcome.

    Attributes:
        status: the outcome.
        reason: cause and consequence as a sentence, without any property's value.
        readings: what was looked at.
        offenders: for a control of the whole stack, the URNs that made it fail or leave it open.
    """

    status: Status
    reason: str
    readings: tuple[Reading, ...] = ()
    offenders: tuple[str, ...] = ()
