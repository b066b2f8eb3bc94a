"""``plantain models``: the table, and whether it still holds."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from plantain import completion, output
from plantain.dates import today
from plantain.errors import ErrorFound, InputError, WarningFound
from plantain.model_lifecycle import Lifecycle, lifecycle
from plantain.project import campaigns, project_root

app = typer.Typer(
    help="The image models: stage, location, retirement, price.",
    invoke_without_command=True,
    rich_markup_mode=None,
)

Model = Annotated[str, typer.Argument(help="Model id.", autocompletion=completion.models)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@app.callback()
def models(context: typer.Context, json: Json = False) -> None:
    """The image models: stage, location, retirement, price."""
    if context.invoked_subcommand is None:
        show_table(json=json)


@app.command("list")
def show_table(json: Json = False) -> None:
    """The table of models."""
    from generation.models import table  # noqa: PLC0415 -- keeps `plantain --help` fast

    found = [lifecycle(table(), model, today()) for model in table().models]
    if json:
        output.document([as_json(one) for one in found])
        return
    rows = [(one.model.id, one.model.stage, places(one), prices(one), retirement(one)) for one in found]
    output.table(("model", "stage", "served in", "USD per image", "retired"), rows, whole=("model",))
    for gone in table().retired:
        output.tell(f"{gone.id} was retired on {gone.on}; use {gone.successor}.")
    output.tell(price_note(found[0]))


@app.command()
def show(model: Model, json: Json = False) -> None:
    """Everything known of one model, with its successor and what that changes in cost."""
    from generation.models import table  # noqa: PLC0415 -- keeps `plantain --help` fast
    from plantain.model_facts import model_of  # noqa: PLC0415

    facts = model_of(model)
    one = lifecycle(table(), facts, today())
    if json:
        output.document(as_json(one))
        return
    rows = [
        ("model", f"{facts.name} ({facts.id}), {facts.stage} since {facts.released}"),
        ("served in", ", ".join(facts.locations)),
        ("sizes", prices(one)),
        ("aspect ratios", ", ".join(facts.aspect_ratios)),
        ("input images", str(facts.input.images)),
        ("batch", ", ".join(facts.batch.sizes) if facts.batch else "no"),
        ("flex", "yes" if facts.flex else "no"),
        ("retired", retirement(one)),
        ("successor", succession(one)),
        *(("unconfirmed", line) for line in facts.unconfirmed),
        ("source", facts.source),
    ]
    output.table(("what", "fact"), rows)
    output.tell(price_note(one))


@app.command()
def check(
    project: Annotated[str | None, typer.Option(help="Project to ask Vertex AI for; without it only dates.")] = None,
    json: Json = False,
) -> None:
    """Warn of retirements within 90 days and of old prices, for the models that campaigns use; ask Vertex AI."""
    from generation.models import table  # noqa: PLC0415 -- keeps `plantain --help` fast

    used = users()
    findings = [finding for model in table().models for finding in of_dates(lifecycle(table(), model, today()), used)]
    if project:
        findings += of_live(project)
    findings.sort(key=lambda one: (SEVERITIES.index(one["severity"]), one["model"]))
    if json:
        output.document({"date": str(today()), "asOf": table().as_of, "findings": findings})
    elif findings:
        output.table(
            ("severity", "model", "finding", "cure"),
            [(one["severity"], one["model"], one["finding"], one["cure"]) for one in findings],
        )
    worst = findings[0]["severity"] if findings else "note"
    if worst == "error":
        raise ErrorFound("A model that a campaign uses is gone, or the table is wrong about one that is served.")
    if worst == "warning":
        raise WarningFound("A model goes within 90 days, or what is known of one is old.")
    if not json:
        output.tell(
            "No model that a campaign uses goes within 90 days." + ("" if project else " Vertex AI was not asked.")
        )


SEVERITIES = ("error", "warning", "note")


def users() -> dict[str, list[str]]:
    """Campaigns by the model they use; empty outside a project."""
    try:
        found = campaigns(project_root())
    except InputError:
        return {}
    used: dict[str, list[str]] = {}
    for campaign in found:
        used.setdefault(campaign.function.model, []).append(campaign.name)
    return used


def of_dates(one: Lifecycle, used: dict[str, list[str]]) -> list[dict[str, str]]:
    """What a model's dates call for. A model that no campaign uses is a note, not a warning."""
    found: list[dict[str, str]] = []
    names = used.get(one.model.id, [])
    by = f" Campaigns that use it: {', '.join(names)}." if names else ""
    if one.state != "current":
        word = "went" if one.state == "retired" else f"goes {one.model.retirement_rule}"
        text = f"{one.model.name} {word} {one.model.retirement}.{by}"
        severity = ("error" if one.state == "retired" else "warning") if names else "note"
        found.append(of(severity, one.model.id, text, f"set function.model: {succession(one)}"))
    if one.price_is_stale:
        severity = "warning" if names else "note"
        text = f"Its price is of {one.model.price.as_of}, {one.price_days} days old."
        found.append(
            of(severity, one.model.id, text, "read the pricing page, then mend functions/generation/models.json")
        )
    return found


