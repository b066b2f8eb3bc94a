"""Who audited, when, with what: the circumstances that make a result repeatable."""

from __future__ import annotations

import datetime as dt
import getpass
import hashlib
import os
import platform
import subprocess
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import plantain.audit
import policies.catalogue
from plantain.audit.canonical import canonical, sha256

#: Variables by which pipelines say who they are; none of them is a secret.
PIPELINE = (
    "CI",
    "GITHUB_RUN_ID",
    "GITHUB_REPOSITORY",
    "GITHUB_ACTOR",
    "GITHUB_SHA",
    "CI_PIPELINE_ID",
    "CI_JOB_ID",
    "BUILD_ID",
)
#: Modules whose code decides what a bundle's results are.
JUDGING = (
    "comparison",
    "evaluation",
    "events",
    "googles_own",
    "grants",
    "identity",
    "join",
    "join_controls",
    "judgements",
    "resource_document",
    "state",
    "summary",
    "unit",
)
PACKAGES = ("plantain", "pydantic", "rfc8785", "cryptography")


def document(
    root: Path,
    created: dt.datetime,
    *,
    date: dt.date,
    identity: str,
    endpoint: str,
    models: Mapping[str, Any],
    states: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """The circumstances of an audit as JSON.

    Args:
        root: folder of the project.
        created: UTC time.
        date: the day for which is judged.
        identity: as whom Google's APIs were asked; empty where they were not.
        endpoint: who answered: Google, or the origin of a sandbox.
        models: the table of models.
        states: facts of each stack's state.
    """
    return {
        "created": created.isoformat(),
        "date": date.isoformat(),
        "actor": {"user": _user(), "identity": identity, "host": platform.node()},
        "pipeline": {name: os.environ[name] for name in PIPELINE if os.environ.get(name)},
        "endpoint": endpoint,
        "tools": {
            "python": platform.python_version(),
            "catalogue": catalogue_digest(),
            "models": sha256(canonical(models)),
            **{name: version(name) for name in PACKAGES},
        },
        "git": git(root),
        "states": {name: dict(facts) for name, facts in states.items()},
    }


@cache
def catalogue_digest() -> str:
    """SHA-256 of the code that judges: the catalogue, and the modules here that read sources and compare them."""
    digest = hashlib.sha256()
    catalogue, own = (Path(str(package.__file__)).parent for package in (policies.catalogue, plantain.audit))
    for path in (*sorted(catalogue.rglob("*.py")), *(own / f"{name}.py" for name in JUDGING)):
        digest.update(f"{path.name}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def git(root: Path) -> dict[str, Any]:
    """The commit, and whether files differ from it; empty outside a repository."""
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        return {}
    return {"commit": commit, "dirty": bool(_git(root, "status", "--porcelain", "--untracked-files=no"))}


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 -- git, with our own arguments
            ["git", "-C", str(root), *arguments],  # noqa: S607 -- the git of the user's PATH
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _user() -> str:
    try:
        return getpass.getuser()
    except OSError:
        return ""
