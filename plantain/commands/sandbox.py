"""``plantain sandbox``: the local Google Cloud."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from plantain import output
from plantain.sandbox_process import DEFAULT_DATA, Sandbox
from plantain.sandbox_stack import sandbox_environment
from sandbox.settings import DEFAULT_PORT

app = typer.Typer(help="The local Google Cloud.", no_args_is_help=True)

Data = Annotated[Path, typer.Option(help="Folder of its state.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@app.command()
def up(
    data: Data = DEFAULT_DATA,
    port: Annotated[int, typer.Option(help="Loopback port; 0 takes a free one.")] = DEFAULT_PORT,
    seed: Annotated[int | None, typer.Option(help="Makes generated numbers and ids repeatable.")] = None,
) -> None:
    """Start it in the background."""
    sandbox = Sandbox.start(data, port, seed=seed)
    output.say(f"Sandbox at {sandbox.url} (process {sandbox.pid}), state in {data}.")
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
    report = Sandbox.attach(data).get("status")
    if json:
        output.document(report)
        return
    rows = [
        ("URL", report["url"]),
        ("process", str(report["pid"])),
        ("time", report["now"]),
        ("organisation", report["organization"]),
        ("requests", f"{report['requests']} in {report['milliseconds'] / 1000:.1f} s"),
        ("not emulated", ", ".join(report["notEmulated"]) or "no such call"),
        ("refused hosts", ", ".join(report["refusedHosts"]) or "none"),
        ("instances", ", ".join(i["service"] for i in report["instances"]) or "none"),
    ]
    output.table(("sandbox", ""), rows)


@app.command()
def env(
    data: Data = DEFAULT_DATA,
    member: Annotated[str | None, typer.Option("--as", help="Whose credentials, as user:jo@example.com.")] = None,
    network: Annotated[str | None, typer.Option(help="VPC network the shell stands in; none: outside.")] = None,
    json: Json = False,
) -> None:
    """Print what a shell needs: eval "$(plantain sandbox env)"."""
    sandbox = Sandbox.attach(data)
    wanted, cleared = sandbox.environment(member=member, network=network)
    wanted |= sandbox_environment(data)
    if json:
        output.document({"set": wanted, "clear": cleared})
        return
    output.say("unset " + " ".join(cleared))
    output.exports(wanted)


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
    rows = [(e["time"][11:23], str(e["status"]), e["method"], e["principal"], e["note"][:80]) for e in entries]
    output.table(("time", "status", "method", "caller", "note"), rows)


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
