"""The engine under test, and stand-ins for the programs it is made with."""

from __future__ import annotations

import io
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from plantain.engine import Engine, resolve
from plantain.engine.cache import Cache
from plantain.engine.progress import Reporter
from tests.engine.projects import Project

Tool = Callable[[str, str], Path]


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The engine of this machine; made first, if there is none."""
    return resolve()


@pytest.fixture(scope="session")
def schema(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the gcp plugin says it can do, asked the way Pulumi asks."""
    plugin = engine.plugin / "pulumi-resource-gcp" if engine.plugin.is_dir() else engine.plugin
    project = Project(engine, tmp_path_factory.mktemp("schema"))
    found: dict[str, Any] = json.loads(project.pulumi("package", "get-schema", str(plugin)).stdout)
    return found


@pytest.fixture
def project(engine: Engine, tmp_path: Path) -> Project:
    """An empty Pulumi project in Python, with a backend of its own."""
    return Project(engine, tmp_path / "project")


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """An empty cache of engines."""
    return Cache(tmp_path / "cache" / "engine")


@pytest.fixture
def told() -> io.StringIO:
    """What the reporter has told, as in a log without a terminal."""
    return io.StringIO()


@pytest.fixture
def reporter(told: io.StringIO) -> Reporter:
    return Reporter(Console(file=told, width=10_000, highlight=False))


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder for stand-ins of programs."""
    folder = tmp_path / "tools"
    folder.mkdir()
    return folder


@pytest.fixture
def tool(tools: Path, monkeypatch: pytest.MonkeyPatch) -> Tool:
    """Put a shell script on a PATH on which there is nothing else of ours."""
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    monkeypatch.delenv("PULUMI_HOME", raising=False)
    monkeypatch.delenv("PLANTAIN_ENGINE", raising=False)

    def put(name: str, script: str) -> Path:
        path = tools / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return put
