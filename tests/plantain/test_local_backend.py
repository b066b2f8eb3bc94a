"""A state whose attributes were being written when pulumi was killed can be read again."""

from __future__ import annotations

from pathlib import Path

import pytest

from plantain.local_backend import mend


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    stacks = tmp_path / "my states" / ".pulumi" / "stacks" / "plantain"
    stacks.mkdir(parents=True)
    (stacks / "prod.json").write_text('{"version": 3}')
    (stacks / "prod.json.attrs").write_text("")
    (stacks / "seed.json.attrs").write_text('{"user.content_type": "application/json"}')
    (stacks / "half.json.attrs").write_text('{"user.content')
    return stacks


def test_broken_attributes_go_and_everything_else_stays(folder: Path) -> None:
    mended = mend((folder.parents[2]).as_uri())
    assert [path.name for path in mended] == ["half.json.attrs", "prod.json.attrs"]
    assert sorted(path.name for path in folder.iterdir()) == ["prod.json", "seed.json.attrs"]
    assert mend(folder.parents[2].as_uri()) == []


@pytest.mark.parametrize("backend", ["gs://bucket", "", "https://api.pulumi.com"])
def test_other_backends_are_left_alone(folder: Path, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parents[2])
    assert mend(backend) == []
    assert (folder / "prod.json.attrs").exists()


def test_a_folder_without_states_is_no_failure(tmp_path: Path) -> None:
    assert mend(tmp_path.as_uri()) == []
