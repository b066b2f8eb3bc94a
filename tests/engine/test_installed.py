"""An installed pulumi is taken only with all that a program needs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from plantain.engine import Engine, versions
from plantain.engine.installed import Absent, find
from tests.engine.conftest import Tool

WANTED = versions.load()


def installed(tool: Tool, version: str = f"v{WANTED.pulumi.minimum}", plugin: str = WANTED.gcp.version) -> Path:
    plugins = json.dumps([{"name": "gcp", "kind": "resource", "version": plugin}])
    tool("pulumi-language-python", "exit 0")
    return tool("pulumi", f"case $1 in version) echo {version};; plugin) echo '{plugins}';; esac")


def reason(found: Engine | Absent) -> str:
    assert isinstance(found, Absent)
    return found.reason


def test_a_complete_installation_is_taken(tool: Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = installed(tool)
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    found = find(WANTED, ours=tmp_path / "cache")
    assert isinstance(found, Engine)
    assert found.source == "installed"
    assert found.pulumi == command
    assert found.plugin == tmp_path / "home" / "plugins" / f"resource-gcp-v{WANTED.gcp.version}"
    assert found.versions == {"pulumi": WANTED.pulumi.minimum, "gcp": WANTED.gcp.version}


def test_the_users_own_pulumi_home_stays_theirs(tool: Tool, tmp_path: Path) -> None:
    installed(tool)
    found = find(WANTED, ours=tmp_path / "cache")
    assert isinstance(found, Engine)
    assert found.environment().keys() == {"PATH", "PULUMI_SKIP_UPDATE_CHECK"}


def test_none_on_the_path_is_absent(tool: Tool, tmp_path: Path) -> None:
    tool("something-else", "exit 0")
    assert reason(find(WANTED, ours=tmp_path)) == "no pulumi is on PATH"


@pytest.mark.parametrize("version", ["v3.1.0", "v4.0.0", "3.258.9"])
def test_a_version_out_of_range_is_not_taken(tool: Tool, tmp_path: Path, version: str) -> None:
    installed(tool, version=version)
    found = reason(find(WANTED, ours=tmp_path / "cache"))
    assert f"is version {version.removeprefix('v')}, not from {WANTED.pulumi.minimum} on and below 4.0.0" in found


def test_another_plugin_version_is_not_taken_and_the_reason_is_a_command(tool: Tool, tmp_path: Path) -> None:
    installed(tool, plugin="9.0.0")
    found = reason(find(WANTED, ours=tmp_path / "cache"))
    assert f"pulumi plugin install resource gcp {WANTED.gcp.version}" in found


@pytest.mark.parametrize("answer", ["nonsense", "{}", '[{"kind": "resource"}]', "[]", "[1]"])
def test_a_plugin_list_that_makes_no_sense_is_a_missing_plugin(tool: Tool, tmp_path: Path, answer: str) -> None:
    tool("pulumi-language-python", "exit 0")
    tool("pulumi", f"case $1 in version) echo v{WANTED.pulumi.minimum};; plugin) echo '{answer}';; esac")
    assert "lacks the plugin gcp" in reason(find(WANTED, ours=tmp_path / "cache"))


def test_a_pulumi_without_the_python_host_is_not_taken(tool: Tool, tmp_path: Path) -> None:
    tool("pulumi", f"echo v{WANTED.pulumi.minimum}")
    assert "has no pulumi-language-python beside it" in reason(find(WANTED, ours=tmp_path / "cache"))


def test_a_pulumi_that_fails_is_not_taken(tool: Tool, tmp_path: Path) -> None:
    tool("pulumi", "exit 1")
    assert "does not tell its version" in reason(find(WANTED, ours=tmp_path / "cache"))


def test_our_own_engine_on_the_path_does_not_count_as_installed(tool: Tool, tools: Path) -> None:
    installed(tool)
    assert reason(find(WANTED, ours=tools.parent)) == "no pulumi is on PATH"
