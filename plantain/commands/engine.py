"""``plantain engine``: which Pulumi engine is used, fetched or built first if there is none."""

from __future__ import annotations

from typing import Annotated

import typer

from plantain import output
from plantain.engine import Engine, resolve

app = typer.Typer(help="The Pulumi engine: found, fetched, or built.", no_args_is_help=False)

_ORIGIN = {
    "installed": "installed on this machine",
    "released": "Pulumi's own release, in the cache",
    "built": "built from Go modules, in the cache",
}


@app.callback(invoke_without_command=True)
def show(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    build: Annotated[bool, typer.Option("--build", help="Build it from Go modules anew.")] = False,
) -> None:
    """Get the engine ready and say which one is used. PLANTAIN_ENGINE=installed|released|built asks for one."""
    if context.invoked_subcommand is not None:
        return
    engine = resolve(rebuild=build, thorough=True)
    if json:
        output.document(_described(engine))
        return
    rows = [
        ("from", _ORIGIN[engine.source]),
        ("pulumi", f"{engine.versions['pulumi']}  {engine.pulumi}"),
        ("gcp plugin", f"{engine.versions['gcp']}  {engine.plugin}"),
        ("PULUMI_HOME", str(engine.home or "the user's own")),
    ]
    output.table(("engine", ""), rows)
    output.say('For a shell: eval "$(plantain engine env)"')


@app.command()
def env() -> None:
    """Print what a shell needs to run this engine's pulumi: eval "$(plantain engine env)"."""
    output.exports(resolve().environment())


def _described(engine: Engine) -> dict[str, object]:
    return {
        "source": engine.source,
        "pulumi": str(engine.pulumi),
        "plugin": str(engine.plugin),
        "home": str(engine.home) if engine.home else None,
        "versions": dict(engine.versions),
        "environment": engine.environment(),
    }
