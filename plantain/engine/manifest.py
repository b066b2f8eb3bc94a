"""What a finished engine consists of, written beside it, so that a damaged one is noticed and made again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

NAME = "manifest.json"


class File(BaseModel):
    """One file: size in bytes, SHA-256 in hexadecimal, and the time of its last change in nanoseconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int
    sha256: str
    changed: int


class Manifest(BaseModel):
    """All files that matter, by path relative to the engine's folder, and the versions they have."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    versions: dict[str, str]
    files: dict[str, File]

    @classmethod
    def of(cls, folder: Path, files: Sequence[Path], versions: Mapping[str, str]) -> Self:
        """Describe the files, given relative to the folder, as they are now."""
        return cls(versions=dict(versions), files={path.as_posix(): _describe(folder / path) for path in files})

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """Read the folder's manifest; None when there is none, or none that can be read."""
        try:
            return cls.model_validate_json((folder / NAME).read_bytes())
        except (OSError, ValidationError):
            return None

    def write(self, folder: Path) -> None:
        """Write the manifest into the folder."""
        (folder / NAME).write_text(json.dumps(self.model_dump(), indent=2, sort_keys=True) + "\n", encoding="utf-8")

    def damage(self, folder: Path, *, thorough: bool = False) -> str | None:
        """The first file that is not as described, or None.

        Contents are compared when a file's size or time of change differ, and always when ``thorough``.
        """
        for name, expected in self.files.items():
            path = folder / name
            try:
                stat = path.stat()
            except OSError:
                return f"{name} is missing"
            if stat.st_size != expected.size:
                return f"{name} has {stat.st_size} bytes instead of {expected.size}"
            if (thorough or stat.st_mtime_ns != expected.changed) and _digest(path) != expected.sha256:
                return f"{name} has other contents than it was made with"
        return None


def _describe(path: Path) -> File:
    stat = path.stat()
    return File(size=stat.st_size, sha256=_digest(path), changed=stat.st_mtime_ns)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
