"""How controls of a whole stack are written: a survey that reads several resources and names those that offend."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from policies.catalogue.context import Context
from policies.catalogue.control import Control, Severity
from policies.catalogue.resource import Resource
from policies.catalogue.unknown import MISSING, Unknown
from policies.catalogue.verdict import Reading, Status, Verdict

SHOWN = 5
"""Names in a message; the verdict's offenders are complete."""


class Survey:
    """A look at all resources of a stack.

    Args:
        context: the stack.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        self._readings: list[Reading] = []
        self._offences: dict[str, list[Resource]] = {}
        self._open: dict[str, list[Resource]] = {}

    def at(self, resource: Resource, path: str, default: Any = MISSING) -> Any:
        """The value at a path of a resource, an `Unknown` included, or the default."""
        value = resource.at(path)
        shown = None if value is MISSING else {"unknown": value.reason} if isinstance(value, Unknown) else value
        self._readings.append(Reading(path, shown, resource.urn))
        return default if value is MISSING else value

    def offends(self, resource: Resource, reason: str) -> None:
        """The control does not hold because of this resource."""
        self._offences.setdefault(reason, []).append(resource)

    def undecided(self, resource: Resource, reason: str) -> None:
        """Whether the control holds cannot be told because of this resource."""
        self._open.setdefault(reason, []).append(resource)

    def result(self, passes: str) -> Verdict:
        """What the survey found; the argument is the reason when everything holds."""
        for status, found in ((Status.FAIL, self._offences), (Status.INDETERMINATE, self._open)):
            if found:
                reason = "; ".join(f"{_names(resources)}: {why}" for why, resources in found.items())
                urns = tuple(dict.fromkeys(resource.urn for resources in found.values() for resource in resources))
                return Verdict(status, reason, tuple(self._readings), urns)
        return self.says(Status.PASS, passes)

    def says(self, status: Status, reason: str) -> Verdict:
        """A verdict on the stack that names no resource."""
        return Verdict(status, reason, tuple(self._readings))

    def does_not_apply(self, reason: str) -> Verdict:
        """The control does not concern the stack."""
        return self.says(Status.NOT_APPLICABLE, reason)


def _names(resources: Sequence[Resource]) -> str:
    names = sorted({resource.name for resource in resources})
    others = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {others} more" if others > 0 else "")


def stack_control(
    *,
    id: str,  # noqa: A002 - the field's name in every framework
    title: str,
    text: str,
    why: str,
    severity: Severity,
    paths: Sequence[str],
    fix: str,
    url: str,
    crosswalk: Mapping[str, Sequence[str]],
) -> Callable[[Callable[[Survey], Verdict]], Control]:
    """A control from the function that judges a stack; arguments are those of `Control`."""

    def wrap(judge: Callable[[Survey], Verdict]) -> Control:
        @wraps(judge)
        def check(resource: Resource | None, context: Context) -> Verdict:
            if resource is not None:
                raise TypeError(f"{id} judges the whole stack and was given one resource")
            return judge(Survey(context))

        return Control(id, title, text, why, severity, (), tuple(paths), fix, url, crosswalk, check)

    return wrap
