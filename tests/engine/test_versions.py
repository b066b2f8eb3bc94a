"""The versions are written in one file; everything that has to repeat them must say the same."""

from __future__ import annotations

import importlib.metadata
import re
from pathlib import Path

import pytest

from plantain.engine import EngineError, versions
from plantain.engine.versions import SOURCES


def required(module_file: Path) -> dict[str, str]:
    """Modules that a go.mod requires, with their versions."""
    text = module_file.read_text(encoding="utf-8")
    return dict(re.findall(r"^(?:require |\t)([\w./~-]+) (v[\w.+-]+)", text, re.MULTILINE))


def test_the_modules_are_required_in_the_versions_of_the_file() -> None:
    wanted = versions.load()
    engine, cli = required(SOURCES / "go.mod"), required(SOURCES / "cli" / "go.mod")
    assert engine[wanted.gcp.provider_module] == wanted.gcp.provider
    assert engine[wanted.gcp.bridge_module] == wanted.gcp.bridge
    assert engine[wanted.pulumi.sdk_module] == f"v{wanted.pulumi.built}"
    assert cli[wanted.pulumi.module] == f"v{wanted.pulumi.built}"
    assert cli[wanted.pulumi.sdk_module] == f"v{wanted.pulumi.built}"


@pytest.mark.parametrize("module_file", ["go.mod", "cli/go.mod"])
def test_the_modules_name_the_oldest_go_of_the_file(module_file: str) -> None:
    named = re.search(r"^go (\S+)$", (SOURCES / module_file).read_text(encoding="utf-8"), re.MULTILINE)
    assert named
    assert versions.parse(named[1]) == versions.parse(versions.load().go.minimum)


def test_the_plugin_and_the_release_have_the_versions_of_the_python_packages() -> None:
    wanted = versions.load()
    assert wanted.gcp.version == importlib.metadata.version("pulumi-gcp")
    assert wanted.pulumi.released == importlib.metadata.version("pulumi")


def test_what_is_built_or_released_would_also_be_taken_when_installed() -> None:
    wanted = versions.load().pulumi
    oldest, below = versions.parse(wanted.minimum), versions.parse(wanted.below)
    assert oldest
    assert below
    for version in (wanted.built, wanted.released):
        number = versions.parse(version)
        assert number
        assert oldest <= number < below


def test_go_sum_names_the_contents_of_the_provider() -> None:
    wanted = versions.load().gcp
    lines = (SOURCES / "go.sum").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith(f"{wanted.provider_module} {wanted.provider} h1:")]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("v3.259.0", (3, 259, 0)),
        ("3.272.0-alpha.1", (3, 272, 0)),
        ("go1.26.8", (1, 26, 8)),
        ("go1.26", (1, 26, 0)),
        ("go1.27-devel_abc Tue", (1, 27, 0)),
        ("go1.26.3 X:nodwarf5", (1, 26, 3)),
        ("go1.26rc1", None),
        ("", None),
        ("devel", None),
    ],
)
def test_version_numbers_are_read_as_tools_spell_them(text: str, number: versions.Version | None) -> None:
    assert versions.parse(text) == number


def test_without_the_sources_the_message_says_where_to_run(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"versions\.toml cannot be read .*, so the engine's versions") as caught:
        versions.load(tmp_path)
    assert caught.value.exit_code == 4
    assert caught.value.cure == "run plantain from a checkout of its repository"
