"""The real provider makes, reads, changes and removes the resources: what it reads back is what it wrote."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from plantain.engine import resolve
from plantain.sandbox_process import Sandbox
from plantain.sandbox_stack import sandbox_environment
from plantain.stack import Stack
from sandbox.settings import DEFAULT_PORT

pytestmark = pytest.mark.engine

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    started = Sandbox.start(tmp_path_factory.mktemp("provider") / "sandbox", 0)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def stack(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """The program of this folder, pointed to the sandbox."""
    folder = tmp_path_factory.mktemp("program")
    shutil.copy(HERE / "program.py", folder / "program.py")
    (folder / "__main__.py").write_text("from program import deploy\n\ndeploy()\n")
    (folder / ".venv").symlink_to(ROOT / ".venv")
    runtime = {"name": "python", "options": {"virtualenv": ".venv"}}
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "tried", "runtime": runtime}))
    settings = yaml.safe_load((ROOT / "Pulumi.sandbox.yaml").read_text())["config"]["plantain:endpoints"]
    standard = f"http://127.0.0.1:{DEFAULT_PORT}"
    endpoints = {name: url.replace(standard, sandbox.url) for name, url in settings.items()}
    write(folder, endpoints, changed=False)
    environment = {**sandbox.client_environment(), **sandbox_environment(sandbox.data, resolve())}
    made = Stack("tried", folder, environment)
    made.select()
    return made


def write(folder: Path, endpoints: dict[str, str], *, changed: bool) -> None:
    """The stack's settings."""
    config = {"tried:endpoints": endpoints, "tried:changed": changed}
    (folder / "Pulumi.tried.yaml").write_text(yaml.safe_dump({"config": config}))


def test_what_the_provider_makes_is_what_it_reads(stack: Stack) -> None:
    stack.up()
    stack.preview(expect_no_changes=True)
    stack.refresh(expect_no_changes=True)


def test_changes_are_updates_in_place_and_are_read_back(stack: Stack) -> None:
    path = stack.project / "Pulumi.tried.yaml"
    endpoints = yaml.safe_load(path.read_text())["config"]["tried:endpoints"]
    write(stack.project, endpoints, changed=True)
    assert "replace" not in stack.up()
    stack.refresh(expect_no_changes=True)


def test_nothing_is_left_and_nothing_went_wrong(stack: Stack, sandbox: Sandbox) -> None:
    stack.destroy()
    assert not stack.export()["deployment"].get("resources")
    assert httpx.get(f"{sandbox.url}/_sandbox/defects", trust_env=False).text == ""
    assert httpx.get(f"{sandbox.url}/_sandbox/status", trust_env=False).json()["notEmulated"] == {}
