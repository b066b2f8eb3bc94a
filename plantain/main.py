"""``plantain``: the one place where a failure becomes an exit code. The verbs are listed in verbs.py."""

from __future__ import annotations

import os
import sys

import typer

from plantain import output
from plantain.errors import PlantainError
from plantain.lazy_group import LazyGroup

INTERRUPTED = 130

app = typer.Typer(
    cls=LazyGroup,
    help="Nano Banana Pro inside a VPC Service Controls perimeter.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def plantain() -> None:
    """Nano Banana Pro inside a VPC Service Controls perimeter."""


def main() -> None:
    """Run one command."""
    try:
        app(prog_name="plantain")
    except PlantainError as error:
        output.failure(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        output.complain("Interrupted.")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # The reader, as `head`, has seen enough; a flush at exit must not raise again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


if __name__ == "__main__":
    main()
