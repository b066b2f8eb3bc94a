"""``plantain campaign``: new, list, show, clone, checklist, retire."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from plantain import completion, output
from plantain.dates import day, today
from plantain.errors import InputError, StackError, WarningFound
from plantain.project import campaign as read_campaign
from plantain.project import campaigns as read_campaigns
from plantain.project import project_root, settings_path, stack_settings
from plantain.suggestion import did_you_mean
from plantain.terminal import ask, confirmed

if TYPE_CHECKING:
    from plantain.stack import Stack

#: What pulumi says of a stack that was never made.
NOT_DEPLOYED = "no stack named"

app = typer.Typer(help="Begin, look at, copy and end campaigns.", no_args_is_help=True, rich_markup_mode=None)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
StackName = Annotated[
    str, typer.Option("--stack", help="Stack that deployed the campaign.", autocompletion=completion.stacks)
]
Name = Annotated[str, typer.Argument(help="Campaign.", autocompletion=completion.campaigns)]
EndsOn = Annotated[str | None, typer.Option(help="Last day, as 2027-06-30; 180 days from now by default.")]


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="3 to 22 lower-case letters, digits and hyphens.")],
    owner: Annotated[str | None, typer.Option(help="Team that answers for it.")] = None,
    cost_center: Annotated[str | None, typer.Option(help="Who pays.")] = None,
    invoker: Annotated[
        list[str] | None, typer.Option(help="Who may ask for images, as group:team@...; repeat.")
    ] = None,
    contact: Annotated[list[str] | None, typer.Option(help="E-mail that alerts go to; repeat.")] = None,
    env: Annotated[str, typer.Option(help="dev, test or prod.")] = "prod",
    data_class: Annotated[str, typer.Option(help="public, internal, confidential or restricted.")] = "internal",
    ends_on: EndsOn = None,
    budget: Annotated[int | None, typer.Option(min=1, help="Money a month.")] = None,
    model: Annotated[str | None, typer.Option(help="Model id.", autocompletion=completion.models)] = None,
) -> None:
    """Write a campaign's file, complete and checked. What is missing is asked for, on a terminal."""
    from plantain.campaigns import draft  # noqa: PLC0415

    root = project_root()
    draft.path_of(root, name)
    questions = not (owner and cost_center and invoker and contact)
    if questions and (problem := draft.misfit("labels.campaign", name)):  # before anything is asked for
        raise InputError(f"{name!r} is no name for a campaign: {problem}.", cure="plantain campaign new spring-2027")
    document: dict[str, Any] = {
        "labels": draft.labels(
            name,
            owner=owner or ask("Owner (team)", "--owner"),
            cost_center=cost_center or ask("Cost centre", "--cost-center"),
            env=env,
            data_class=data_class,
            ends_on=day(ends_on),
            today=today(),
        ),
        "invokers": invoker
        or [ask("Invokers (group:team@example.com)", "--invoker", lambda one: draft.misfit("invokers", [one]))],
        "contacts": contact or [ask("Contact (e-mail)", "--contact", lambda one: draft.misfit("contacts", [one]))],
    }
    if model:
        document["function"] = {"model": model}
    if budget:
        document["budget"] = {"amount": budget}
    path = draft.write(root, document)
    output.say(f"{path.relative_to(root)} is written.")
    output.say(f"Next: plantain cost forecast {name} --images 1000; plantain doctor --stack STACK; pulumi up")


