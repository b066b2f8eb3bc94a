from __future__ import annotations

import ast
import os
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


@pytest.fixture
def packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: dict[str, Any]) -> dict[str, Any]:
    """The script, with the policy pack's environment in a temporary folder."""
    names = script["put_policies"].__globals__
    monkeypatch.setitem(names, "POLICY_ENVIRONMENT", str(tmp_path / "policies"))
    return script


def made(script: dict[str, Any], folder: Path, text: str = "") -> str:
    folder.mkdir()
    (folder / "python").write_text(text)
    (folder / "installed.sha256").write_text(script["policies_wanted"]())
    return str(folder)


def test_the_packs_environment_is_moved_to_its_place_when_it_is_complete(packs: dict[str, Any], tmp_path: Path) -> None:
    assert not packs["policies_installed"]()
    packs["put_policies"](made(packs, tmp_path / "new", "new"))
    assert packs["policies_installed"]()
    assert (tmp_path / "policies" / "python").read_text() == "new"


def test_an_outdated_environment_of_the_pack_is_replaced(packs: dict[str, Any], tmp_path: Path) -> None:
    made(packs, tmp_path / "policies", "old")
    (tmp_path / "policies" / "installed.sha256").write_text("of other requirements")
    packs["put_policies"](made(packs, tmp_path / "new", "new"))
    assert (tmp_path / "policies" / "python").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["policies"], "nothing is left behind"


def test_of_two_runs_at_once_the_later_one_keeps_what_is_there(packs: dict[str, Any], tmp_path: Path) -> None:
    made(packs, tmp_path / "policies", "first")
    packs["put_policies"](made(packs, tmp_path / "new", "second"))
    assert (tmp_path / "policies" / "python").read_text() == "first"


def test_a_failed_installation_of_the_pack_leaves_nothing(
    packs: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        (Path(packs["put_policies"].__globals__["POLICY_ENVIRONMENT"] + f"-{os.getpid()}")).mkdir(exist_ok=True)
        return subprocess.CompletedProcess((), 1, "no index answers", "")

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(SystemExit) as caught:
        packs["install_policies"]()
    assert caught.value.code == 3
    assert list(tmp_path.iterdir()) == []


def test_the_pack_has_the_environment_that_setup_makes() -> None:
    settings = (ROOT / "policies" / "PulumiPolicy.yaml").read_text()
    assert "virtualenv: ../.venv/policies" in settings
    python = ROOT / ".venv" / "policies" / "bin" / "python"
    done = subprocess.run([python, "-c", "import pulumi_policy"], capture_output=True, check=False)
    assert done.returncode == 0
