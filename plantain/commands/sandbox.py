"""``plantain sandbox``: the local Google Cloud."""

from __future__ import annotations

import re
import shlex
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from plantain import completion, output
from plantain.errors import InputError
from plantain.sandbox_process import DEFAULT_DATA, Sandbox
from plantain.sandbox_stack import DATA_VARIABLE, sandbox_environment
from sandbox.settings import DEFAULT_PORT

app = typer.Typer(help="The local Google Cloud.", no_args_is_help=True)

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
LENGTH = re.compile(r"(\d+(?:\.\d+)?)([smhd])")

Data = Annotated[
    Path, typer.Option(help="Folder of its state; the shell's own, in a shell of sandbox env.", envvar=DATA_VARIABLE)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@app.command()
def up(
    data: Data = DEFAULT_DATA,
    port: Annotated[int, typer.Option(help="Loopback port; 0 takes a free one.")] = DEFAULT_PORT,
    seed: Annotated[int | None, typer.Option(help="Makes generated numbers and ids repeatable.")] = None,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="An own id for every operation; etags of a foreign form are refused."),
    ] = False,
) -> None:
    """Start it in the background."""
    sandbox = Sandbox.start(data, port, seed=seed, strict=strict)
    output.say(f"Sandbox at {sandbox.url} (process {sandbox.pid}), state in {data}.")
    output.say(f"Console for a browser: {sandbox.console}")
    output.say(f'For a shell: eval "$(plantain sandbox env --data {shlex.quote(str(data))})"')


@app.command()
def down(data: Data = DEFAULT_DATA) -> None:
    """Stop it; its state stays."""
    sandbox = Sandbox.attach(data)
    sandbox.stop()
    output.say(f"Sandbox stopped. Its state stays in {data}.")


