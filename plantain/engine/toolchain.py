"""The Go that builds the engine."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from plantain.engine import versions
from plantain.engine.errors import GoTooOldError

#: A Go that may fetch its successor does so on the first question, which takes a while.
QUESTION_SECONDS = 300.0

#: What a build must not take from the user's own settings: other module lists, a C compiler, build paths.
SETTINGS = {"GOFLAGS": "", "GOWORK": "off", "CGO_ENABLED": "0"}


@dataclass(frozen=True)
class Go:
    """One Go installation.

    Attributes:
        command: path of ``go``.
        version: as Go spells it: go1.26.8.
        target: operating system and architecture: linux/amd64.
        modules: folder of fetched modules.
        builds: folder of compiled packages.
    """

    command: Path
    version: str
    target: str
    modules: Path
    builds: Path

    @staticmethod
    def environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment in which this Go is called."""
        return {**(os.environ if base is None else base), **SETTINGS}


def locate(command: Path, sources: Path) -> Go:
    """Ask a ``go`` command what it is.

    It is asked inside the sources, where a Go that may fetch newer ones (GOTOOLCHAIN=auto) becomes the one needed.

    Raises:
        GoTooOldError: it is too old, cannot become newer, or gives no sense.
    """
    minimum = versions.load(sources).go.minimum
    answer = _ask(command, sources)
    found = answer.get("GOVERSION", "")
    number = versions.parse(found)
    if number is None or number < (versions.parse(minimum) or (0, 0, 0)):
        found = found or _ask(command, Path.home()).get("GOVERSION") or "unknown"
        raise GoTooOldError(
            f"{command} is {found}; the engine's modules need Go {minimum} or newer, so it cannot be built.",
            cure=f"install Go {minimum} or newer and put it first on PATH, or let this one fetch it: "
            "GOTOOLCHAIN=auto plantain engine",
        )
    return Go(
        command=command,
        version=found.split()[0],
        target=f"{answer['GOOS']}/{answer['GOARCH']}",
        modules=Path(answer["GOMODCACHE"]),
        builds=Path(answer["GOCACHE"]),
    )


def _ask(command: Path, folder: Path) -> dict[str, str]:
    try:
        answer = subprocess.run(  # noqa: S603 -- the go command, with constant arguments
            [command, "env", "-json", "GOVERSION", "GOOS", "GOARCH", "GOMODCACHE", "GOCACHE"],
            cwd=folder,
            env=Go.environment(),
            capture_output=True,
            text=True,
            timeout=QUESTION_SECONDS,
            check=True,
        )
        values: dict[str, str] = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return {}
    return values
