"""The first way to an engine: a ``pulumi`` that the user has installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from plantain.engine import versions
from plantain.engine.engine import Engine

_QUESTION_SECONDS = 30.0


@dataclass(frozen=True)
class Absent:
    """Why there is no engine this way.

    Attributes:
        reason: a clause for a message: "pulumi is not on PATH".
    """

    reason: str


def find(wanted: versions.Versions, *, ours: Path) -> Engine | Absent:
    """Look for ``pulumi`` on PATH, its Python language host and the right ``gcp`` plugin.

    Args:
        wanted: the versions that are taken.
        ours: the cache of engines; a ``pulumi`` from there is on PATH only because an earlier answer put it there.
    """
    command = _on_path(ours)
    if command is None:
        return Absent("no pulumi is on PATH")
    printed = _ask(command, "version")
    version = versions.parse(printed or "")
    if version is None:
        return Absent(f"{command} does not tell its version")
    number = ".".join(map(str, version))
    oldest, below = wanted.pulumi.minimum, wanted.pulumi.below
    if not (versions.parse(oldest) or version) <= version < (versions.parse(below) or version):
        return Absent(f"{command} is version {number}, not from {oldest} on and below {below}")
    if shutil.which("pulumi-language-python", path=f"{command.parent}{os.pathsep}{os.environ.get('PATH', '')}") is None:
        return Absent(f"{command} has no pulumi-language-python beside it")
    plugin = _plugin(command, wanted.gcp.version)
    if plugin is None:
        missing = f"{command} lacks the plugin gcp {wanted.gcp.version}"
        return Absent(f"{missing} (pulumi plugin install resource gcp {wanted.gcp.version})")
    return Engine(
        source="installed",
        pulumi=command,
        plugin=plugin,
        versions={"pulumi": number, "gcp": wanted.gcp.version},
    )


def _on_path(ours: Path) -> Path | None:
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        found = shutil.which("pulumi", path=folder) if folder else None
        if found and not Path(found).resolve().is_relative_to(ours.resolve()):
            return Path(found).absolute()
    return None


def _plugin(command: Path, version: str) -> Path | None:
    answer = _ask(command, "plugin", "ls", "--json")
    try:
        plugins = json.loads(answer or "")
        for plugin in plugins:
            if (plugin["kind"], plugin["name"], plugin.get("version")) == ("resource", "gcp", version):
                home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
                return home / "plugins" / f"resource-gcp-v{version}"
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return None


def _ask(command: Path, *arguments: str) -> str | None:
    try:
        answer = subprocess.run(  # noqa: S603 -- the user's own pulumi, with constant arguments
            [command, *arguments],
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_QUESTION_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return answer.stdout
