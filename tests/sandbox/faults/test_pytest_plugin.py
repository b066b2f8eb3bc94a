from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

TESTS = """
from datetime import timedelta

import pytest

from sandbox.pytest_plugin import Refused


@pytest.mark.parametrize("round", range(4))
def test_every_test_finds_an_empty_organisation(sandbox, round):
    assert sandbox.call("GET", "cloudresourcemanager/v1/projects") == {}
    assert sandbox.requests(count=5)[0]["method"] == "cloudresourcemanager.projects.list"
    sandbox.project("same-name", "storage")
    sandbox.call("POST", "storage/v1/b?project=same-name", {"name": "same-bucket"})


def test_refusals_say_why(sandbox):
    sandbox.project("one-project")
    with pytest.raises(Refused, match="403 Permission 'resourcemanager.projects.get' denied") as caught:
        sandbox.call("GET", "cloudresourcemanager/v1/projects/one-project", member="user:jo@example.com")
    assert caught.value.status == 403
    assert sandbox.denials()[0]["refusedBy"] == "permission"


def test_faults_lag_and_time(sandbox):
    sandbox.fault("cloudresourcemanager.projects.list", code=429, count=2)
    assert [sandbox.attempt("GET", "cloudresourcemanager/v1/projects").status_code for _ in range(3)] == [429, 429, 200]
    sandbox.lag(services=60)
    sandbox.project("one-project", "cloudkms")
    rings = "cloudkms/v1/projects/one-project/locations/us-west1/keyRings"
    assert sandbox.attempt("GET", rings).status_code == 403
    before = sandbox.now()
    sandbox.advance(timedelta(seconds=61))
    assert sandbox.now() - before >= timedelta(seconds=61)
    assert sandbox.call("GET", rings) == {}


def test_state_outlives_a_kill(sandbox):
    sandbox.project("one-project")
    sandbox.restart(kill=True)
    assert sandbox.call("GET", "cloudresourcemanager/v1/projects/one-project")["projectId"] == "one-project"


def test_an_official_client_works_in_the_environment(sandbox, monkeypatch):
    sandbox.project("one-project", "storage")
    for name, value in sandbox.environment().items():
        monkeypatch.setenv(name, value)
    from google.cloud import storage
    client = storage.Client(project="one-project")
    client.create_bucket("plain-client")
    assert [bucket.name for bucket in client.list_buckets()] == ["plain-client"]
    client.close()
"""


def test_tests_that_use_the_fixture_run_side_by_side_and_so_does_the_page_s_example(tmp_path: Path) -> None:
    (tmp_path / "test_with_sandbox.py").write_text(TESTS)
    page = (ROOT / "docs" / "sandbox.md").read_text().partition("## In pytest")[2]
    (tmp_path / "test_of_the_page.py").write_text(page.partition("```python\n")[2].partition("```")[0])
    installed(tmp_path)
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-c", "/dev/null"]
    done = subprocess.run(
        [*command, "--rootdir", str(tmp_path), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "10 passed" in done.stdout


@pytest.mark.parametrize("again", [("-p", "sandbox.pytest_plugin"), ()])
def test_naming_the_installed_plug_in_once_more_is_no_second_one(tmp_path: Path, again: tuple[str, ...]) -> None:
    installed(tmp_path)
    if not again:
        (tmp_path / "conftest.py").write_text('pytest_plugins = ["sandbox.pytest_plugin"]\n')
    command = [sys.executable, "-m", "pytest", *again, "--fixtures", "-c", "/dev/null", "--rootdir", str(tmp_path)]
    done = subprocess.run(
        [*command, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert "sandbox_process [session scope]" in done.stdout, done.stdout + done.stderr


def installed(folder: Path) -> None:
    """What an installation of this project tells pytest."""
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]
    facts = folder / "installed-0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: installed\nVersion: 0\n")
    lines = [f"{name} = {module}" for name, module in points.items()]
    (facts / "entry_points.txt").write_text("\n".join(["[pytest11]", *lines, ""]))