def of_live(project: str) -> list[dict[str, str]]:
    """Where Vertex AI and the table disagree."""
    from generation.models import table  # noqa: PLC0415 -- keeps `plantain --help` fast
    from plantain.google_cloud import GoogleCloud  # noqa: PLC0415
    from plantain.live_models import read  # noqa: PLC0415

    found: list[dict[str, str]] = []
    for reading in read(GoogleCloud.from_environment(), project, table().models):
        where = f"in {reading.location} for project {project}"
        if reading.served is False:
            text = f"The table says it is served; Vertex AI does not know it {where}."
            found.append(of("error", reading.model, text, "use another location or model; mend the table"))
        elif reading.served is None:
            found.append(of("warning", reading.model, f"Not known {where}: {reading.note}", "plantain doctor"))
    return found


def of(severity: str, model: str, finding: str, cure: str) -> dict[str, str]:
    """One finding."""
    return {"severity": severity, "model": model, "finding": finding, "cure": cure}


def places(one: Lifecycle) -> str:
    """Where a model is served, the rest counted."""
    first, rest = one.model.locations[:3], one.model.locations[3:]
    return ", ".join(first) + (f" and {len(rest)} more" if rest else "")


def prices(one: Lifecycle) -> str:
    """Price of an image by size."""
    return ", ".join(f"{size} {one.model.price_of(size).normalize():f}" for size in one.model.sizes)


def retirement(one: Lifecycle) -> str:
    """When a model goes, in words."""
    if one.model.retirement is None:
        return one.model.retirement_rule
    left = f" ({one.days_left} days)" if one.state == "retiring" else " (gone)" if one.state == "retired" else ""
    return f"{one.model.retirement_rule} {one.model.retirement}{left}"


def succession(one: Lifecycle) -> str:
    """What to use instead and what it changes."""
    if one.successor is None:
        return "none in the table"
    changes = ", ".join(f"{size} {change.normalize():+f}" for size, change in one.difference.items())
    return f"{one.successor.id} (USD per image: {changes})"


def price_note(one: Lifecycle) -> str:
    """Where the prices come from, and whether they are old."""
    price = one.model.price
    whose = "a third party's" if price.third_party else "Google's"
    old = f" STALE: {one.price_days} days old." if one.price_is_stale else ""
    return f"Prices: {whose}, as of {price.as_of} ({price.source}). What Google bills is what counts.{old}"


def as_json(one: Lifecycle) -> dict[str, Any]:
    """A model for programs: the table's own keys, and its place in time."""
    return {
        **one.model.model_dump(mode="json", by_alias=True),
        "lifecycle": {
            "state": one.state,
            "daysLeft": one.days_left,
            "successor": one.successor.id if one.successor else None,
            "differencePerImage": {size: str(change) for size, change in one.difference.items()},
            "priceDays": one.price_days,
            "priceIsStale": one.price_is_stale,
        },
    }
