"""The tools on this machine: Python, pulumi, its provider plugin, the clock."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from plantain.doctor.finding import Check, Finding
from plantain.doctor.patient import Patient
from plantain.engine import cache, installed, versions
from plantain.engine.engine import Engine
from plantain.engine.manifest import Manifest

PYTHON = (3, 11)


def run(_: Patient) -> Iterator[Finding]:
    """Versions, against those the project was tested with."""
    if sys.version_info[:2] < PYTHON:
        yield CHECK.error(
            f"Python {sys.version.split()[0]}",
            "the program does not start",
            "install Python 3.11 or newer, then make setup",
        )
    wanted, ours = versions.load(), cache.Cache.of_user()
    found = installed.find(wanted, ours=ours.root)
    if isinstance(found, Engine):
        yield CHECK.ok(f"pulumi {found.versions['pulumi']} with gcp plugin {found.versions['gcp']} is installed")
    elif kept := made(ours.root):
        yield CHECK.ok(f"an engine that plantain made before: {kept}")
    else:
        yield CHECK.warning(
            f"{found.reason}, and plantain has made no engine yet",
            "plantain fetches or builds one at the first need, which takes up to ten minutes",
            "plantain engine",
        )


def made(root: Path) -> str:
    """Versions of an engine in plantain's own cache; empty when there is none."""
    for folder in sorted(root.glob("*")) if root.is_dir() else ():
        manifest = Manifest.load(folder)
        if manifest is not None:
            return ", ".join(f"{name} {version}" for name, version in sorted(manifest.versions.items()))
    return ""


CHECK = Check(
    name="tools",
    title="Are the tools there, in versions that fit?",
    reads="Python's version, pulumi and its plugins on PATH",
    why="A provider plugin of another major version plans to replace what it does not know.",
    run=run,
)
