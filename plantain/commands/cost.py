"""``plantain cost``: forecast, plan, report, budgets."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any

import typer

from plantain import completion, output
from plantain.dates import day, today
from plantain.errors import InputError, WarningFound
from plantain.model_facts import model_of
from plantain.project import campaign as read_campaign
from plantain.project import project_root, stack_settings

app = typer.Typer(
    help="What images will cost, what they did cost, and how to size.", no_args_is_help=True, rich_markup_mode=None
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
StackName = Annotated[
    str, typer.Option("--stack", help="Stack that deployed the campaigns.", autocompletion=completion.stacks)
]
BUDGET_ALERT = Decimal("0.85")


@app.command()
def forecast(
    campaign: Annotated[
        str, typer.Argument(help="Campaign, or the path of its file.", autocompletion=completion.campaigns)
    ],
    images: Annotated[list[str], typer.Option(help="Images a month, as 800 or 4K=200; repeat for several sizes.")],
    model: Annotated[
        str | None, typer.Option(help="Model; the campaign's own by default.", autocompletion=completion.models)
    ] = None,
    peak: Annotated[float | None, typer.Option(help="Images in the busiest minute.")] = None,
    unit_price: Annotated[str | None, typer.Option(help="Price of a throughput unit for a month.")] = None,
    references: Annotated[int, typer.Option(min=0, help="Reference images in a request.")] = 0,
    views: Annotated[float, typer.Option(min=0, help="Times an image is downloaded to the internet.")] = 1.0,
    html: Annotated[Path | None, typer.Option(help="Also write a page.")] = None,
    json: Json = False,
) -> None:
    """A month of a campaign: the model in each price mode, and everything around it."""
    from plantain.cost.forecast import Assumptions, parse_images  # noqa: PLC0415
    from plantain.cost.forecast import forecast as foretell  # noqa: PLC0415
    from plantain.cost.prices import prices  # noqa: PLC0415

    found = read_campaign(project_root(), campaign)
    facts = model_of(model or found.function.model)
    wanted = parse_images(images, facts)
    assumed = Assumptions(references=references, views=views)
    stale = stale_prices(facts)
    result = foretell(
        found, facts, wanted, prices(), assumed, peak_per_minute=peak, unit_price=amount(unit_price), stale=stale
    )
    if html:
        from plantain.pages import write_page  # noqa: PLC0415

        context = {"forecast": result, "campaign": found.name, "assumed": assumed, "prices": prices(), "model": facts}
        write_page("forecast.html", html, title=f"Cost forecast of {found.name}", **context)
        output.complain(f"Page: {html}")
    if json:
        output.document({**output.fields(result), "total": result.total})
        return
    shown = ", ".join(f"{count} of {size}" for size, count in wanted.items())
    output.say(f"{found.name}: {shown} a month with {facts.id}, in {result.currency}")
    rows = [(mode.name, "-" if mode.amount is None else f"{mode.amount:,}", mode.note) for mode in result.modes]
    output.table(("model, paid as", "a month", "note"), rows, right=("a month",))
    output.say("")
    lines = [(line.item, f"{line.amount:,}", line.basis) for line in result.around]
    output.table(("around it", "a month", "basis"), lines, right=("a month",))
    output.say("")
    output.say(f"Total in standard mode: {result.total:,} {result.currency}.")
    if result.break_even_images is not None:
        output.tell(f"Provisioned throughput is cheaper from {result.break_even_images:,} images a month.")
    elif unit_price:
        output.tell("Provisioned throughput is dearer at this price, however much it is used.")
    if result.break_even_unit_price is not None:
        price = f"{result.break_even_unit_price:,} {result.currency}"
        output.tell(f"A unit pays off below {price} a month, when it is always in use.")
    output.tell(
        f"Assumed: {assumed.prompt_tokens} tokens of prompt, {assumed.thinking_tokens} of thinking, "
        f"{assumed.references} references, {assumed.seconds:.0f} s an image, downloaded {assumed.views:g} times."
    )
    output.tell(f"Prices as of {facts.price.as_of}, from third parties; plantain models and --html give the sources.")
    for name in stale:
        output.complain(f"warning: the price of {name} is old; read it again")


@app.command()
def plan(
    per_minute: Annotated[float, typer.Argument(min=0.01, help="Images in the busiest minute.")],
    model: Annotated[
        str | None, typer.Option(help="Model; the default one otherwise.", autocompletion=completion.models)
    ] = None,
    size: Annotated[str | None, typer.Option(help="1K, 2K, 4K; the model's default otherwise.")] = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="Seconds the model takes for an image.")] = 25.0,
    concurrency: Annotated[int, typer.Option(min=1, max=80, help="Requests of an instance at once.")] = 8,
    wait: Annotated[float, typer.Option(min=0, help="Minutes that an image may be waited for.")] = 0.0,
    json: Json = False,
) -> None:
    """From images a minute to instances, memory, subnet, queue rates and throughput units."""
    from generation.models import table  # noqa: PLC0415
    from plantain.cost.forecast import Assumptions  # noqa: PLC0415
    from plantain.cost.plan import plan as size_up  # noqa: PLC0415

    facts = model_of(model or table().default)
    chosen = size or facts.default_size
    if chosen not in facts.sizes:
        raise InputError(f"{facts.id} makes no {chosen!r} images.", cure=f"use one of {', '.join(facts.sizes)}")
    assumed = Assumptions(seconds=seconds)
    found = size_up(
        facts, size=chosen, per_minute=per_minute, concurrency=concurrency, assumed=assumed, wait_minutes=wait
    )
    if json:
        output.document(output.fields(found))
        return
    units = "not sold" if found.units is None else f"{found.units} units"
    window = f", averaged over {found.window_seconds} s" if found.window_seconds else ""
    rows = [
        ("road", found.road, ""),
        ("requests at once", str(found.in_flight), f"{per_minute:g} a minute, {seconds:g} s each"),
        ("concurrency", str(found.concurrency), "function.concurrency"),
        ("instances", str(found.instances), "function.maxInstances: 85 % used at the peak"),
        ("memory", f"{found.memory_gib}Gi", "function.memory"),
        ("subnet", f"/{found.prefix}", "network.ipRange: two addresses an instance"),
        (
            "queue",
            f"{found.dispatches_per_second:g} a second, {found.in_flight} at once",
            "dispatch rate and concurrency",
        ),
        ("provisioned throughput", units + window, f"all of it; less for the steady part only ({facts.id}, {chosen})"),
    ]
    output.table(("what", "size", "why, or setting"), rows)
    for warning in found.warnings:
        output.complain(f"warning: {warning}")


@app.command()
def report(
    stack: StackName = "sandbox",
    first: Annotated[str | None, typer.Option("--from", help="First day; else the first of this month.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day; else today.")] = None,
    export: Annotated[str | None, typer.Option(help="Billing export, project.dataset.table.")] = None,
    html: Annotated[Path | None, typer.Option(help="Also write a page.")] = None,
    json: Json = False,
) -> None:
    """What was billed, by export and request labels, against what the functions recorded; differences explained."""
    from plantain.cost import report as reports  # noqa: PLC0415
    from plantain.google_cloud import GoogleCloud  # noqa: PLC0415

    now = today()
    start, end = day(first) or now.replace(day=1), day(last) or now
    if end < start:
        raise InputError(f"The time ends before it begins: {start} to {end}.", cure="--from earlier, or --to later")
    projects = deployed_projects(stack)
    cloud = GoogleCloud.from_environment(stack=stack)
    records = reports.recorded(cloud, [one["projectId"] for one in projects.values()], start, end)
    rows = reports.billed(cloud, export.split(".")[0], export, start, end) if export else []
    compared = reports.reconciled(rows, records, last=end, today=now)
    document = {
        "from": start,
        "to": end,
        "export": export,
        "recorded": records,
        "billed": rows,
        "reconciled": compared,
    }
    if html:
        from plantain.pages import write_page  # noqa: PLC0415

        write_page("report.html", html, title=f"Cost, {start} to {end}", **document)
        output.complain(f"Page: {html}")
    if json:
        compared_fields = {name: output.fields(document[name]) for name in ("recorded", "billed", "reconciled")}
        output.document({**document, **compared_fields})
        return
    columns = ("campaign", "model", "images", "requests", "cached", "failed", "cost")
    output.table(
        columns,
        [
            (r.campaign, r.model, str(r.images), str(r.requests), str(r.cached), str(r.failed), f"{r.cost:.2f}")
            for r in records
        ],
        right=columns[2:],
    )
    if not export:
        output.tell("Recorded by the functions. What was billed: --export project.dataset.gcp_billing_export_v1_...")
        return
    output.say("")
    compared_columns = ("campaign", "Vertex AI billed", "recorded", "difference", "rest billed", "what that means")
    output.table(
        compared_columns,
        [
            (
                c.campaign,
                f"{c.model_cost:.2f}",
                f"{c.recorded_cost:.2f}",
                f"{c.difference:+.2f}",
                f"{c.other_cost:.2f}",
                c.explanation,
            )
            for c in compared
        ],
        right=compared_columns[1:5],
    )


@app.command()
def budget(stack: StackName = "sandbox", json: Json = False) -> None:
    """The billing account's budgets, with this month's recorded spend; warns from 85 % on."""
    from plantain.cost import report as reports  # noqa: PLC0415
    from plantain.cost.budget import budgets  # noqa: PLC0415
    from plantain.google_cloud import GoogleCloud  # noqa: PLC0415

    settings = stack_settings(project_root(), stack)
    projects = deployed_projects(stack)
    cloud = GoogleCloud.from_environment(stack=stack)
    now = today()
    records = reports.recorded(cloud, [one["projectId"] for one in projects.values()], now.replace(day=1), now)
    spent = {
        deployed["projectNumber"]: sum((one.cost for one in records if one.campaign == name), Decimal(0))
        for name, deployed in projects.items()
    }
    found = budgets(cloud, settings.billing_account, spent)
    if json:
        output.document([{**output.fields(one), "crossed": one.crossed} for one in found])
    else:
        rows = [
            (
                one.name,
                f"{one.amount:.2f} {one.currency}" if one.amount is not None else "last month's",
                "-" if one.spent is None else f"{one.spent:.2f}",
                ", ".join(dict.fromkeys(f"{share:.0%}" for share in one.thresholds)),
                "-" if one.crossed is None else f"{one.crossed:.0%}",
            )
            for one in found
        ]
        output.table(("budget", "amount", "recorded", "told at", "reached"), rows, right=("amount", "recorded"))
        if not found:
            output.say(f"Billing account {settings.billing_account} has no budget.")
    reached = [one.name for one in found if one.crossed is not None and one.crossed >= BUDGET_ALERT]
    if reached:
        raise WarningFound(f"85 % of a budget is spent: {', '.join(reached)}.", cure="plantain cost report")


def stale_prices(model: Any) -> tuple[str, ...]:
    """Names of prices that a forecast uses and that are old."""
    from plantain.cost.prices import prices  # noqa: PLC0415
    from plantain.model_lifecycle import STALE_PRICE_DAYS, month_end  # noqa: PLC0415

    now = today()
    old = (now - month_end(model.price.as_of)).days > STALE_PRICE_DAYS
    return ((model.id,) if old else ()) + tuple(prices().stale(now))


def amount(text: str | None) -> Decimal | None:
    """A sum of money.

    Raises:
        InputError: it is none.
    """
    if text is None:
        return None
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal(-1)
    if not found.is_finite() or found <= 0:
        raise InputError(f"{text!r} is no price.", cure="--unit-price 2500")
    return found


def deployed_projects(stack: str) -> dict[str, dict[str, Any]]:
    """The deployed campaigns of a stack with their outputs.

    Raises:
        StackError: there is no such stack.
        InputError: it has no campaign.
    """
    from plantain.stack import Stack  # noqa: PLC0415

    found: dict[str, dict[str, Any]] = Stack(stack, project_root()).outputs().get("campaigns", {})
    if not found:
        raise InputError(f"Stack {stack} has no deployed campaign, so nothing was spent.", cure="pulumi up")
    return found
