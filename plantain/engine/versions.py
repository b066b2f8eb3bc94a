"""The engine's versions, read from ``engine/versions.toml``, the only place where they are written."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from plantain.engine.errors import EngineError

#: The Go sources of the build. They are part of the repository, not of the installed package.
SOURCES = Path(__file__).resolve().parents[2] / "engine"

Version = tuple[int, int, int]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class GoVersions(_Table):
    """Which Go builds the modules."""

    minimum: str


class PulumiVersions(_Table):
    """Versions of the command line: built, released, and the range in which an installed one is taken."""

    module: str
    sdk_module: str
    built: str
    released: str
    minimum: str
    below: str


class GcpVersions(_Table):
    """Versions of the provider plugin and of what it is built from."""

    version: str
    provider_module: str
    provider: str
    bridge_module: str
    bridge: str


class Versions(_Table):
    """The whole file."""

    go: GoVersions
    pulumi: PulumiVersions
    gcp: GcpVersions = Field(description="provider plugin")


@cache
def load(sources: Path = SOURCES) -> Versions:
    """Read the file.

    Raises:
        EngineError: there is no such file.
    """
    path = sources / "versions.toml"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise EngineError(
            f"{path} cannot be read ({error.strerror}), so the engine's versions are not known.",
            cure="run plantain from a checkout of its repository",
        ) from None
    return Versions.model_validate(tomllib.loads(text))


def parse(text: str) -> Version | None:
    """The three numbers of ``v3.259.0``, ``go1.26`` or ``1.26.8 X:nodwarf5``; None when there are none."""
    words = text.strip().removeprefix("go").removeprefix("v").replace("-", " ").replace("+", " ").split()
    parts = words[0].split(".") if words else []
    digits = [part for part in parts if part.isdecimal()]
    # A release candidate (1.26rc1) counts as the release before it: it may lack what the release has.
    if not digits or len(digits) < len(parts[:2]):
        return None
    numbers = [int(part) for part in digits[:3]] + [0, 0]
    return numbers[0], numbers[1], numbers[2]
