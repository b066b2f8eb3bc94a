"""A control: what must hold, why, how it is mended, and the function that judges."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache

from policies.catalogue.context import Context
from policies.catalogue.resource import Resource
from policies.catalogue.verdict import Verdict

Check = Callable[[Resource | None, Context], Verdict]


class Severity(StrEnum):
    """How bad a failure is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@dataclass(frozen=True)
class Control:
    """One control.

    Attributes:
        id: its name for ever; also the policy's name in Pulumi.
        title: what must hold, in a few words.
        text: what must hold, exactly.
        why: what happens otherwise.
        severity: how bad a failure is.
        resource_types: type tokens it judges one by one, `*` standing for anything; empty: it judges the whole stack
            and its check is called once, with no resource.
        property_paths: the properties it reads.
        fix: a command or a settings line that mends a failure.
        url: where Google or the law says so.
        crosswalk: ids by framework; the keys are those of `policies/frameworks`.
        check: the judgement, a pure function.
    """

    id: str
    title: str
    text: str
    why: str
    severity: Severity
    resource_types: tuple[str, ...]
    property_paths: tuple[str, ...]
    fix: str
    url: str
    crosswalk: Mapping[str, Sequence[str]]
    check: Check

    @property
    def of_stack(self) -> bool:
        """Whether it judges the stack as a whole."""
        return not self.resource_types

    def applies_to(self, type_: str) -> bool:
        """Whether it judges resources of a type."""
        return _matches(self.resource_types, type_)


@cache
def _matches(patterns: tuple[str, ...], type_: str) -> bool:
    return any(fnmatchcase(type_, pattern) for pattern in patterns)