@app.command()
def status(data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """Where it is, what it holds, which calls it could not answer."""
    sandbox = Sandbox.attach(data)
    report = sandbox.get("status")
    if json:
        output.document({**report, "console": sandbox.console})
        return
    rows = [
        ("URL", report["url"]),
        ("gRPC", f"{report['grpc']}, plain text; with TLS through {report['gateway']}"),
        ("process", str(report["pid"])),
        ("time", report["now"]),
        ("organisation", report["organization"]),
        ("requests", f"{report['requests']} in {report['milliseconds'] / 1000:.1f} s"),
        ("not emulated", ", ".join(report["notEmulated"]) or "no such call"),
        ("refused hosts", ", ".join(report["refusedHosts"]) or "none"),
        ("instances", ", ".join(i["service"] for i in report["instances"]) or "none"),
    ]
    output.table(("sandbox", ""), rows)
    output.say(f"Console for a browser: {sandbox.console}")


@app.command()
def env(
    data: Data = DEFAULT_DATA,
    member: Annotated[str | None, typer.Option("--as", help="Whose credentials, as user:jo@example.com.")] = None,
    network: Annotated[str | None, typer.Option(help="VPC network the shell stands in; none: outside.")] = None,
    address: Annotated[str | None, typer.Option(help="IP address that access levels see.")] = None,
    region: Annotated[str | None, typer.Option(help="Country code that access levels see, as CH.")] = None,
    json: Json = False,
) -> None:
    """Print what a shell needs: eval "$(plantain sandbox env)"."""
    sandbox = Sandbox.attach(data)
    wanted, cleared = sandbox.environment(member=member, network=network, address=address, region=region)
    wanted |= sandbox_environment(data)
    if json:
        output.document({"set": wanted, "clear": cleared})
        return
    output.say("unset " + " ".join(cleared))
    output.exports(wanted)


@app.command()
def rehearse(
    stack: Annotated[
        str, typer.Argument(help="Stack whose settings to try, as prod.", autocompletion=completion.stacks)
    ],
    name: Annotated[str, typer.Option(help="Stack to write them for.")] = "rehearsal",
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Write a stack's own settings for the sandbox, so that what will be deployed is tried first."""
    from plantain.project import project_root  # noqa: PLC0415
    from plantain.rehearsal import rehearse as write  # noqa: PLC0415

    root = project_root()
    sandbox = Sandbox.attach(data)
    path, changes = write(root, stack, f"http://127.0.0.1:{DEFAULT_PORT}", sandbox.url, name=name)
    if json:
        output.document({"file": path.name, "stack": name, "changes": changes})
        return
    output.say(f"{path.name} holds the settings of {stack}, but for:")
    for line in changes:
        output.say(f"  {line}")
    output.say(f"Next: pulumi stack select --create {name}; plantain doctor --stack {name}; pulumi up --stack {name}")


@app.command()
def requests(
    data: Data = DEFAULT_DATA,
    count: Annotated[int, typer.Option(help="How many of the last ones.")] = 30,
    json: Json = False,
) -> None:
    """The last requests and their answers."""
    entries = Sandbox.attach(data).get(f"requests?count={count}")
    if json:
        output.document(entries)
        return
    rows = [
        (e["time"][11:23], str(e["status"]), e["method"], e["principal"], e["denial"], e["note"][:80]) for e in entries
    ]
    output.table(("time", "status", "method", "caller", "why", "note"), rows)


@app.command()
def why(
    id: Annotated[  # noqa: A002 -- the name that the help shows
        str | None, typer.Argument(help="As `requests` lists it, a perimeter's unique identifier, or an insert id.")
    ] = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Explain a refused request: which rule, what is missing, and the command that mends it."""
    sandbox = Sandbox.attach(data)
    if id is None:
        last = sandbox.get("denials?count=1")
        if not last:
            output.say("Nothing has been refused yet.")
            return
        found = last[0]
    else:
        found = sandbox.get(f"denials/{quote(id, safe='')}")
    if json:
        output.document(found)
        return
    came = found["network"] or f"the internet address {found['address']}"
    output.say(f"{found['id']}  {found['method']}  {found['resource']}")
    output.say(f"    {found['time']}, by {found['caller']}, from {came}: {found['status']} ({found['refusedBy']})")
    for sentence in found["because"]:
        output.say(f"  - {sentence}")
    if found.get("rule"):
        output.heading("A rule that admits it:")
        output.document(found["rule"])
    if found["cure"]:
        output.heading("What mends it:")
        for command in found["cure"]:
            output.say(f"  {command}")


@app.command()
def faults(
    method: Annotated[str | None, typer.Argument(help="Calls to fail: a glob as 'storage.objects.*'.")] = None,
    path: Annotated[str, typer.Option(help="Only requests to this path: a glob as '*/projects/p/*'.")] = "*",
    kind: Annotated[str, typer.Option(help="error, reset, slow, lost, stale or kill.")] = "error",
    code: Annotated[int, typer.Option(help="HTTP status of an error.")] = 503,
    count: Annotated[int, typer.Option(help="How many calls fail; 0: without end.")] = 1,
    skip: Annotated[int, typer.Option(help="How many pass first.")] = 0,
    probability: Annotated[float, typer.Option(help="Of each call to fail.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Makes the draws repeatable.")] = 0,
    seconds: Annotated[float, typer.Option(help="How long a slow answer takes.")] = 1.0,
    clear: Annotated[bool, typer.Option(help="Take all back.")] = False,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Plan failures, or list what is planned: plantain sandbox faults 'storage.objects.*' --code 429 --count 3."""
    sandbox = Sandbox.attach(data)
    if clear:
        sandbox.delete("faults")
    if method:
        plan = {"method": method, "path": path, "kind": kind, "code": code, "count": count, "skip": skip}
        sandbox.post("faults", {**plan, "probability": probability, "seed": seed, "seconds": seconds})
    pending = sandbox.get("faults")
    if json:
        output.document(pending)
        return
    if not pending:
        output.say("No faults are planned.")
        return
    rows = [
        (
            fault["id"],
            fault["method"] if fault["path"] == "*" else f"{fault['method']} {fault['path']}",
            f"{fault['kind']} {fault['code']}" if fault["kind"] == "error" else fault["kind"],
            str(fault["skip"]),
            "all" if fault["left"] is None else str(fault["left"]),
            f"{fault['probability']:g}",
            str(fault["happened"]),
        )
        for fault in pending
    ]
    output.table(("fault", "method", "kind", "skip", "left", "probability", "happened"), rows)


@app.command()
def consistency(
    identities: Annotated[int, typer.Option(help="Reads that miss a new service account.")] = 0,
    grants: Annotated[int, typer.Option(help="Permission checks that miss a change of a policy.")] = 0,
    services: Annotated[float, typer.Option(help="Seconds until an enabled API answers.")] = 0.0,
    data: Data = DEFAULT_DATA,
) -> None:
    """Let changes be seen later, as with Google; without options everything is seen at once again."""
    lag = Sandbox.attach(data).post("consistency", {"identities": identities, "grants": grants, "services": services})
    output.say(
        f"New accounts are seen after {lag['identities']} reads, grants after {lag['grants']} checks, "
        f"enabled APIs after {lag['services']:g} s."
    )


@app.command()
def clock(
    advance: Annotated[str | None, typer.Option(help="How far forward: 90s, 30m, 6h, 10d.")] = None,
    to: Annotated[str | None, typer.Option(help="Up to this moment: 2026-12-31T00:00:00Z.")] = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Show the sandbox's time, or move it forward; what is due by then happens: lifecycle rules, alerts, expiry."""
    seconds = seconds_of(advance or "0s")
    sandbox = Sandbox.attach(data)
    if advance or to:
        state = sandbox.post("clock", {"seconds": seconds, **({"to": to} if to else {})})
    else:
        state = sandbox.get("clock")
    if json:
        output.document(state)
        return
    output.say(f"{state['now']} ({timedelta(seconds=round(state['ahead']))} ahead of real time)")


def seconds_of(text: str) -> float:
    """Seconds of ``90s``, ``30m``, ``6h`` or ``10d``.

    Raises:
        InputError: it is none of them.
    """
    found = LENGTH.fullmatch(text)
    if found is None:
        raise InputError(
            f"{text!r} is no length of time, so the clock stays where it is.", cure="say it as 90s, 30m, 6h or 10d"
        )
    return float(found[1]) * UNITS[found[2]]


@app.command()
def group(address: str, members: list[str], data: Data = DEFAULT_DATA) -> None:
    """Define a group's members: plantain sandbox group team@example.com user:jo@example.com."""
    Sandbox.attach(data).post("groups", {"group": address, "members": members})
    output.say(f"group:{address} = {', '.join(members)}")


@app.command()
def reset(data: Data = DEFAULT_DATA) -> None:
    """Forget everything, back to the empty organisation."""
    Sandbox.attach(data).post("reset")
    output.say("The sandbox is empty again.")
