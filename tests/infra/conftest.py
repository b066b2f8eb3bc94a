"""What every test of the infrastructure starts from."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project folder: the repository's campaigns, a function of two files and a wheel."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "campaigns", folder / "campaigns")
    (folder / "functions").mkdir()
    (folder / "functions" / "main.py").write_text("def images(request): ...\n")
    (folder / "functions" / "requirements.txt").write_text("functions-framework\n")
    (folder / "wheels").mkdir()
    (folder / "wheels" / "functions_framework-3.10.0-py3-none-any.whl").write_bytes(b"a wheel")
    return folder


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a file below a temporary project folder."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write
