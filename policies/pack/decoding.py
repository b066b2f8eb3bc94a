"""Decodes each resource once for all policies.

pulumi-policy 1.21.0 decodes a resource anew for each policy, and for policies of a stack every resource anew for each
of them (`_PolicyAnalyzerServicer.Analyze` and `AnalyzeStack`, 2026-11). With a hundred policies that takes longer than
all their checks. So the three functions it decodes with remember what they made, for as long as one request lasts,
and a resource meets only the policies that concern its type.
"""

import copy
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from pulumi_policy import policy as sdk  # type: ignore[import-not-found,unused-ignore]  # in the pack's environment only

_request = threading.local()


@contextmanager
def one_request() -> Iterator[dict[Any, Any]]:
    """While it lasts, what is made from the same object is made once; the dictionary is free for others to use."""
    _request.made = {}
    try:
        yield _request.made
    finally:
        del _request.made


def made() -> dict[Any, Any]:
    """What was made in this request; a new dictionary outside of one."""
    found: dict[Any, Any] = getattr(_request, "made", {})
    return found


def once(make: Callable[..., Any]) -> Callable[..., Any]:
    """A function that makes the same from the same object once in a request."""

    def remembered(source: Any, *others: Any) -> Any:
        store = made()
        key = (make, id(source), others)
        if key not in store:
            # The source is kept as well: an id belongs to another object as soon as its own is gone.
            store[key] = (source, make(source, *others))
        return store[key][1]

    return remembered


class Servicer(sdk._PolicyAnalyzerServicer):  # type: ignore[misc,name-defined,unused-ignore]  # noqa: SLF001 - nothing public starts a server
    """The SDK's servicer: decodes once, and runs for a resource only the policies that concern its type."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._by_type: dict[str, tuple[Any, list[Any]]] = {}

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802 - the name in the protocol
        """Take levels from the engine."""
        self._by_type = {}
        return super().Configure(request, context)

    def ConfigureStack(self, request: Any, context: Any) -> Any:  # noqa: N802 - the name in the protocol
        """Take the stack's tags from the engine."""
        self._by_type = {}
        return super().ConfigureStack(request, context)

    def Analyze(self, request: Any, context: Any) -> Any:  # noqa: N802 - the name in the protocol
        """Judge one resource."""
        if request.type not in self._by_type:
            self._by_type[request.type] = self._concerned(request.type)
        servicer, others = self._by_type[request.type]
        with one_request():
            answer = super(Servicer, servicer).Analyze(request, context)
        answer.not_applicable.extend(others)
        return answer

    def _concerned(self, type_: str) -> tuple[Any, list[Any]]:
        """This servicer with only the policies that concern a type, and what is to be said of the others."""
        wanted, others = [], []
        for policy in self._policies:
            concerns = getattr(policy, "concerns", None)
            if concerns is None or concerns(type_):
                wanted.append(policy)
            elif self._get_enforcement_level(policy) is not sdk.EnforcementLevel.DISABLED:
                others.append(sdk.proto.PolicyNotApplicable(policy_name=policy.name, reason="another type of resource"))
        return self._with(wanted), others

    def AnalyzeStack(self, request: Any, context: Any) -> Any:  # noqa: N802 - the name in the protocol
        """Judge a stack: its resources are put together once, and every policy of a stack sees the same ones."""
        answer = sdk.proto.AnalyzeResponse()
        policies = [one for one in self._policies if isinstance(one, sdk.StackValidationPolicy)]
        judged = [one for one in policies if self._get_enforcement_level(one) is not sdk.EnforcementLevel.DISABLED]

        def by_all(args: Any, _: Any) -> None:
            for policy in judged:
                level = self._get_enforcement_level(policy)
                report = self._create_report_violation(answer, policy.name, policy.description, level, policy.severity)
                try:
                    policy.validate(args, report)
                except sdk._NotApplicableError as error:  # noqa: SLF001 - how a policy says so
                    answer.not_applicable.append(
                        sdk.proto.PolicyNotApplicable(policy_name=policy.name, reason=error.reason or "")
                    )

        together = sdk.StackValidationPolicy(
            name="together",
            description="Every policy of a stack.",
            validate=by_all,
            enforcement_level=sdk.EnforcementLevel.MANDATORY,
        )
        with one_request():
            super(Servicer, self._with([together])).AnalyzeStack(request, context)
        return answer

    @property
    def _policies(self) -> list[Any]:
        found: list[Any] = self._PolicyAnalyzerServicer__policies
        return found

    def _with(self, policies: list[Any]) -> Any:
        """This servicer with other policies."""
        servicer = copy.copy(self)
        servicer._PolicyAnalyzerServicer__policies = policies  # noqa: SLF001 - nothing public narrows them down
        return servicer


def install() -> None:
    """Let the SDK use all this; a second time changes nothing."""
    if sdk._PolicyAnalyzerServicer is Servicer:  # noqa: SLF001 - see Servicer
        return
    sdk._PolicyAnalyzerServicer = Servicer  # noqa: SLF001 - see Servicer
    sdk.json_format = SimpleNamespace(MessageToDict=once(sdk.json_format.MessageToDict))
    sdk.deserialize_properties = once(sdk.deserialize_properties)
    sdk.unknown_checking_proxy = once(sdk.unknown_checking_proxy)
