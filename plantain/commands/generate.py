"""``plantain generate``: images through a campaign's function."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from plantain import output
from plantain.errors import GenerationError, InputError
from plantain.function import Function, Refusal
from plantain.identity import identity_token
from plantain.prompts import read_prompts
from plantain.stack import Stack

SHORT_DIGEST = 12
LONG_FOLDER = 24


def generate(
    prompt: Annotated[str | None, typer.Option(help="What the image shows.")] = None,
    file: Annotated[Path | None, typer.Option(help="JSON Lines file, one request a line.")] = None,
    stack: Annotated[str, typer.Option(help="Stack that deployed the campaign.")] = "sandbox",
    campaign: Annotated[str | None, typer.Option(help="Campaign; needless when the stack has one.")] = None,
    aspect_ratio: Annotated[str | None, typer.Option(help="As 16:9.")] = None,
    image_size: Annotated[str | None, typer.Option(help="1K, 2K or 4K.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same image.")] = None,
    model: Annotated[str | None, typer.Option(help="Model id; the campaign's own by default.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the local copies.")] = Path("out"),
    impersonate: Annotated[str | None, typer.Option(help="Service account to call as.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Generate images, keep local copies, show what was made and what it cost."""
    options = {"aspectRatio": aspect_ratio, "imageSize": image_size, "seed": seed, "model": model}
    given = {key: value for key, value in options.items() if value is not None}
    requests = requests_of(prompt, file, given)
    deployed = deployed_campaign(Stack(stack, Path.cwd(), dict(os.environ)), campaign)
    uri = deployed["functionUri"]
    function = Function(uri, identity_token(uri, impersonate))
    results = run(function, requests, out)
    if json:
        output.document(results)
    else:
        show(results)
    refused = [result for result in results if "error" in result]
    if refused:
        first = refused[0]["error"]
        raise GenerationError(
            f"{len(refused)} of {len(results)} requests gave no image. First: {first['message']}",
            cure=first["hint"] or None,
        )


def requests_of(prompt: str | None, file: Path | None, options: dict[str, Any]) -> list[dict[str, Any]]:
    """The requests that the command line means.

    Raises:
        InputError: neither or both sources are given, or the file is wrong.
    """
    if (prompt is None) == (file is None):
        raise InputError(
            "Nothing to generate: give either --prompt or --file.", cure='plantain generate --prompt "A ripe plantain"'
        )
    requests = read_prompts(file) if file else [{"prompt": prompt}]
    return [{**request, **options} for request in requests]


def deployed_campaign(stack: Stack, name: str | None) -> dict[str, Any]:
    """Outputs of one campaign of a stack.

    Raises:
        InputError: the stack has no such campaign, or several and none is named.
    """
    campaigns: dict[str, dict[str, Any]] = stack.outputs().get("campaigns", {})
    if name is None and len(campaigns) == 1:
        return next(iter(campaigns.values()))
    if name not in campaigns:
        known = ", ".join(sorted(campaigns)) or "none"
        problem = f"has no campaign {name!r}" if name else "has several campaigns, or none"
        raise InputError(f"Stack {stack.name} {problem}: {known}.", cure="plantain generate --campaign NAME")
    return campaigns[name]


def run(function: Function, requests: list[dict[str, Any]], out: Path) -> list[dict[str, Any]]:
    """Answers in the order of the requests, each with the paths of its local copies, or with its error."""
    results: list[dict[str, Any]] = []
    for request in requests:
        answer = function.generate(request)
        if isinstance(answer, Refusal):
            results.append({"prompt": request["prompt"], "error": asdict(answer)})
            continue
        paths = [
            str(function.download(image, out / f"{answer['id'][:SHORT_DIGEST]}-{index}"))
            for index, image in enumerate(answer["images"])
        ]
        results.append({"prompt": request["prompt"], "request": request, **answer, "files": paths})
    return results


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
    output.table(columns, rows, right=("bytes", "cost"))
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
