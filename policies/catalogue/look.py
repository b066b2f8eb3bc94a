"""How checks are written: a look at one resource that remembers what it read, and ends in a verdict."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps
from typing import Any

from policies.catalogue.context import Context
from policies.catalogue.control import Control, Severity
from policies.catalogue.resource import Resource
from policies.catalogue.unknown import MISSING, Unknown
from policies.catalogue.verdict import Reading, Status, Verdict


class Open(Exception):
    """A value decides and cannot be read."""

    def __init__(self, path: str, unknown: Unknown) -> None:
        super().__init__(f"{path} is {unknown.reason}")


class Malformed(Exception):
    """A value that decides makes no sense; the message says so and what follows."""


class Look:
    """A look at one resource.

    Args:
        resource: what is looked at.
    """

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self._readings: list[Reading] = []

    def peek(self, path: str) -> Any:
        """The value at a path, which may be `MISSING` or an `Unknown`."""
        value = self.resource.at(path)
        self._remember(path, value)
        return value

    def at(self, path: str, default: Any = MISSING) -> Any:
        """The value at a path, or the default.

        Raises:
            Open: it cannot be read.
        """
        value = self.peek(path)
        if isinstance(value, Unknown):
            raise Open(path, value)
        return default if value is MISSING else value

    def each(self, path: str) -> Iterator[tuple[str, Any]]:
        """Values at a path with `[]` in it, each with its exact path; they may be `Unknown`."""
        empty = True
        for exact, value in self.resource.each(path):
            empty = False
            self._remember(exact, value)
            yield exact, value
        if empty:
            self._remember(path, MISSING)

    def conceal(self, path: str) -> None:
        """Remember that a path was read, but not what was there."""
        self._readings.append(Reading(path, None))

    def _remember(self, path: str, value: Any) -> None:
        shown = None if value is MISSING else {"unknown": value.reason} if isinstance(value, Unknown) else value
        self._readings.append(Reading(path, shown))

    def passes(self, reason: str) -> Verdict:
        """The control holds."""
        return self._verdict(Status.PASS, reason)

    def fails(self, reason: str) -> Verdict:
        """The control does not hold; the reason says cause and consequence."""
        return self._verdict(Status.FAIL, reason)

    def does_not_apply(self, reason: str) -> Verdict:
        """The control does not concern the resource."""
        return self._verdict(Status.NOT_APPLICABLE, reason)

    def stays_open(self, reason: str) -> Verdict:
        """The control cannot be judged."""
        return self._verdict(Status.INDETERMINATE, reason)

    def _verdict(self, status: Status, reason: str) -> Verdict:
        return Verdict(status, reason, tuple(self._readings))


def resource_control(
    *,
    id: str,  # noqa: A002 - the field's name in every framework
    title: str,
    text: str,
    why: str,
    severity: Severity,
    types: Sequence[str],
    paths: Sequence[str],
    fix: str,
    url: str,
    crosswalk: Mapping[str, Sequence[str]],
) -> Callable[[Callable[[Look, Context], Verdict]], Control]:
    """A control from the function that judges one resource; arguments are those of `Control`."""

    def wrap(judge: Callable[[Look, Context], Verdict]) -> Control:
        @wraps(judge)
        def check(resource: Resource | None, context: Context) -> Verdict:
            if resource is None:
                raise TypeError(f"{id} judges one resource and was given none")
            look = Look(resource)
            try:
                return judge(look, context)
            except Open as undecided:
                return look.stays_open(str(undecided))
            except Malformed as nonsense:
                return look.fails(str(nonsense))

        return Control(id, title, text, why, severity, tuple(types), tuple(paths), fix, url, crosswalk, check)

    return wrap
