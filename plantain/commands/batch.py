"""``plantain batch``: prepare, submit, watch, cancel, fetch, show."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from plantain import completion, output
from plantain.batch import presentation
from plantain.errors import ErrorFound, InputError, WarningFound
from plantain.project import project_root

if TYPE_CHECKING:
    from plantain.google_cloud import GoogleCloud

app = typer.Typer(
    help="Many images at half the price, through Vertex AI batch.", no_args_is_help=True, rich_markup_mode=None
)

Folder = Annotated[Path, typer.Argument(help="Folder of the batch.")]
StackName = Annotated[
    str, typer.Option("--stack", help="Stack that deployed the campaign.", autocompletion=completion.stacks)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
NAME = re.compile(r"^[a-z][a-z0-9-]{0,40}$")


@app.command()
def prepare(
    source: Annotated[str, typer.Argument(help="JSON Lines, CSV or text file, or bq://project.dataset.table.")],
    folder: Annotated[Path | None, typer.Option(help="Folder of the batch; batch/NAME by default.")] = None,
    name: Annotated[str | None, typer.Option(help="Name; the file's by default.")] = None,
    stack: StackName = "sandbox",
    campaign: Annotated[
        str | None, typer.Option(help="Campaign; needless when the stack has one.", autocompletion=completion.campaigns)
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Model; the campaign's own by default.", autocompletion=completion.models)
    ] = None,
    skip_wrong: Annotated[bool, typer.Option("--skip-wrong", help="Leave wrong rows out instead of stopping.")] = False,
    after: Annotated[
        list[Path] | None, typer.Option(help="Folder of an earlier batch whose images count; repeat.")
    ] = None,
    json: Json = False,
) -> None:
    """Validate the rows, leave out repetitions and known images, split by the limits, work out the cost."""
    from plantain.batch import preparation  # noqa: PLC0415
    from plantain.batch.plan import Plan  # noqa: PLC0415
    from plantain.batch.rows import rows  # noqa: PLC0415
    from plantain.model_facts import model_of  # noqa: PLC0415

    title = name or re.sub(r"[^a-z0-9]+", "-", Path(source).stem.lower()).strip("-")[:40]
    if not NAME.match(title):
        raise InputError(f"{title!r} is no name for a batch.", cure="--name spring-2027: letters, digits, hyphens")
    place = folder or Path("batch") / title
    refuse_submitted(place)
    outputs = deployed(stack, campaign)
    facts = model_of(model or outputs["model"])
    if facts.batch is None:
        raise InputError(f"{facts.id} has no batch inference.", cure="plantain models")
    done: set[str] = set()
    for earlier in after or ():
        done |= preparation.fingerprints(earlier)
    with output.progress("rows", None) as bar:
        found = preparation.prepare(
            rows(source, cloud_of(stack) if source.startswith("bq://") else None),
            place,
            facts,
            outputs["labels"],
            done=done,
            told=bar.advance,
        )
    if found.wrong and not skip_wrong:
        shown = "\n  ".join(found.first_wrong)
        raise InputError(
            f"{found.wrong} of {found.rows} rows are wrong, so nothing is ready:\n  {shown}",
            cure=f"mend them ({place / preparation.WRONG} lists all), or --skip-wrong",
        )
    if not found.parts:
        raise InputError(f"{source} holds nothing to make: {found.known} rows have images already.")
    plan = Plan(
        name=title,
        model=facts.id,
        location=outputs["location"],
        project=outputs["projectId"],
        bucket=outputs["bucket"],
        labels=outputs["labels"],
        source=source,
        rows=found.rows,
        repeated=found.repeated,
        known=found.known,
        wrong=found.wrong,
        expected_cost=found.cost(facts),
        currency=facts.price.currency,
        parts=found.parts,
    )
    plan.save(place)
    presentation.show(plan, place, json=json)
    if not json:
        output.say(f"Next: plantain batch submit {place}")


@app.command()
def submit(folder: Folder, stack: StackName = "sandbox", json: Json = False) -> None:
    """Upload the inputs and create the jobs. Done twice it changes nothing."""
    from plantain.batch.plan import Plan  # noqa: PLC0415
    from plantain.batch.submission import submit as send  # noqa: PLC0415

    plan = Plan.load(folder)
    with output.progress("jobs", len(plan.parts)) as bar:
        send(cloud_of(stack), plan, folder, lambda _: bar.advance())
    presentation.show(plan, folder, json=json)
    if not json:
        output.say(f"Next: plantain batch watch {folder}")


@app.command()
def watch(
    folder: Folder,
    stack: StackName = "sandbox",
    every: Annotated[float, typer.Option(min=0.05, help="Seconds between looks.")] = 30.0,
    once: Annotated[bool, typer.Option("--once", help="Look once and end.")] = False,
    json: Json = False,
) -> None:
    """Wait until all jobs have ended. Ctrl-C stops the watching, not the jobs."""
    from plantain.batch.plan import CUT_SHORT, ENDED, Plan  # noqa: PLC0415
    from plantain.batch.submission import refresh  # noqa: PLC0415

    plan = Plan.load(folder)
    if not all(part.job for part in plan.parts):
        raise InputError(f"{folder} has parts without a job.", cure=f"plantain batch submit {folder}")
    cloud = cloud_of(stack)
    ended = 0
    with output.progress("jobs", len(plan.parts)) as bar:
        while True:
            refresh(cloud, plan)
            plan.save(folder)
            now = sum(part.state in ENDED for part in plan.parts)
            if now > ended:
                bar.advance(
                    now - ended, note=", ".join(sorted({presentation.short(part.state) for part in plan.parts}))
                )
                ended = now
            if once or ended == len(plan.parts):
                break
            time.sleep(every)
    presentation.show(plan, folder, json=json)
    failed = [part for part in plan.parts if part.state == "JOB_STATE_FAILED"]
    if failed:
        raise ErrorFound(
            f"{len(failed)} of {len(plan.parts)} jobs failed: {failed[0].error or 'no reason given'}",
            cure=f"mend the reason; plantain batch fetch {folder} puts the rows without an image into retry.jsonl",
        )
    stopped = [presentation.short(part.state) for part in plan.parts if part.state in CUT_SHORT]
    if stopped and ended == len(plan.parts):
        raise WarningFound(
            f"{len(stopped)} of {len(plan.parts)} jobs ended before their time: {', '.join(sorted(set(stopped)))}.",
            cure=f"plantain batch fetch {folder} takes what they made and puts the rest into retry.jsonl",
        )
    if not json and ended == len(plan.parts):
        output.say(f"Next: plantain batch fetch {folder}")


@app.command()
def cancel(folder: Folder, stack: StackName = "sandbox", json: Json = False) -> None:
    """Stop the jobs that have not ended. What they made can be fetched. Done twice it changes nothing."""
    from plantain.batch.plan import Plan  # noqa: PLC0415
    from plantain.batch.submission import cancel as stop  # noqa: PLC0415

    plan = Plan.load(folder)
    if not any(part.job for part in plan.parts):
        raise InputError(
            f"{folder} has no jobs, so there is nothing to cancel.", cure=f"plantain batch submit {folder}"
        )
    with output.progress("jobs", len(plan.parts)) as bar:
        asked = stop(cloud_of(stack), plan, folder, lambda _: bar.advance())
    presentation.show(plan, folder, json=json)
    if json:
        return
    never = sum(not part.job for part in plan.parts)
    if never:
        output.say(f"{never} parts were never submitted, and cost nothing.")
    if asked:
        output.say(f"Asked for the end of {len(asked)} jobs. Next: plantain batch watch {folder}, then fetch it")
    else:
        output.say(f"Every job had ended already. Next: plantain batch fetch {folder}")


@app.command()
def fetch(
    folder: Folder,
    stack: StackName = "sandbox",
    to_table: Annotated[str | None, typer.Option(help="Add the results to a table, project.dataset.table.")] = None,
    json: Json = False,
) -> None:
    """Take the images, name them by their request, put rows without an image into retry.jsonl, add up the cost."""
    from plantain.batch.plan import Plan  # noqa: PLC0415
    from plantain.batch.retrieval import RETRY, results  # noqa: PLC0415
    from plantain.batch.retrieval import fetch as take  # noqa: PLC0415
    from plantain.batch.submission import refresh  # noqa: PLC0415
    from plantain.model_facts import model_of  # noqa: PLC0415

    plan = Plan.load(folder)
    cloud = cloud_of(stack)
    refresh(cloud, plan)
    plan.save(folder)
    with output.progress("images", plan.lines) as bar:
        take(cloud, plan, folder, model_of(plan.model), bar.advance)
    if to_table:
        from plantain.batch.table import insert  # noqa: PLC0415

        output.complain(f"{insert(cloud, to_table, results(folder))} rows added to {to_table}.")
    presentation.show(plan, folder, json=json)
    failed = [part for part in plan.parts if part.state == "JOB_STATE_FAILED"]
    if failed:
        raise ErrorFound(
            f"{len(failed)} of {len(plan.parts)} jobs failed: {failed[0].error or 'no reason given'}",
            cure=f"mend the reason, then plantain batch prepare {folder / RETRY} --after {folder} "
            f"--name {plan.name}-retry",
        )
    running = [part for part in plan.parts if not part.settled]
    if running:
        states = ", ".join(sorted({presentation.short(part.state) or "not submitted" for part in running}))
        raise WarningFound(
            f"{len(running)} of {len(plan.parts)} jobs have no results yet: {states}.",
            cure=f"plantain batch watch {folder}, then fetch again",
        )
    if plan.failed:
        raise WarningFound(
            f"{plan.failed} rows have no image.",
            cure=f"plantain batch prepare {folder / RETRY} --after {folder} --name {plan.name}-retry",
        )


@app.command("show")
def show_batch(folder: Folder, json: Json = False) -> None:
    """What a batch is and how far it has come; asks nobody."""
    from plantain.batch.plan import Plan  # noqa: PLC0415

    presentation.show(Plan.load(folder), folder, json=json)


def refuse_submitted(folder: Path) -> None:
    """A batch whose jobs exist is not prepared again under their feet.

    Raises:
        InputError: it has jobs.
    """
    from plantain.batch.plan import NAME as PLAN  # noqa: PLC0415
    from plantain.batch.plan import Plan  # noqa: PLC0415

    if (folder / PLAN).is_file() and any(part.job for part in Plan.load(folder).parts):
        raise InputError(f"{folder} has jobs already, so it is not prepared again.", cure="another --folder or --name")


def deployed(stack: str, campaign: str | None) -> dict[str, Any]:
    """Outputs of the campaign that pays, with its model and the model's location.

    Raises:
        InputError: the stack has no such campaign.
    """
    from generation.models import table  # noqa: PLC0415
    from plantain.commands.generate import deployed_campaign  # noqa: PLC0415
    from plantain.errors import PlantainError  # noqa: PLC0415
    from plantain.project import campaign as read_campaign  # noqa: PLC0415
    from plantain.stack import Stack  # noqa: PLC0415

    root = project_root()
    outputs = deployed_campaign(Stack(stack, root, dict(os.environ)), campaign)
    labels = outputs.get("labels", {})
    try:
        function = read_campaign(root, labels.get("campaign", campaign or "")).function
        model, location = function.model, function.location
    except PlantainError:  # the stack's campaign has no file here: its model is the table's
        model, location = table().default, None
    facts = table().get(model)
    return {
        **outputs,
        "model": model,
        "labels": labels,
        "location": location or (facts.locations[0] if facts else "global"),
    }


def cloud_of(stack: str) -> GoogleCloud:
    """The cloud that a stack is in."""
    from plantain.google_cloud import GoogleCloud  # noqa: PLC0415

    return GoogleCloud.from_environment(project_root(), stack)
