"""``plantain generate``: images through a campaign's function."""

from __future__ import annotations

import json as jsonlib
import os
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from plantain import completion, output
from plantain.errors import GenerationError, InputError
from plantain.suggestion import did_you_mean

SHORT_DIGEST = 12
#: Columns from which the table has room for sizes and digests beside the prompts.
WIDTH_OF_DIGESTS = 110
LONG_FOLDER = 24
OPTION_FIELDS = (
    ("negative_prompt", "negativePrompt"),
    ("previous", "previous"),
    ("aspect_ratio", "aspectRatio"),
    ("image_size", "imageSize"),
    ("model", "model"),
    ("seed", "seed"),
    ("count", "count"),
    ("person_generation", "personGeneration"),
    ("grounding", "grounding"),
    ("output_mime_type", "outputMimeType"),
    ("capacity", "capacity"),
    ("request_id", "requestId"),
    ("timeout_seconds", "timeoutSeconds"),
)


def generate(
    prompt: Annotated[str | None, typer.Option(help="What the image shows.")] = None,
    file: Annotated[Path | None, typer.Option(help="JSON Lines, CSV or text file of requests.")] = None,
    template: Annotated[str | None, typer.Option(help="Prompt with {{ column }} from each row of the file.")] = None,
    stack: Annotated[
        str, typer.Option(help="Stack that deployed the campaign.", autocompletion=completion.stacks)
    ] = "sandbox",
    campaign: Annotated[
        str | None, typer.Option(help="Campaign; needless when the stack has one.", autocompletion=completion.campaigns)
    ] = None,
    negative_prompt: Annotated[str | None, typer.Option(help="What the image must not show.")] = None,
    reference: Annotated[list[str] | None, typer.Option(help="Picture to work from: file or gs://; repeat.")] = None,
    mask: Annotated[str | None, typer.Option(help="Picture whose white part may change: file or gs://.")] = None,
    previous: Annotated[str | None, typer.Option(help="Id of an image to go on from.")] = None,
    aspect_ratio: Annotated[str | None, typer.Option(help="As 16:9.")] = None,
    image_size: Annotated[str | None, typer.Option(help="1K, 2K or 4K.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same image.")] = None,
    count: Annotated[int | None, typer.Option(help="Images of each request, 1 to 4.")] = None,
    model: Annotated[
        str | None, typer.Option(help="Model id; the campaign's own by default.", autocompletion=completion.models)
    ] = None,
    fallback: Annotated[
        list[str] | None,
        typer.Option(help="Model to try when the first has no room; repeat.", autocompletion=completion.models),
    ] = None,
    safety: Annotated[list[str] | None, typer.Option(help="CATEGORY=THRESHOLD; repeat.")] = None,
    person_generation: Annotated[str | None, typer.Option(help="ALLOW_ALL, ALLOW_ADULT or ALLOW_NONE.")] = None,
    grounding: Annotated[str | None, typer.Option(help="GOOGLE_SEARCH or ENTERPRISE_WEB_SEARCH.")] = None,
    output_mime_type: Annotated[str | None, typer.Option(help="image/png or image/jpeg.")] = None,
    capacity: Annotated[str | None, typer.Option(help="auto, dedicated, shared or flex.")] = None,
    label: Annotated[list[str] | None, typer.Option(help="KEY=VALUE for the bill; repeat.")] = None,
    request_id: Annotated[str | None, typer.Option(help="Your name for the request, in log and record.")] = None,
    timeout_seconds: Annotated[int | None, typer.Option(help="How long to wait for the model.")] = None,
    queued: Annotated[
        bool, typer.Option("--queued", help="Through the queue: slower, and peaks are not refused.")
    ] = False,
    field: Annotated[list[str] | None, typer.Option("--set", help="FIELD=JSON, any field of a request.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the local copies and of run.jsonl.")] = Path("out"),
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what an earlier run in that folder did.")] = False,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="Requests at once.")] = 4,
    attempts: Annotated[int, typer.Option(min=1, max=20, help="Tries of a request that may pass.")] = 4,
    most_cost: Annotated[float | None, typer.Option(min=0, help="Begin nothing more once this was spent.")] = None,
    sheet: Annotated[Path | None, typer.Option(help="Write a contact sheet, an HTML page.")] = None,
    impersonate: Annotated[str | None, typer.Option(help="Service account to call as.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Generate images, keep local copies, show what was made and what it cost.

    A run that was stopped goes on where it was when it is started again with the same folder: nothing is paid twice.
    """
    from plantain.function import Function  # noqa: PLC0415
    from plantain.generation_run.journal import Journal  # noqa: PLC0415
    from plantain.generation_run.runner import Runner  # noqa: PLC0415
    from plantain.identity import IdentityTokens  # noqa: PLC0415
    from plantain.stack import Stack  # noqa: PLC0415

    given = options_of(locals())
    requests = requests_of(prompt, file, given, template)
    deployed = deployed_campaign(Stack(stack, Path.cwd(), dict(os.environ)), campaign)
    uri = deployed["functionUri"]
    tokens = IdentityTokens(uri, impersonate)
    tokens()  # whoever may not call is told before anything is begun
    journal = Journal.open(out, fresh=fresh) if len(requests) > 1 else None
    with output.progress("requests", len(requests)) as bar:
        runner = Runner(
            Function(uri, tokens),
            out,
            journal=journal,
            concurrency=min(concurrency, len(requests)),
            attempts=attempts,
            most_cost=Decimal(str(most_cost)) if most_cost is not None else None,
            told=lambda meter: bar.advance(note=meter.note()),
        )
        results = runner.run(requests)
    if sheet:
        from plantain.generation_run.sheet import write_sheet  # noqa: PLC0415

        write_sheet(results, runner.meter, sheet, f"{len(results)} requests, {runner.meter.images} images")
        output.complain(f"Contact sheet: {sheet}")
    if json:
        output.document(results)
    else:
        show(results)
        resumed = sum(bool(result.get("resumed")) for result in results)
        if resumed:
            output.complain(f"{resumed} requests were done by an earlier run in {out} and not sent again.")
    refused = [result for result in results if "error" in result]
    if refused:
        first = refused[0]["error"]
        raise GenerationError(
            f"{len(refused)} of {len(results)} requests gave no image. First: {first['message']}",
            cure=first["hint"] or None,
        )


def options_of(given: dict[str, Any]) -> dict[str, Any]:
    """The request's fields that the options of the command line set.

    Raises:
        InputError: an option is not of its form, or a picture cannot be read.
    """
    from plantain.generation_run.references import reference  # noqa: PLC0415

    fields = {field: given[name] for name, field in OPTION_FIELDS if given[name] is not None}
    if given["reference"]:
        fields["references"] = [reference(text) for text in given["reference"]]
    if given["mask"]:
        fields["mask"] = reference(given["mask"])
    if given["fallback"]:
        fields["fallback"] = given["fallback"]
    if given["safety"]:
        fields["safety"] = dict(pair(text, "--safety HARM_CATEGORY_IMAGE_HATE=BLOCK_NONE") for text in given["safety"])
    if given["label"]:
        fields["labels"] = dict(pair(text, "--label market=de") for text in given["label"])
    if given["queued"]:
        fields["async"] = True
    for text in given["field"] or ():
        name, value = pair(text, "--set delivery=uri")
        try:
            fields[name] = jsonlib.loads(value)
        except ValueError:
            fields[name] = value
    return fields


def pair(text: str, example: str) -> tuple[str, str]:
    """Name and value of ``NAME=VALUE``.

    Raises:
        InputError: it is not of that form.
    """
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise InputError(f"{text!r} is not of the form NAME=VALUE.", cure=example)
    return name, value


def requests_of(
    prompt: str | None, file: Path | None, options: dict[str, Any], template: str | None = None
) -> list[dict[str, Any]]:
    """The requests that the command line means.

    Raises:
        InputError: neither or both sources are given, or the file is wrong.
    """
    from plantain.generation_run.prompts import read_prompts  # noqa: PLC0415

    if (prompt is None) == (file is None):
        raise InputError(
            "Nothing to generate: give either --prompt or --file.", cure='plantain generate --prompt "A ripe plantain"'
        )
    if template is not None and file is None:
        raise InputError("A template needs rows to fill it.", cure="--file rows.csv --template 'A {{ product }}'")
    requests = read_prompts(file, template) if file else [{"prompt": prompt}]
    return [{**request, **options} for request in requests]


def deployed_campaign(stack: Any, name: str | None) -> dict[str, Any]:
    """Outputs of one campaign of a stack.

    Raises:
        InputError: the stack has no such campaign, or several and none is named.
    """
    campaigns: dict[str, dict[str, Any]] = stack.outputs().get("campaigns", {})
    if name is None and len(campaigns) == 1:
        return next(iter(campaigns.values()))
    if name is None:
        known = ", ".join(sorted(campaigns)) or "none"
        raise InputError(
            f"Stack {stack.name} has not one campaign, and none was named. Deployed: {known}.", cure="--campaign NAME"
        )
    if name not in campaigns:
        raise InputError(
            f"Stack {stack.name} has no campaign {name!r}. {did_you_mean(name, campaigns)}", cure="--campaign NAME"
        )
    return campaigns[name]


def show(results: list[dict[str, Any]]) -> None:
    """A table of what was made, then where the copies lie."""
    rows: list[tuple[str, ...]] = []
    for result in results:
        if "error" in result:
            error = result["error"]
            rows.append((short(result["prompt"]), f"refused ({error['kind']}): {error['reason']}", "", "", "", ""))
            continue
        rows += [image_row(result, image) for image in result["images"]]
    columns = ("prompt", "object", "size", "bytes", "sha256", "cost")
    shown = range(len(columns)) if output.width() >= WIDTH_OF_DIGESTS else (0, 1, 2, 5)  # --json and --sheet have all
    output.table(
        [columns[place] for place in shown],
        [[row[place] for place in shown] for row in rows],
        right=("bytes", "cost"),
        whole=("object", "cost"),
    )
    for path in (path for result in results for path in result.get("files", [])):
        output.say(path)


def image_row(result: dict[str, Any], image: dict[str, Any]) -> tuple[str, ...]:
    """One line of the table."""
    return (
        short(result["prompt"]),
        object_name(image["uri"]),
        f"{image['width']}x{image['height']}",
        f"{image['bytes'] / 1024:.0f} KB",
        image["sha256"][:SHORT_DIGEST],
        "cached" if result["cached"] else f"{result['cost']['amount']} {result['cost']['currency']}",
    )


def object_name(uri: str) -> str:
    """An object's name in its bucket, with the middle of its long digest left out."""
    name = uri.partition("//")[2].partition("/")[2]
    folder, _, file = name.rpartition("/")
    return f"{folder[:19]}…/{file}" if len(folder) > LONG_FOLDER else name


def short(prompt: str, length: int = 44) -> str:
    """The beginning of a prompt."""
    return prompt if len(prompt) <= length else prompt[: length - 1] + "…"
