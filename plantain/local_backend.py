"""States that lie in a folder: what a killed pulumi leaves broken beside them.

The library that writes them puts a file of attributes beside each (``prod.json.attrs``). States are replaced at once,
their attributes are not: killed at that moment, pulumi leaves an empty file, and from then on says ``failed to load
checkpoint: EOF`` of a state that is whole. Attributes that are missing are no failure.
Source: gocloud.dev blob/fileblob/attrs.go, which pulumi 3.259 keeps states with (read 2026-11).
"""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote, urlsplit

STATES = ".pulumi"
ATTRIBUTES = "*.attrs"


def mend(backend: str) -> list[Path]:
    """Remove attributes that cannot be read, and only those; returns them.

    Args:
        backend: URL of the backend; one that is no folder is left alone.
    """
    address = urlsplit(backend)
    if address.scheme != "file":
        return []
    # file://~ and relative ones are resolved as pulumi does it.
    folder = Path(unquote(address.netloc + address.path)).expanduser()
    broken = [path for path in sorted((folder / STATES).rglob(ATTRIBUTES)) if not _readable(path)]
    for path in broken:
        path.unlink()
    return broken


def _readable(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except ValueError:
        return False
    return True
