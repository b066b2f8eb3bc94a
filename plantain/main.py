"""``plantain``: the one place where a failure becomes an exit code. The verbs are listed in verbs.py."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from plantain import output
from plantain.errors import PlantainError
from plantain.lazy_group import LazyGroup

INTERRUPTED = 130

app = typer.Typer(
    cls=LazyGroup,
    help="Nano Banana Pro inside a VPC Service Controls perimeter.",
    epilog="Begin with: plantain sandbox up. Before each deployment: plantain doctor --stack STACK. "
    "What failed is told by the exit code: 2 your input, 3 the sandbox, 4 and 40 to 47 the engine, 5 pulumi, "
    "6 the function, 7 a Google API, 8 credentials, 10 a warning, 11 an error that a check found, 12 changed evidence.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def show_version(wanted: bool) -> None:
    """Say which Plantain this is, and end."""
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 -- takes a third of the time of --help

        output.say(f"plantain {version('plantain')}")
        raise typer.Exit


@app.callback()
def plantain(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=show_version, is_eager=True)
    ] = False,
) -> None:
    """Nano Banana Pro inside a VPC Service Controls perimeter."""
    del version


def main() -> None:
    """Run one command."""
    # pydantic looks for plugins in every installed distribution, which takes longer than a short verb itself.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
    try:
        app(prog_name="plantain")
    except PlantainError as error:
        output.failure(error)
        sys.exit(error.exit_code)
    except OSError as error:  # but for a pipe whose reader has seen enough: Typer ends quietly then
        problem = f"{error.filename or 'The system'}: {error.strerror or error}."
        output.failure(PlantainError(f"{problem} What was done until then stays.", cure="mend that, then run it again"))
        sys.exit(PlantainError.exit_code)
    except SystemExit as error:
        if error.code == INTERRUPTED:
            output.complain("Interrupted.")
        raise


if __name__ == "__main__":
    main()
