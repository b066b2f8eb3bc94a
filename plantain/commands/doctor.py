"""``plantain doctor``: what would stop a deployment, before it is begun."""

from __future__ import annotations

import datetime as dt
import os
from typing import TYPE_CHECKING, Annotated

import typer

from plantain import completion, output
from plantain.errors import ErrorFound, StackError, WarningFound
from plantain.project import campaigns, project_root, raw_settings, stack_settings

if TYPE_CHECKING:
    from plantain.doctor.finding import Finding
    from plantain.doctor.patient import Patient


def doctor(
    stack: Annotated[
        str, typer.Option(help="Stack that is to be deployed.", autocompletion=completion.stacks)
    ] = "sandbox",
    only: Annotated[
        list[str] | None, typer.Option(help="Run this check; repeat for several.", autocompletion=completion.checks)
    ] = None,
    fix: Annotated[bool, typer.Option("--fix", help="Mend what is safe to mend.")] = False,
    all_findings: Annotated[bool, typer.Option("--all", help="Show what is as it should be, too.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Find what would stop a deployment: permissions, policies, APIs, billing, keys, quotas, models, tools.

    Exit code 11 when something stops the update, 10 when something hurts later.
    """
    from plantain.doctor.catalogue import chosen  # noqa: PLC0415
    from plantain.doctor.examination import examine, worst  # noqa: PLC0415
    from plantain.doctor.finding import Severity  # noqa: PLC0415

    checks = chosen(only or [])
    patient = admit(stack)
    with output.progress("checks", len(checks)) as bar:
        findings = examine(patient, checks, bar.advance)
    fixed = [finding.fix() for finding in findings if fix and finding.fix]
    if fixed:
        for line in fixed:
            output.complain(f"fixed: {line}")
        findings = examine(patient, checks)
    if json:
        output.document([as_json(one) for one in findings])
    else:
        show(findings, everything=all_findings)
    severity = worst(findings)
    number = sum(one.severity is severity for one in findings)
    count = f"{number} finding{'' if number == 1 else 's'}"
    if severity is Severity.ERROR:
        raise ErrorFound(f"{count} would stop pulumi up --stack {stack}.", cure="the commands above")
    if severity is Severity.WARNING:
        raise WarningFound(f"Nothing stops pulumi up --stack {stack}; {count} would hurt later.")


def admit(stack: str) -> Patient:
    """Everything the checks look at.

    Raises:
        InputError: the stack's settings or a campaign file are wrong.
    """
    from plantain.doctor.patient import Patient  # noqa: PLC0415
    from plantain.google_cloud import GoogleCloud  # noqa: PLC0415
    from plantain.stack import Stack  # noqa: PLC0415

    root = project_root()
    settings = stack_settings(root, stack)
    environment = dict(os.environ)
    try:
        deployed = Stack(stack, root, environment).outputs().get("campaigns", {})
    except StackError:
        deployed = {}  # before the first update there is no stack to ask
    return Patient(
        root=root,
        stack=stack,
        settings=settings,
        raw=raw_settings(root, stack),
        campaigns=campaigns(root, settings.campaigns),
        deployed=deployed,
        cloud=GoogleCloud.from_environment(root, stack),
        environment=environment,
        today=dt.datetime.now(dt.UTC).date(),
    )


def show(findings: list[Finding], *, everything: bool) -> None:
    """The findings, worst first, each on a few lines that can be read at any width."""
    from rich.text import Text  # noqa: PLC0415

    styles = {"error": "bold red", "warning": "yellow", "unknown": "magenta", "ok": "green"}
    console = output.people()
    hidden = 0
    for one in findings:
        if one.severity == "ok" and not everything:
            hidden += 1
            continue
        head = Text.assemble((f"{one.severity:<8}", styles[one.severity]), f"{one.check}: {one.what}")
        console.print(head, soft_wrap=not console.is_terminal)
        if one.consequence:
            output.tell(f"        so      {one.consequence}", hang=8)
        if one.cure:
            output.say(f"        cure    {one.cure}")
    if hidden:
        output.say(f"{hidden} findings are as they should be (--all shows them).")


def as_json(one: Finding) -> dict[str, object]:
    """A finding for programs."""
    return {
        "check": one.check,
        "severity": one.severity.value,
        "what": one.what,
        "consequence": one.consequence,
        "cure": one.cure,
        "fixable": one.fix is not None,
    }
