"""The variables that make a process run one engine and no other."""

from __future__ import annotations

from pathlib import Path

from plantain.engine import Engine

BUILT = Engine("built", Path("/cache/bin/pulumi"), Path("/cache/home/plugin"), home=Path("/cache/home"))


def test_its_folder_comes_first_on_the_path_and_only_once() -> None:
    path = BUILT.environment({"PATH": "/usr/bin:/cache/bin:/bin"})["PATH"]
    assert path == "/cache/bin:/usr/bin:/bin"


def test_its_home_is_not_the_users() -> None:
    assert BUILT.environment({})["PULUMI_HOME"] == "/cache/home"


def test_a_missing_plugin_is_never_looked_up_at_hosts_that_may_not_answer() -> None:
    assert BUILT.environment({})["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == "true"
    assert BUILT.environment({})["PULUMI_SKIP_UPDATE_CHECK"] == "true"


def test_merging_twice_changes_nothing() -> None:
    once = BUILT.environment({"PATH": "/bin"})
    assert BUILT.environment(once) == once
