"""Object contents, one file per digest."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path


class Blobs:
    """Content-addressed files; a blob is there whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, content: bytes) -> str:
        """Keep the content; returns its SHA-256 in hexadecimal."""
        digest = hashlib.sha256(content).hexdigest()
        path = self.path(digest)
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=path.parent)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            Path(name).replace(path)
        return digest

    def read(self, digest: str) -> bytes:
        """The content of a digest that ``write`` returned."""
        return self.path(digest).read_bytes()

    def path(self, digest: str) -> Path:
        """Where the content lies."""
        return self._folder / digest[:2] / digest
