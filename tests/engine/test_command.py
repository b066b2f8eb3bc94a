"""``plantain engine``: a table for people, JSON for programs, lines for a shell, one screen for an accident."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from plantain.engine import Engine, resolve
from tests.engine.conftest import Tool

ROOT = Path(__file__).resolve().parents[2]


def plantain(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "plantain.main", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_says_which_engine_is_used_and_from_where(engine: Engine) -> None:
    done = plantain("engine")
    assert done.returncode == 0, done.stderr
    shown = "".join(done.stdout.split())
    assert str(engine.pulumi) in shown
    assert engine.versions["gcp"] in shown
    assert 'eval "$(plantain engine env)"' in done.stdout


def test_json_for_programs(engine: Engine) -> None:
    done = plantain("engine", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["source"] == engine.source
    assert told["pulumi"] == str(engine.pulumi)
    assert told["versions"] == dict(engine.versions)
    assert told["environment"].keys() == engine.environment().keys()


def test_a_shell_that_evaluates_the_lines_runs_this_pulumi(engine: Engine) -> None:
    lines = plantain("engine", "env")
    assert lines.returncode == 0, lines.stderr
    script = f"{lines.stdout}\ncommand -v pulumi && pulumi version"
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(engine.pulumi), f"v{engine.versions['pulumi']}"]


def test_every_line_for_the_shell_is_an_export(engine: Engine) -> None:
    for line in plantain("engine", "env").stdout.splitlines():
        word, assignment = shlex.split(line)
        assert word == "export"
        assert assignment.split("=")[0] in engine.environment()


def test_an_accident_is_one_screen_with_its_own_exit_code(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    tool("go", 'echo \'{"GOVERSION": "go1.20", "GOOS": "linux", "GOARCH": "amd64"}\'')
    monkeypatch.setenv("PLANTAIN_ENGINE", "built")
    done = plantain("engine")
    assert done.returncode == 41
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("error: ")
    assert "need Go" in done.stderr
    assert "\n  cure: " in done.stderr
    assert done.stdout == ""


def test_the_engine_of_this_machine_is_undamaged(engine: Engine) -> None:
    assert resolve(thorough=True) == engine
