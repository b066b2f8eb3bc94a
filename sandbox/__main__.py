"""``python -m sandbox``: a sandbox in the foreground."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sandbox.server import StartError, run
from sandbox.settings import DEFAULT_PORT, Settings

START_FAILED = 3


def main() -> int:
    """Parse the command line and serve; 3 when the sandbox cannot start."""
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="loopback port, 0 for any free one")
    parser.add_argument("--data", type=Path, default=Path(".sandbox"), help="folder of all state")
    parser.add_argument("--seed", type=int, default=Settings().seed, help="makes generated ids repeatable")
    parser.add_argument(
        "--strict", action="store_true", help="refuse what only recorded traffic sends: docs/sandbox.md"
    )
    parser.add_argument("--listener", type=int, help="file descriptor of a listening socket, in the place of --port")
    try:
        run(Settings(**vars(parser.parse_args())))
    except StartError as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return START_FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
