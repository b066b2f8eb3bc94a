"""An uploaded source is unpacked into its own folder, or not at all."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from sandbox.errors import InvalidArgument
from sandbox.runtime import builds


def archive(files: Mapping[str, bytes], *, mode: int = 0) -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            member = zipfile.ZipInfo(name)
            member.external_attr = mode << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(member, content)
    return output.getvalue()


@pytest.mark.parametrize("name", ["../evil.py", "a/../../evil.py", "/evil.py", "a/b/../../../../evil.py"])
def test_a_path_outside_the_folder_is_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidArgument, match="outside its folder"):
        builds.unpack(archive({"main.py": b"", name: b"evil"}), tmp_path / "sources" / "one")
    assert [path.name for path in tmp_path.rglob("*")] == ["sources"]


def test_a_source_that_grows_too_large_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builds, "LARGEST_SOURCE", 100_000)
    bomb = archive({"zeros": bytes(100_001)})
    assert len(bomb) < 1000
    with pytest.raises(InvalidArgument, match="unpacks to 100001 bytes"):
        builds.unpack(bomb, tmp_path / "one")
    assert list(tmp_path.iterdir()) == []


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builds, "MOST_FILES", 2)
    with pytest.raises(InvalidArgument, match="in 3 files"):
        builds.unpack(archive(dict.fromkeys("abc", b"")), tmp_path / "one")


def test_a_link_becomes_a_plain_file(tmp_path: Path) -> None:
    builds.unpack(archive({"link": b"/etc/passwd"}, mode=stat.S_IFLNK | 0o777), tmp_path / "one")
    assert not (tmp_path / "one" / "link").is_symlink()
    assert (tmp_path / "one" / "link").read_text() == "/etc/passwd"


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="not a zip file"):
        builds.unpack(b"text", tmp_path / "one")
