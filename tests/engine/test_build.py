"""The build from Go modules: made once, all or nothing, and each accident is one screen with its cure."""

from __future__ import annotations

import errno
import io
import json
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plantain.engine import Engine, EngineError, errors, room, sources, versions
from plantain.engine.build import Build, plugin_of
from plantain.engine.cache import UNFINISHED, Cache
from plantain.engine.progress import Reporter
from plantain.engine.toolchain import Go, locate
from tests.engine.conftest import Tool
from tests.engine.test_process import gone, interrupt_once_written, number_in

WANTED = versions.load()
Told = Callable[..., Build]


@pytest.fixture
def calls(tmp_path: Path) -> Callable[[], list[dict[str, Any]]]:
    """What the stand-in for Go was asked."""

    def read() -> list[dict[str, Any]]:
        return [json.loads(line) for line in (tmp_path / "calls").read_text().splitlines()]

    return read


@pytest.fixture
def build(tool: Tool, tmp_path: Path, cache: Cache, reporter: Reporter, monkeypatch: pytest.MonkeyPatch) -> Told:
    """A build with a stand-in for Go; its behaviour is given by keyword."""
    modules = tmp_path / "modules"
    provider = modules / "provider" / "google" / "provider"
    provider.mkdir(parents=True)
    (provider / "provider_register_services.go").write_text("package provider\nimport _ everything\n")
    (provider / "provider.go").write_text("package provider\n")
    (provider / "provider_test.go").write_text("package provider\n")
    (modules / "provider" / "version").mkdir()
    (modules / "provider" / "go.mod").write_text("module provider\n")
    (modules / "sdk" / "python" / "cmd").mkdir(parents=True)
    (modules / "sdk" / "python" / "cmd" / "pulumi-language-python-exec").write_text("#!/usr/bin/env python\n")
    for folder in (provider.parent, provider):  # as Go leaves them
        folder.chmod(0o555)

    def make(**told: str) -> Build:
        settings = {"version": "go1.26.8", "modules": str(modules), "calls": str(tmp_path / "calls"), **told}
        monkeypatch.setenv("FAKE_GO", json.dumps(settings))
        command = tool("go", f'exec {sys.executable} {Path(__file__).parent / "fake_go.py"} "$@"')
        return Build(locate(command, versions.SOURCES), cache, versions.SOURCES, reporter)

    return make


def test_a_build_makes_all_parts_where_pulumi_looks_for_them(build: Told, cache: Cache) -> None:
    made = build().make()
    folder = cache.folder(build().name)
    assert made == Engine(
        source="built",
        pulumi=folder / "bin/pulumi",
        plugin=folder / plugin_of(WANTED.gcp.version),
        versions={"pulumi": WANTED.pulumi.built, "gcp": WANTED.gcp.version},
        home=folder / "home",
    )
    assert made.plugin.parent.name == f"resource-gcp-v{WANTED.gcp.version}"
    assert {p.name for p in (folder / "bin").iterdir()} == {
        "pulumi",
        "pulumi-language-python",
        "pulumi-language-python-exec",
    }
    assert all(p.stat().st_mode & 0o111 for p in (folder / "bin").iterdir())


def test_fetched_code_does_not_stay(build: Told, cache: Cache) -> None:
    build().make()
    assert {p.name for p in cache.folder(build().name).iterdir()} == {"bin", "home", "manifest.json"}


def test_the_plugin_is_built_from_a_copy_without_the_list_of_all_services(
    build: Told, calls: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, Any] = {}
    compile_part = Build._compile

    def look(self: Build, log: Path, target: Path, *rest: Any, **more: Any) -> None:
        if target.name == "pulumi-resource-gcp":
            module_file = more["modules"]
            provider = module_file.parent / "provider" / "google" / "provider"
            seen["list"] = (provider / "provider_register_services.go").read_text()
            seen["files"] = {p.name for p in provider.iterdir()}
            seen["modules"] = module_file.read_text()
            seen["sums"] = module_file.with_suffix(".sum").read_text()
        compile_part(self, log, target, *rest, **more)

    monkeypatch.setattr(Build, "_compile", look)
    build().make()
    assert seen["list"] == "package provider\n"
    assert seen["files"] == {"provider.go", "provider_register_services.go"}
    assert seen["modules"].startswith((versions.SOURCES / "go.mod").read_text())
    assert f"replace {WANTED.gcp.provider_module} => " in seen["modules"]
    assert seen["sums"] == (versions.SOURCES / "go.sum").read_text()
    builds = [c["arguments"] for c in calls() if c["arguments"][0] == "build"]
    assert len(builds) == 3
    assert all("-mod=readonly" in b for b in builds), "go.sum must not grow by itself"


