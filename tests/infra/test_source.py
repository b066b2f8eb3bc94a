from __future__ import annotations

import io
import os
import zipfile
from typing import TYPE_CHECKING

import pytest

from infra import source
from infra.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def folder(write: Callable[[str, str], Path], tmp_path: Path) -> Path:
    write("functions/main.py", "def images(request): ...\n")
    write("functions/requirements.txt", "functions-framework\n")
    write("functions/generation/models.py", "MODELS = ()\n")
    return tmp_path / "functions"


def names(archive: source.Archive) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(archive.content)).namelist()


class TestTheArchive:
    """Nothing but the files' names and contents decides its bytes."""

    def test_the_same_files_give_the_same_bytes(self, folder: Path) -> None:
        first = source.pack(folder)
        for path in folder.rglob("*"):
            os.utime(path, (1_000_000_000, 1_000_000_000))
        (folder / "main.py").chmod(0o600)
        assert source.pack(folder) == first

    def test_another_content_gives_another_digest(self, folder: Path) -> None:
        first = source.pack(folder)
        (folder / "main.py").write_text("def images(request): return ''\n")
        assert source.pack(folder).digest != first.digest

    def test_another_name_gives_another_digest(self, folder: Path) -> None:
        first = source.pack(folder)
        (folder / "generation" / "models.py").rename(folder / "generation" / "prices.py")
        assert source.pack(folder).digest != first.digest

    def test_it_holds_the_files_in_order_and_nothing_that_python_left_behind(
        self, folder: Path, write: Callable[[str, str], Path]
    ) -> None:
        write("functions/generation/__pycache__/models.cpython-311.pyc", "x")
        write("functions/.pytest_cache/README.md", "x")
        assert names(source.pack(folder)) == ["generation/models.py", "main.py", "requirements.txt"]

    def test_a_folder_that_cannot_be_deployed_is_refused_with_what_it_lacks(self, tmp_path: Path) -> None:
        (tmp_path / "functions").mkdir()
        with pytest.raises(SourceError) as caught:
            source.pack(tmp_path / "functions")
        assert {problem.key for problem in caught.value.problems} == {"main.py", "requirements.txt"}


class TestWriting:
    def test_the_file_is_named_after_the_digest_and_written_once(self, folder: Path, tmp_path: Path) -> None:
        archive = source.pack(folder)
        path = source.write(archive, tmp_path / "build")
        assert path.name == f"{archive.digest}.zip"
        assert path.read_bytes() == archive.content
        assert source.write(archive, tmp_path / "build") == path
        assert [entry.name for entry in (tmp_path / "build").iterdir()] == [path.name]
