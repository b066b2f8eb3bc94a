"""``plantain perimeter``: report, enforce, simulate."""

from __future__ import annotations

import datetime as dt
import json as jsonlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from plantain import completion, output
from plantain.errors import ErrorFound, InputError
from plantain.project import project_root, raw_settings, settings_path, stack_settings

if TYPE_CHECKING:
    from plantain.perimeters.denials import Group
    from plantain.perimeters.simulation import Answer

app = typer.Typer(
    help="What the perimeter refuses, and what it would refuse.", no_args_is_help=True, rich_markup_mode=None
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
StackName = Annotated[
    str, typer.Option("--stack", help="Stack that owns the perimeter.", autocompletion=completion.stacks)
]
WIDTH_OF_REASONS = 100
"""Columns from which a table of denials has room for their reasons; --json always has them."""

Days = Annotated[float, typer.Option(min=0.01, help="How many days back.")]


@app.command()
def report(
    stack: StackName = "sandbox",
    days: Days = 14.0,
    accept: Annotated[list[str] | None, typer.Option(help="Numbers of the lines to allow, or 'all'; repeat.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Write the rules into the stack's settings.")] = False,
    enforced: Annotated[bool, typer.Option("--enforced", help="Show also what was really refused.")] = False,
    json: Json = False,
) -> None:
    """What the dry-run configuration would refuse, by caller, API and method, and the smallest rules that allow it."""
    from plantain.perimeters.proposal import rules  # noqa: PLC0415

    groups = denials(stack, days, dry_run_only=not enforced)
    accepted = chosen(groups, accept or [])
    proposed = rules(group.denial for group in accepted)
    if json:
        output.document({"denials": [flat(group) for group in groups], "rules": proposed})
    else:
        show_denials(groups, days)
        if proposed:
            output.say("")
            output.say(f"Under plantain:perimeter of Pulumi.{stack}.yaml:")
            output.say(as_yaml(proposed))
        nameless = sum(not group.denial.identity for group in accepted)
        if nameless:
            output.complain(f"{nameless} accepted lines name no caller, so no rule is proposed for them.")
    if apply:
        if not proposed:
            raise InputError("There is no rule to write.", cure="--accept 1 --accept 2, or --accept all")
        path = write_rules(stack, proposed)
        output.complain(f"{path.name} holds the rules now. Next: pulumi preview --stack {stack}")


@app.command()
def enforce(
    stack: StackName = "sandbox",
    days: Days = 14.0,
    ignore: Annotated[
        list[str] | None, typer.Option(help="Caller whose denials are meant to be refused; repeat.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Write the setting.")] = False,
) -> None:
    """Turn dry-run into enforced, unless denials are left that nobody has explained."""
    root = project_root()
    perimeter = owned(stack)
    if perimeter.enforcement == "enforced":
        output.say(f"The perimeter of stack {stack} is enforced already.")
        return
    groups = denials(stack, days, dry_run_only=True)
    left = [group for group in groups if group.denial.identity not in (ignore or ())]
    if left:
        show_denials(left, days)
        raise ErrorFound(
            f"{len(left)} kinds of calls would be refused, and nobody has explained them. Nothing was changed.",
            cure=f"plantain perimeter report --stack {stack} --accept all --apply, or --ignore CALLER",
        )
    command = f"pulumi config set --path plantain:perimeter.enforcement enforced --stack {stack}"
    if not yes:
        output.say(f"Nothing would be refused that was seen in {days:g} days. To enforce: {command}")
        output.say("or run this again with --yes; then pulumi up")
        return
    from plantain.stack import Stack  # noqa: PLC0415

    Stack(stack, root, dict(os.environ)).set_config("plantain:perimeter.enforcement", "enforced")
    output.say(f"Pulumi.{stack}.yaml says enforced now. Next: pulumi up --stack {stack}")


@app.command()
def simulate(
    member: Annotated[str, typer.Option("--as", help="Who calls, as user:jo@example.com.")],
    service: Annotated[str, typer.Option(help="API, as storage.googleapis.com.")],
    to: Annotated[str, typer.Option(help="Project it goes to, as projects/123; or 'member', 'outside'.")] = "member",
    method: Annotated[str, typer.Option(help="Method as audit logs name it.")] = "*",
    source: Annotated[str | None, typer.Option("--from", help="Project of the caller's network, or 'member'.")] = None,
    address: Annotated[str, typer.Option(help="The caller's address.")] = "203.0.113.1",
    country: Annotated[str, typer.Option(help="Country of that address, as DE.")] = "",
    group: Annotated[list[str] | None, typer.Option(help="Group the caller is in; repeat.")] = None,
    stack: StackName = "sandbox",
    document: Annotated[Path | None, typer.Option(help="A perimeter as JSON instead of the settings.")] = None,
    json: Json = False,
) -> None:
    """Would this call pass? Answered from the settings, without a cloud. Ends with 11 when it would be refused."""
    from plantain.perimeters.simulation import Question, passes  # noqa: PLC0415
    from plantain.perimeters.simulation import simulate as answers_of  # noqa: PLC0415

    perimeters, levels = documents(stack, document)
    inside = (perimeters[0].get("status") or perimeters[0].get("spec") or {}).get("resources", ["projects/1"])[0]
    names = {"member": inside, "outside": "projects/999999999999"}
    question = Question(
        member,
        service if "." in service else f"{service}.googleapis.com",
        method,
        names.get(to, to),
        source=names.get(source, source) if source else None,
        address=address,
        region=country,
        groups=tuple(group or ()),
    )
    answers = answers_of(perimeters, levels, question)
    allowed = passes(answers)
    if json:
        output.document({"passes": allowed, "answers": output.fields(answers)})
    else:
        show_answers(answers)
    if not allowed:
        refusing = next(one for one in answers if not one.allowed and not one.dry_run)
        raise ErrorFound(f"The call would be refused: {refusing.because}", cure="plantain perimeter report, or a rule")


def denials(stack: str, days: float, *, dry_run_only: bool) -> list[Group]:
    """The denials of a stack's projects.

    Raises:
        InputError: nothing is deployed, so there are no logs.
    """
    from plantain.google_cloud import GoogleCloud  # noqa: PLC0415
    from plantain.perimeters.denials import read  # noqa: PLC0415
    from plantain.stack import Stack  # noqa: PLC0415

    root = project_root()
    outputs = Stack(stack, root, dict(os.environ)).outputs()
    projects = [one["projectId"] for one in outputs.get("campaigns", {}).values()]
    if not projects:
        raise InputError(f"Stack {stack} has no deployed campaign whose logs could be read.", cure="pulumi up")
    since = dt.datetime.now(dt.UTC) - dt.timedelta(days=days)
    found = read(GoogleCloud.from_environment(root, stack), projects, since, outputs.get("perimeter"))
    return [group for group in found if group.denial.dry_run or not dry_run_only]


def chosen(groups: list[Group], accept: list[str]) -> list[Group]:
    """The groups of some line numbers.

    Raises:
        InputError: a number is none of the lines.
    """
    if "all" in accept:
        return groups
    found = []
    for text in accept:
        if not text.isdigit() or not 1 <= int(text) <= len(groups):
            raise InputError(f"There is no line {text!r}; there are {len(groups)}.", cure="--accept 1, or --accept all")
        found.append(groups[int(text) - 1])
    return found


def flat(group: Group) -> dict[str, Any]:
    """A group for programs."""
    return {
        **output.fields(group.denial),
        "count": group.count,
        "last": group.last,
        "identifier": group.identifier,
    }


def show_denials(groups: list[Group], days: float) -> None:
    """A table of denials with line numbers, for ``--accept``."""
    if not groups:
        output.say(f"No denial in {days:g} days.")
        return
    rows = [
        (
            str(number),
            str(group.count),
            group.denial.direction + ("" if group.denial.dry_run else " (refused)"),
            group.denial.identity or "(hidden)",
            group.denial.service.removesuffix(".googleapis.com"),
            group.denial.method,
            group.denial.reason,
        )
        for number, group in enumerate(groups, 1)
    ]
    columns = ("", "count", "direction", "caller", "API", "method", "reason")
    # In a narrow terminal, what is to be allowed comes before why it was refused.
    shown = len(columns) if output.width() >= WIDTH_OF_REASONS else len(columns) - 1
    output.table(columns[:shown], [row[:shown] for row in rows], right=("", "count"), whole=("caller",))


def show_answers(answers: list[Answer]) -> None:
    """What each configuration says, and why each rule does not fit."""
    for one in answers:
        kind = "dry-run" if one.dry_run else "enforced"
        verdict = "passes" if one.allowed else "would be logged" if one.dry_run else "is refused"
        reason = f"by {one.rule}" if one.rule else one.because
        output.tell(f"{kind:<8}  {verdict}  {reason}".rstrip(), hang=10)
        if not one.allowed:
            for miss in one.misses:
                output.tell(f"          {miss}", hang=2)


def owned(stack: str) -> Any:
    """The perimeter that a stack owns.

    Raises:
        InputError: it has none, or joins another's.
    """
    perimeter = stack_settings(project_root(), stack).perimeter
    if perimeter is None or perimeter.membership == "join":
        raise InputError(
            f"Stack {stack} owns no perimeter, so its settings cannot say what one refuses.",
            cure="--stack OWNER, or --document perimeter.json of: gcloud access-context-manager perimeters describe",
        )
    return perimeter


def documents(stack: str, path: Path | None) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """Perimeters and access levels, from the settings or from a file.

    Raises:
        InputError: the file cannot be read, or the stack owns no perimeter.
    """
    if path:
        try:
            document = jsonlib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"{path} is no perimeter as JSON: {error}") from None
        listed = document.get("servicePerimeters", [document])
        return listed, {level["name"]: level for level in document.get("accessLevels", ())}
    from plantain.perimeters.document import level_documents, perimeter_document  # noqa: PLC0415

    settings = owned(stack)
    return [perimeter_document(settings, ["projects/1"])], level_documents(settings)