def test_the_users_own_go_flags_do_not_reach_the_build(
    build: Told, calls: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOFLAGS", "-mod=vendor -insecure")
    build().make()
    assert {c["flags"] for c in calls()} == {""}


def test_a_second_build_uses_the_first(build: Told, calls: Callable[[], list[dict[str, Any]]]) -> None:
    first = build().make()
    count = len([c for c in calls() if c["arguments"][0] == "build"])
    assert build().make() == first
    assert build().find(thorough=True) == first
    assert len([c for c in calls() if c["arguments"][0] == "build"]) == count


def test_a_build_anew_builds(build: Told, calls: Callable[[], list[dict[str, Any]]]) -> None:
    build().make()
    build().make(anew=True)
    assert len([c for c in calls() if c["arguments"][0] == "build"]) == 6


def test_a_damaged_engine_is_built_again(build: Told) -> None:
    made = build().make()
    made.plugin.write_text("#!/bin/sh\nexit 1\n")
    assert build().find() is None
    assert build().make() == made
    assert build().find(thorough=True) == made


def test_two_runs_at_once_build_once(build: Told, calls: Callable[[], list[dict[str, Any]]]) -> None:
    one = build()
    made: list[Engine] = []
    threads = [threading.Thread(target=lambda: made.append(one.make())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(made) == 2
    assert made[0] == made[1]
    assert len([c for c in calls() if c["arguments"][0] == "build"]) == 3


def test_progress_counts_steps_and_tells_their_time(build: Told, told: io.StringIO, cache: Cache) -> None:
    build().make()
    lines = told.getvalue().splitlines()
    assert lines[0].startswith("Building the Pulumi engine with go1.26.8, once for this machine")
    assert lines[0].endswith(str(cache.log(build().name)))
    assert [line[:5] for line in lines[1:]] == [f"[{n}/5]" for n in (1, 1, 2, 2, 3, 3, 4, 4, 5, 5)]
    assert all(line.endswith(" s") for line in lines[2::2])


def test_other_sources_or_another_go_are_another_engine(build: Told, tmp_path: Path) -> None:
    go = build().go
    copy = tmp_path / "sources"
    shutil.copytree(versions.SOURCES, copy)
    assert sources.name(copy, go) == sources.name(versions.SOURCES, go)
    other_go = Go(go.command, "go1.27.0", go.target, go.modules, go.builds)
    other_target = Go(go.command, go.version, "darwin/arm64", go.modules, go.builds)
    names = {sources.name(copy, g) for g in (go, other_go, other_target)}
    (copy / "cmd" / "pulumi-resource-gcp" / "datasources.go").write_text("package main\n")
    assert len(names | {sources.name(copy, go)}) == 4


def test_a_readme_changes_no_engine(build: Told, tmp_path: Path) -> None:
    copy = tmp_path / "sources"
    shutil.copytree(versions.SOURCES, copy)
    (copy / "NOTES.md").write_text("a remark")
    assert sources.name(copy, build().go) == sources.name(versions.SOURCES, build().go)


def failure(build: Build) -> EngineError:
    """The error of a build that must fail and leave nothing behind but its log."""
    with pytest.raises(EngineError) as caught:
        build.make()
    assert build.find() is None
    assert list(build.cache.root.glob(f"{UNFINISHED}*")) == []
    assert len(caught.value.message.splitlines()) < 25, "one screen"
    return caught.value


def test_a_failed_build_tells_go_s_last_words_and_where_the_rest_is(build: Told, cache: Cache) -> None:
    error = failure(build(fail="main.go:7: undefined: nothing"))
    assert type(error) is errors.BuildError
    assert error.exit_code == 43
    assert error.message.startswith("Go could not build the engine (")
    assert "main.go:7: undefined: nothing" in error.message
    assert str(cache.log(build().name)) in error.message
    assert "main.go:7: undefined: nothing" in cache.log(build().name).read_text()
    assert error.cure == "plantain engine --build, once that is mended"


def test_a_proxy_that_does_not_answer_is_named_as_such(build: Told) -> None:
    error = failure(build(fail="dial tcp: lookup proxy.invalid: no such host"))
    assert type(error) is errors.UnreachableModulesError
    assert error.exit_code == 44
    assert "no such host" in error.message
    assert "GOPROXY" in (error.cure or "")


@pytest.mark.parametrize(
    "words",
    [
        "verifying a@v1: checksum mismatch\nSECURITY ERROR",
        "missing go.sum entry for module providing package a",
    ],
)
def test_a_module_that_go_sum_does_not_know_is_refused(build: Told, words: str) -> None:
    error = failure(build(fail=words))
    assert type(error) is errors.ChecksumError
    assert error.exit_code == 45
    assert "not the one that go.sum names, so nothing was built" in error.message


def test_a_disk_that_runs_full_while_go_works_is_named_as_such(build: Told) -> None:
    error = failure(build(fail="write x: no space left on device"))
    assert type(error) is errors.DiskFullError
    assert error.exit_code == 42
    assert "The disk ran full while the engine was being made for" in error.message
    assert "go clean -cache" in (error.cure or "")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_runs_full_while_files_are_copied_is_named_as_such(
    build: Told, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(number, "full")

    monkeypatch.setattr(shutil, "copytree", full)
    assert type(failure(build())) is errors.DiskFullError


def test_any_other_trouble_with_files_is_a_failed_build(build: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(shutil, "copytree", broken)
    error = failure(build())
    assert type(error) is errors.BuildError
    assert "Input/output error" in error.message


def test_too_little_room_is_found_out_before_anything_is_built(
    build: Told, monkeypatch: pytest.MonkeyPatch, calls: Callable[[], list[dict[str, Any]]]
) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=100 * room.MEBIBYTE))
    error = failure(build())
    assert type(error) is errors.DiskFullError
    assert error.exit_code == 42
    assert "has 100 MiB free; building the engine needs" in error.message
    assert "so it was not begun" in error.message
    assert [c for c in calls() if c["arguments"][0] != "env"] == []


def test_a_second_build_needs_less_room(build: Told) -> None:
    first = sum(build()._needs().values())
    build().make()
    assert sum(build()._needs().values()) < first / 4


def test_a_binary_of_another_version_is_not_published(build: Told) -> None:
    error = failure(build(lie="0.0.1"))
    assert type(error) is errors.BuildError
    assert f"pulumi was built as version 0.0.1 instead of {WANTED.pulumi.built}" in error.message


def test_ctrl_c_ends_go_and_leaves_nothing_half_made(build: Told, tmp_path: Path, cache: Cache) -> None:
    waiting = build(wait=str(tmp_path / "pid"))
    thread = interrupt_once_written(tmp_path / "pid", 2)
    with pytest.raises(KeyboardInterrupt):
        waiting.make()
    thread.join()
    assert gone(number_in(tmp_path / "pid"))
    assert waiting.find() is None
    assert list(cache.root.glob(f"{UNFINISHED}*")) == []
    assert build().make().source == "built", "the lock was not given back"


def test_an_old_go_is_refused_with_both_versions(tool: Tool) -> None:
    script = 'echo \'{"GOVERSION": "go1.21.3", "GOOS": "linux", "GOARCH": "amd64"}\''
    with pytest.raises(errors.GoTooOldError) as caught:
        locate(tool("go", script), versions.SOURCES)
    assert caught.value.exit_code == 41
    assert f"is go1.21.3; the engine's modules need Go {WANTED.go.minimum} or newer" in caught.value.message
    assert "GOTOOLCHAIN=auto" in (caught.value.cure or "")


def test_a_go_that_refuses_the_modules_is_asked_elsewhere_what_it_is(tool: Tool) -> None:
    # A Go with GOTOOLCHAIN=local fails inside a module that is too new for it.
    script = f'case $PWD in {versions.SOURCES}) exit 1;; esac; echo \'{{"GOVERSION": "go1.23.1"}}\''
    with pytest.raises(errors.GoTooOldError, match=r"is go1\.23\.1; the engine's modules need"):
        locate(tool("go", script), versions.SOURCES)


@pytest.mark.parametrize("script", ["exit 1", "echo nonsense"])
def test_a_go_that_gives_no_answer_is_unknown(tool: Tool, script: str) -> None:
    with pytest.raises(errors.GoTooOldError, match="is unknown; the engine's modules need"):
        locate(tool("go", script), versions.SOURCES)
