"""An update killed five times, on a machine that has no way out, with the base paths of the beta provider."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra import wheels

from . import isolated, killing
from .deployment import ROOT

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What isolated.py found. The function's wheels are fetched beforehand; it is built from them without a way out."""
    wheels.folder(ROOT / "functions", root=ROOT, wheels="local")
    folder = tmp_path_factory.mktemp("isolated")
    command = ["/usr/bin/unshare", "--user", "--map-root-user", "--net", sys.executable, "-m"]
    command += ["tests.end_to_end.isolated", str(folder)]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False, timeout=800)
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_no_request_leaves_the_machine(report: dict[str, Any]) -> None:
    assert report["counted"] is True, "the kernel does not count attempts, so the next figure would prove nothing"
    assert (report["attempts"], report["refused"]) == (0, {})


def test_a_killed_update_leaves_no_process_behind(report: dict[str, Any]) -> None:
    assert report["killed"] == killing.KILLS
    assert report["orphans"] == []


def test_what_the_killed_updates_had_begun_is_taken_over(report: dict[str, Any]) -> None:
    assert report["pending"], "the update was killed at moments when nothing was under way"
    assert report["projects"] == 1


def test_after_five_kills_no_resource_is_there_twice_and_none_is_nobodys(report: dict[str, Any]) -> None:
    assert report["resources"] > isolated.CHANGES
    assert (report["doubled"], report["unclaimed"]) == ([], [])


def test_the_next_update_completes_and_destroy_leaves_nothing(report: dict[str, Any]) -> None:
    assert (report["left"], report["active_projects"], report["defects"]) == (0, 0, 0)


def test_the_beta_base_paths_were_used(report: dict[str, Any]) -> None:
    assert {"compute/beta", "dns/v1beta2", "cloudfunctions/v2beta"} <= set(report["paths"])


def test_unshare_is_there() -> None:
    assert Path("/usr/bin/unshare").exists(), "install util-linux: the tests of isolation need its unshare"
