from __future__ import annotations

import ast
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tools" / "setup_environment.py"


@pytest.fixture
def script() -> dict[str, Any]:
    return runpy.run_path(str(SCRIPT))


def test_an_old_python_is_named_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], script: dict[str, Any]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    with pytest.raises(SystemExit) as caught:
        script["main"]()
    assert caught.value.code == 2
    errors = capsys.readouterr().err
    assert "Python 3.9.2" in errors
    assert "PYTHON=python3.13" in errors


def test_the_script_parses_on_a_python_that_is_too_old() -> None:
    ast.parse(SCRIPT.read_text(), feature_version=(3, 5))


def test_no_room_is_found_out_before_anything_is_installed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], script: dict[str, Any]
) -> None:
    usage = type("usage", (), {"free": 10 << 20})
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    ran: list[Any] = []
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: ran.append((a, k)))
    with pytest.raises(SystemExit) as caught:
        script["install"]()
    assert (caught.value.code, ran) == (3, [])
    assert "only 10 MB are free" in capsys.readouterr().err


def test_a_failed_installation_shows_its_last_lines(capsys: pytest.CaptureFixture[str], script: dict[str, Any]) -> None:
    with pytest.raises(SystemExit) as caught:
        script["run"](sys.executable, "-c", "print('no index answers'); raise SystemExit(1)")
    assert caught.value.code == 3
    errors = capsys.readouterr().err
    assert "no index answers" in errors
    assert "cure:" in errors


def test_the_installer_is_locked_to_the_same_version_and_hashes() -> None:
    everything = (ROOT / "requirements" / "all.txt").read_text()
    assert (ROOT / "requirements" / "installer.txt").read_text().strip() in everything


def test_lock_files_name_no_host() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        assert "://" not in path.read_text(), path