@app.command()
def clone(
    source: Annotated[str, typer.Argument(help="Campaign to copy.", autocompletion=completion.campaigns)],
    name: Annotated[str, typer.Argument(help="Name of the new one.")],
    owner: Annotated[str | None, typer.Option(help="Team that answers for it.")] = None,
    cost_center: Annotated[str | None, typer.Option(help="Who pays.")] = None,
    env: Annotated[str | None, typer.Option(help="dev, test or prod.")] = None,
    ends_on: EndsOn = None,
) -> None:
    """Copy a campaign's file under a new name. Images, keys and project are not copied."""
    import yaml  # noqa: PLC0415

    from plantain.campaigns import draft  # noqa: PLC0415

    root = project_root()
    read_campaign(root, source)
    document = yaml.safe_load((root / "campaigns" / f"{source}.yaml").read_text(encoding="utf-8"))
    given = {"owner": owner and draft.label(owner), "cost-center": cost_center and draft.label(cost_center), "env": env}
    changes = {key: value for key, value in given.items() if value}
    changes["ends-on"] = str(day(ends_on) or today() + dt.timedelta(days=draft.DEFAULT_DAYS))
    path = draft.write(root, draft.clone(document, name, changes))
    output.say(f"{path.relative_to(root)} is written, after {source}.")


@app.command("list")
def list_campaigns(
    stack: Annotated[
        str | None, typer.Option(help="Say also which this stack has deployed.", autocompletion=completion.stacks)
    ] = None,
    json: Json = False,
) -> None:
    """The campaign files, and with --stack what is deployed of them."""
    root = project_root()
    found = read_campaigns(root) if list((root / "campaigns").glob("*.yaml")) else ()
    deployed = outputs(the_stack(root, stack)) if stack else {}
    rows = [
        {
            "campaign": one.name,
            "env": one.labels.env.value,
            "owner": one.labels.owner,
            "model": one.function.model,
            "endsOn": str(one.labels.ends_on),
            "daysLeft": (one.labels.ends_on - today()).days,
            "project": deployed.get(one.name, {}).get("projectId"),
        }
        for one in found
    ]
    if json:
        output.document(rows)
        return
    if not rows:
        output.say("There is no campaign. Begin one: plantain campaign new NAME")
        return
    columns = ["campaign", "env", "owner", "model", "ends"] + (["project"] if stack else [])
    output.table(
        columns,
        [
            [
                str(row["campaign"]),
                str(row["env"]),
                str(row["owner"]),
                str(row["model"]),
                f"{row['endsOn']} ({row['daysLeft']} days)",
            ]
            + ([str(row["project"] or "not deployed")] if stack else [])
            for row in rows
        ],
    )


@app.command()
def show(name: Name, stack: StackName = "sandbox", json: Json = False) -> None:
    """What runs, which alerts there are and fire, images and spend of this month."""
    from plantain.campaigns import vital_signs  # noqa: PLC0415
    from plantain.google_cloud import GoogleCloud  # noqa: PLC0415

    root = project_root()
    found = deployed_campaign(the_stack(root, stack), name)
    signs = vital_signs.read(GoogleCloud.from_environment(root, stack), name, found, today())
    if json:
        output.document({**output.fields(signs), "outputs": found})
        return
    more = "more than " if signs.truncated else ""
    month = signs.month
    rows = [
        ("project", f"{signs.project} ({found['projectNumber']})"),
        ("function", f"{signs.function or 'not read'}  {found['functionUri']}"),
        (
            "images",
            "not read" if signs.images is None else f"{more}{signs.images}, {signs.image_bytes / 1024**2:.1f} MiB",
        ),
        (
            "this month",
            f"{month['images']} images, {month['requests']} requests, {month['failed']} failed, {month['cost']:.2f} USD"
            if month
            else "not read",
        ),
        ("alerts", f"{len(signs.alerts)} policies; firing: {', '.join(signs.open_incidents) or 'none'}"),
        ("ends on", found.get("labels", {}).get("ends-on", "")),
    ]
    output.table((name, ""), rows)
    for line in signs.unread:
        output.complain(f"not read: {line}")


