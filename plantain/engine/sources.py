"""The Go sources of the build, and the name under which their result is kept."""

from __future__ import annotations

import hashlib
from pathlib import Path

from plantain.engine.toolchain import Go

_KINDS = {".go", ".mod", ".sum", ".toml"}
_NAME_DIGITS = 16


def files(sources: Path) -> list[Path]:
    """What goes into the build, sorted, relative to the folder."""
    return sorted(path.relative_to(sources) for path in sources.rglob("*") if path.suffix in _KINDS and path.is_file())


def name(sources: Path, go: Go) -> str:
    """The build's name: the same for the same sources, Go version and target, and for nothing else."""
    digest = hashlib.sha256(f"{go.version} {go.target}\n".encode())
    for path in files(sources):
        content = (sources / path).read_bytes()
        digest.update(f"{path.as_posix()} {len(content)}\n".encode() + content)
    return f"built-{digest.hexdigest()[:_NAME_DIGITS]}"
