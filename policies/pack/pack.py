"""Policies from controls: one policy for each control that a machine can judge."""

from collections.abc import Callable, Sequence
from typing import Any

from pulumi_policy import (  # type: ignore[import-not-found,unused-ignore]  # in the pack's environment only
    EnforcementLevel,
    PolicyComplianceFramework,
    PolicyPack,
    ResourceValidationPolicy,
    Severity,
    StackValidationPolicy,
)

from policies.catalogue import CONTROLS, Context, Control, Resource, Status, Verdict, manual
from policies.pack import decoding, resources
from policies.pack import settings as pack_settings
from policies.pack.settings import Settings

NAME = "plantain"
JUDGED = tuple(control for control in CONTROLS if control not in manual.CONTROLS)
Report = Callable[..., None]


def message(control: Control, reason: str) -> str:
    """What a violation says besides the control's title: cause, consequence, cure, and where to read on."""
    return f"  {reason}.\n  Cure: {control.fix}\n  See: {control.url}"


class Judge:
    """Judges with the settings of one stack.

    Args:
        settings: what the pack was told.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._context = self._surroundings(())

    def _surroundings(self, found: Sequence[Resource]) -> Context:
        settings = self.settings
        return Context(found, settings.stack, settings.date, settings.models, settings.parameters)

    def resource(self, control: Control, args: Any, report: Report) -> None:
        """Judge one resource."""
        if not control.applies_to(args.resource_type):
            args.not_applicable("another type of resource")
        store = decoding.made()
        if "resource" not in store:
            store["resource"] = resources.resource(args)
        self._decide(control, store["resource"], self._context, args, report)

    def stack(self, control: Control, args: Any, report: Report) -> None:
        """Judge a whole stack."""
        store = decoding.made()
        if "stack" not in store:
            store["stack"] = self._surroundings(
                [resources.resource(found, dependencies=found.property_dependencies) for found in args.resources]
            )
        self._decide(control, None, store["stack"], args, report)

    def _decide(self, control: Control, found: Resource | None, context: Context, args: Any, report: Report) -> None:
        verdict = judged(control, found, context)
        failed = verdict.status is Status.FAIL
        if verdict.status is Status.INDETERMINATE and self.settings.unknown_values == "refuse":
            failed = True
        if not failed:
            if verdict.status is not Status.PASS:
                args.not_applicable(verdict.reason)
            return
        urns = verdict.offenders if found is None else (found.urn,)
        self._refuse(control, verdict, urns, args, report)

    def _refuse(self, control: Control, verdict: Verdict, urns: Sequence[str], args: Any, report: Report) -> None:
        exceptions, date = self.settings.exceptions, self.settings.date
        covering = [exceptions.covering(control.id, urn, date) for urn in urns]
        if covering and all(covering):
            args.not_applicable("allowed by an exception")
        refused = [urn for urn, exception in zip(urns, covering, strict=True) if not exception]
        reason = verdict.reason
        expired = [exceptions.expired(control.id, urn, date) for urn in refused]
        for exception in dict.fromkeys(found for found in expired if found):
            reason += f"; the exception of {exception.owner} expired on {exception.expires}"
        report(message(control, reason), refused[0] if refused else None)


def judged(control: Control, found: Resource | None, context: Context) -> Verdict:
    """What a control says.

    Raises:
        RuntimeError: the check is wrong. Its own message could hold a property's value, so it is not shown.
    """
    try:
        return control.check(found, context)
    except Exception as error:  # noqa: BLE001 - whatever it is, its message must not be shown
        where = found.urn if found else "the stack"
        raise RuntimeError(
            f"control {control.id} cannot judge {where} ({type(error).__name__}), so nothing is deployed; "
            f"switch it off and report it: pulumi config set --path 'policies:enforcement.{control.id}' disabled"
        ) from None


def policies(settings: Settings) -> list[Any]:
    """One policy for each control."""
    judge = Judge(settings)
    return [_policy(control, judge) for control in JUDGED]


def _policy(control: Control, judge: Judge) -> Any:
    kind, decide = (
        (StackValidationPolicy, judge.stack) if control.of_stack else (ResourceValidationPolicy, judge.resource)
    )

    def validate(args: Any, report: Report) -> None:
        decide(control, args, report)

    framework, ids = next(iter(control.crosswalk.items()))
    policy = kind(
        name=control.id,
        description=control.title,
        validate=validate,
        enforcement_level=EnforcementLevel(judge.settings.level(control)),
        display_name=control.title,
        severity=Severity(control.severity.value),
        framework=PolicyComplianceFramework(name=framework, reference=ids[0]),
        tags=[f"{name}:{entry}" for name, entries in control.crosswalk.items() for entry in entries],
        remediation_steps=control.fix,
        url=control.url,
    )
    if not control.of_stack:
        policy.concerns = control.applies_to
    return policy


def serve() -> None:
    """Serve the pack to the engine that started this process; returns when the engine goes.

    Raises:
        PolicyError: the settings make no sense.
    """
    settings = pack_settings.load(frozenset(control.id for control in CONTROLS))
    decoding.install()
    PolicyPack(
        name=NAME,
        display_name="Plantain",
        description="Controls of Plantain's deployments.",
        enforcement_level=EnforcementLevel.MANDATORY,
        policies=policies(settings),
    )