@app.command()
def checklist(
    name: Name,
    stack: StackName = "sandbox",
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask the cloud.")] = False,
    json: Json = False,
) -> None:
    """What production asks of a campaign, each line with an owner and a proof; ends with 10 while lines are open."""
    from plantain.campaigns.checklist import checklist as lines_of  # noqa: PLC0415

    root = project_root()
    campaign, settings = read_campaign(root, name), stack_settings(root, stack)
    found, signs, quota = None, None, None
    if not offline:
        found = outputs(the_stack(root, stack)).get(name)
        if found:
            from plantain.campaigns import vital_signs  # noqa: PLC0415
            from plantain.google_cloud import GoogleCloud  # noqa: PLC0415

            cloud = GoogleCloud.from_environment(root, stack)
            signs, quota = vital_signs.read(cloud, name, found, today()), vital_signs.quota(cloud, found["projectId"])
    lines = lines_of(campaign, settings, found, signs, quota, today())
    if json:
        output.document(output.fields(lines))
    else:
        rows = [("done" if line.done else "OPEN", line.item, line.owner, line.proof) for line in lines]
        output.table(("", "item", "owner", "proof, or what is missing"), rows)
    still = [line for line in lines if not line.done]
    if still:
        names = "\n".join(f"  {line.item} ({line.owner}): {line.cure}" for line in still)
        raise WarningFound(f"{len(still)} of {len(lines)} lines are open:\n{names}")


@app.command()
def retire(
    name: Name,
    step: Annotated[
        str | None,
        typer.Option(
            help="read-only, evidence, detach or delete; without it: the plan.", autocompletion=completion.steps
        ),
    ] = None,
    stack: StackName = "sandbox",
    evidence: Annotated[Path | None, typer.Option(help="Folder of the evidence; evidence/NAME by default.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before delete.")] = False,
    json: Json = False,
) -> None:
    """End a campaign: nobody may call, evidence is exported, the stack lets go, the project is marked for deletion."""
    from plantain.campaigns import presentation  # noqa: PLC0415
    from plantain.campaigns.retirement import STEPS, Retirement, read_record  # noqa: PLC0415

    root = project_root()
    record = read_record(root, name)
    if step is None:
        presentation.plan(name, STEPS, record.get("steps", {}), json=json)
        return
    if step not in STEPS:
        raise InputError(
            f"There is no step {step!r}. {did_you_mean(step, STEPS)}", cure=f"plantain campaign retire {name}"
        )
    from plantain.google_cloud import GoogleCloud  # noqa: PLC0415 -- the plan above needs no cloud

    handle = the_stack(root, stack)
    found = record.get("outputs") or deployed_campaign(handle, name)
    if step == "delete" and not yes and not confirmed(f"Mark project {found['projectId']} for deletion?"):
        raise InputError("Nothing was deleted.", cure=f"plantain campaign retire {name} --step delete --yes")
    retirement = Retirement(
        root, name, found, GoogleCloud.from_environment(root, stack), handle, dt.datetime.now(dt.UTC), output.say
    )
    retirement.run(step, evidence or root / "evidence" / name)


def the_stack(root: Path, name: str) -> Stack:
    """A stack of the project."""
    from plantain.stack import Stack  # noqa: PLC0415

    return Stack(name, root, dict(os.environ))


def outputs(stack: Stack) -> dict[str, dict[str, Any]]:
    """The deployed campaigns of a stack; none before its first update.

    Raises:
        InputError: there is no such stack.
        StackError: pulumi cannot say.
    """
    settings_path(stack.project, stack.name)
    try:
        found: dict[str, dict[str, Any]] = stack.outputs().get("campaigns", {})
    except StackError as error:
        if NOT_DEPLOYED in error.message:
            return {}
        raise
    return found


def deployed_campaign(stack: Stack, name: str) -> dict[str, Any]:
    """Outputs of one deployed campaign.

    Raises:
        InputError: the stack has not deployed it.
    """
    found = outputs(stack)
    if name not in found:
        raise InputError(f"Stack {stack.name} has not deployed {name!r}. {did_you_mean(name, found)}", cure="pulumi up")
    return found[name]
