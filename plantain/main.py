"""``plantain``: registration of the verbs, and the one place where a failure becomes an exit code."""

from __future__ import annotations

import sys

import typer

from plantain import output
from plantain.commands import engine, generate, recover, sandbox
from plantain.errors import PlantainError

INTERRUPTED = 130

app = typer.Typer(
    help="Nano Banana Pro inside a VPC Service Controls perimeter.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(engine.app, name="engine")
app.add_typer(sandbox.app, name="sandbox")
app.command("generate")(generate.generate)
app.command("recover")(recover.recover)


def main() -> None:
    """Run one command."""
    try:
        app()
    except PlantainError as error:
        output.failure(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        output.problems.print("Interrupted.")
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
