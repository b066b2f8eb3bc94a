"""docs/settings.md says what settings really make."""

from __future__ import annotations

from pathlib import Path

from tests.infra import settings_table


def test_every_setting_is_in_the_table() -> None:
    told = {case[0] for case in settings_table.CASES} | set(settings_table.NO_RESOURCE)
    assert settings_table.keys() == told


def test_every_setting_does_what_the_table_says(tmp_path: Path) -> None:
    text = (settings_table.ROOT / settings_table.PAGE).read_text()
    root = settings_table.project(tmp_path / "project")
    assert settings_table.page(root, text) == text, "run: python -m tests.infra.settings_table"


def test_every_setting_of_the_table_has_an_effect(tmp_path: Path) -> None:
    root = settings_table.project(tmp_path / "project")
    idle = [case[0] for case in settings_table.CASES if not any(settings_table.effect(root, case))]
    assert idle == []
