"""What is there comes before what must be fetched or built, and a closed way is named with its reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plantain.engine import Engine, EngineError, errors, resolution, versions
from plantain.engine.build import Build
from plantain.engine.cache import Cache
from plantain.engine.installed import Absent
from plantain.engine.progress import Reporter
from plantain.engine.released import Release
from plantain.engine.resolution import resolve
from plantain.engine.toolchain import Go
from tests.engine.conftest import Tool

WANTED = versions.load()
MINIMUM = WANTED.go.minimum
Ways = Callable[..., list[str]]


def engine_from(source: Any) -> Engine:
    return Engine(source, Path("/engine/bin/pulumi"), Path("/engine/plugin"), {"pulumi": "3.0.0", "gcp": "10.0.0"})


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> Ways:
    """Open some of the ways; the list that is returned fills with those that are gone."""

    def open_ways(*opened: str, go: Go | EngineError | None = None) -> list[str]:
        gone: list[str] = []

        def way(name: str, source: str, closed: Any) -> Callable[..., Any]:
            def go_there(*_: Any, **__: Any) -> Any:
                gone.append(name)
                return engine_from(source) if name in opened else closed

            return go_there

        monkeypatch.delenv(resolution.OVERRIDE, raising=False)
        monkeypatch.setattr(resolution, "find", way("installed", "installed", Absent("not installed")))
        monkeypatch.setattr(Release, "find", way("fetched before", "released", None))
        monkeypatch.setattr(Release, "fetch", way("fetch", "released", Absent("no answer")))
        monkeypatch.setattr(Build, "find", way("built before", "built", None))
        monkeypatch.setattr(Build, "make", way("build", "built", None))
        here = go or Go(Path("go"), "go1.26.8", "linux/amd64", Path("mod"), Path("build"))
        monkeypatch.setattr(resolution._Search, "_go", lambda _: here)
        return gone

    return open_ways


def test_an_installed_engine_comes_first(ways: Ways, cache: Cache) -> None:
    gone = ways("installed", "fetched before", "built before", "fetch", "build")
    assert resolve(cache=cache).source == "installed"
    assert gone == ["installed"]


def test_then_one_that_was_fetched_before(ways: Ways, cache: Cache) -> None:
    gone = ways("fetched before", "built before", "fetch", "build")
    assert resolve(cache=cache).source == "released"
    assert gone == ["installed", "fetched before"]


def test_then_one_that_was_built_before_without_asking_the_network(ways: Ways, cache: Cache) -> None:
    gone = ways("built before", "fetch", "build")
    assert resolve(cache=cache).source == "built"
    assert gone == ["installed", "fetched before", "built before"]


def test_then_pulumis_release(ways: Ways, cache: Cache) -> None:
    gone = ways("fetch", "build")
    assert resolve(cache=cache).source == "released"
    assert gone[-1] == "fetch"


def test_then_the_build(ways: Ways, cache: Cache) -> None:
    gone = ways("build")
    assert resolve(cache=cache).source == "built"
    assert gone == ["installed", "fetched before", "built before", "fetch", "build"]


def test_without_go_and_internet_the_error_names_each_way(ways: Ways, cache: Cache) -> None:
    ways(go=EngineError("no go is on PATH"))
    with pytest.raises(errors.NoEngineError) as caught:
        resolve(cache=cache)
    assert caught.value.exit_code == 40
    assert caught.value.message.splitlines() == [
        "There is no Pulumi engine, and none can be made here:",
        "  installed: not installed",
        "  released: no answer",
        "  built: no go is on PATH",
    ]
    assert caught.value.cure
    assert f"install Go {MINIMUM} or newer, which needs only a module proxy" in caught.value.cure


def test_an_old_go_matters_only_when_nothing_else_is_open(ways: Ways, cache: Cache) -> None:
    old = errors.GoTooOldError("go is go1.20", cure="install Go")
    ways("fetch", go=old)
    assert resolve(cache=cache).source == "released"
    ways(go=old)
    with pytest.raises(errors.NoEngineError, match=r"built: go is go1\.20") as caught:
        resolve(cache=cache)
    assert caught.value.cure == "install Go"


def test_a_build_that_is_asked_for_skips_every_other_way(ways: Ways, cache: Cache) -> None:
    gone = ways("installed", "fetched before", "built before", "fetch", "build")
    assert resolve(rebuild=True, cache=cache).source == "built"
    assert gone == ["build"]


@pytest.mark.parametrize(
    ("asked", "opened", "gone_through"),
    [
        ("installed", "installed", ["installed"]),
        ("released", "fetched before", ["fetched before"]),
        ("released", "fetch", ["fetched before", "fetch"]),
        ("built", "built before", ["built before"]),
        ("built", "build", ["built before", "build"]),
    ],
)
def test_the_variable_asks_for_one_way(
    ways: Ways, cache: Cache, monkeypatch: pytest.MonkeyPatch, asked: str, opened: str, gone_through: list[str]
) -> None:
    gone = ways(opened)
    monkeypatch.setenv("PLANTAIN_ENGINE", asked)
    assert resolve(cache=cache).source == asked
    assert gone == gone_through


@pytest.mark.parametrize(("asked", "reason"), [("installed", "not installed"), ("released", "no answer")])
def test_a_way_that_is_asked_for_and_closed_is_an_error(
    ways: Ways, cache: Cache, monkeypatch: pytest.MonkeyPatch, asked: str, reason: str
) -> None:
    ways("build")
    monkeypatch.setenv("PLANTAIN_ENGINE", asked)
    with pytest.raises(errors.WrongEngineError) as caught:
        resolve(cache=cache)
    assert caught.value.exit_code == 47
    assert caught.value.message == f"Only an engine that is {asked} was asked for, and there is none: {reason}."
    assert "PLANTAIN_ENGINE" in (caught.value.cure or "")


def test_an_unknown_way_is_refused(ways: Ways, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    ways("build")
    monkeypatch.setenv("PLANTAIN_ENGINE", "compiled")
    with pytest.raises(errors.WrongEngineError, match="'compiled', which is not one of installed, released, built"):
        resolve(cache=cache)


@pytest.mark.parametrize("go", [EngineError("no go is on PATH"), errors.GoTooOldError("too old")])
def test_a_build_that_is_asked_for_without_a_fitting_go_is_an_error(ways: Ways, cache: Cache, go: EngineError) -> None:
    ways("installed", go=go)
    with pytest.raises((errors.NoEngineError, errors.GoTooOldError)) as caught:
        resolve("built", cache=cache)
    said = "too old" if isinstance(go, errors.GoTooOldError) else "The engine cannot be built: no go is on PATH."
    assert caught.value.message == said


def test_a_path_without_go_is_noticed(tool: Tool, cache: Cache, reporter: Reporter) -> None:
    tool("unrelated", "exit 0")
    found = resolution._Search(cache, reporter, thorough=False)._go()
    assert isinstance(found, EngineError)
    assert str(found) == "no go is on PATH"