def as_yaml(rules: dict[str, Any]) -> str:
    """Rules as they stand in the settings file, below plantain:perimeter."""
    import yaml  # noqa: PLC0415

    text = yaml.safe_dump(rules, sort_keys=False, allow_unicode=True, default_flow_style=False, width=110)
    return "\n".join(f"    {line}" for line in text.rstrip().splitlines())


def write_rules(stack: str, rules: dict[str, Any]) -> Path:
    """Add rules to the settings file, which keeps its comments; refused unless infra accepts the result.

    Raises:
        InputError: the stack owns no perimeter, or the file would be wrong.
    """
    from ruamel.yaml import YAML  # noqa: PLC0415

    from plantain.perimeters.proposal import merged  # noqa: PLC0415

    root = project_root()
    owned(stack)
    path = settings_path(root, stack)
    before = path.read_text(encoding="utf-8")
    editor = YAML()
    editor.preserve_quotes = True
    editor.width = 4096
    document = editor.load(before)
    perimeter = document["config"]["plantain:perimeter"]
    for direction, listed in merged(raw_settings(root, stack)["perimeter"], rules).items():
        if direction in rules:
            perimeter[direction] = listed
    with path.open("w", encoding="utf-8") as file:
        editor.dump(document, file)
    try:
        stack_settings(root, stack)
    except InputError:
        path.write_text(before, encoding="utf-8")
        raise
    return path
