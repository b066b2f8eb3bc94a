"""The function's source folder as an archive whose bytes depend on nothing but the files in it.

Times, owners and the order of a directory listing would change the archive's digest, and with it deploy the function
again, without any change in the source.
"""

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

from infra.errors import Problem, SourceError

EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The first date a zip archive can hold."""
REGULAR_FILE = 0o100644 << 16
UNIX = 3
WHEELS = "wheels"
"""Folder of the archive that holds the dependencies."""
LEFT_OUT = frozenset({"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"})


@dataclass(frozen=True)
class Archive:
    """A packed folder: its bytes and their SHA-256 as hexadecimal text."""

    content: bytes
    digest: str


def check(folder: Path) -> None:
    """See that a function's folder can be deployed.

    Raises:
        SourceError: when it lacks what a deployment needs.
    """
    missing = [name for name in ("main.py", "requirements.txt") if not (folder / name).is_file()]
    if missing:
        raise SourceError(
            [
                Problem(
                    file=folder.name,
                    key=name,
                    cause="missing",
                    rule="main.py and requirements.txt lie at the top of the function's folder",
                    cure=f"git checkout -- {folder.name}",
                )
                for name in missing
            ]
        )


def pack(folder: Path, *, wheels: Path | None = None) -> Archive:
    """The archive of a function's folder.

    Args:
        folder: the function's source.
        wheels: folder of wheels that travel with it, below `WHEELS`; None for none.

    Raises:
        SourceError: when the folder lacks what a deployment needs.
    """
    check(folder)
    files = {
        relative.as_posix(): path
        for path in folder.rglob("*")
        if path.is_file()
        and not LEFT_OUT.intersection((relative := path.relative_to(folder)).parts)
        and path.suffix != ".pyc"
    }
    if wheels is not None:
        files |= {f"{WHEELS}/{path.name}": path for path in wheels.glob("*.whl")}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, path in sorted(files.items()):
            entry = zipfile.ZipInfo(name, EARLIEST)
            entry.create_system = UNIX
            entry.external_attr = REGULAR_FILE
            # Stored, not deflated: what zlib makes of the same bytes differs between its versions.
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_STORED)
    content = buffer.getvalue()
    return Archive(content, hashlib.sha256(content).hexdigest())


def write(archive: Archive, folder: Path) -> Path:
    """Put the archive where the provider can read it, under a name that its content decides."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{archive.digest}.zip"
    if not path.exists():
        partial = path.with_suffix(".partial")
        partial.write_bytes(archive.content)
        partial.replace(path)
    return path
