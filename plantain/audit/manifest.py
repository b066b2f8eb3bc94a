"""The list of a bundle's files with their digests, chained to the bundle before it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plantain.audit.canonical import canonical, sha256, sha256_of_file
from plantain.audit.errors import BundleError

SCHEMA = "plantain/audit-manifest/v1"
MANIFEST_FILE = "manifest.json"
ENVELOPE_FILE = "manifest.dsse.json"
OUTSIDE = frozenset({MANIFEST_FILE, ENVELOPE_FILE})


@dataclass(frozen=True)
class Manifest:
    """A bundle's manifest.

    Attributes:
        scope: what is audited, as the names of the stacks; one chain has one scope.
        sequence: number in the chain, from 1.
        previous: SHA-256 of the manifest before; None for the first.
        created: UTC time, ISO 8601.
        files: digest and size by path.
    """

    scope: str
    sequence: int
    previous: str | None
    created: str
    files: Mapping[str, Mapping[str, Any]]

    def document(self) -> dict[str, Any]:
        """The manifest as JSON."""
        return {
            "schema": SCHEMA,
            "scope": self.scope,
            "sequence": self.sequence,
            "previous": self.previous,
            "created": self.created,
            "files": {path: dict(entry) for path, entry in self.files.items()},
        }

    @property
    def data(self) -> bytes:
        """The manifest's bytes."""
        return canonical(self.document())

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest's bytes."""
        return sha256(self.data)


def parse(data: bytes, where: Path) -> Manifest:
    """A manifest from its bytes.

    Raises:
        BundleError: they are none that this version knows.
    """
    try:
        found = json.loads(data)
        manifest = Manifest(found["scope"], found["sequence"], found["previous"], found["created"], found["files"])
        well_formed = (
            found["schema"] == SCHEMA
            and isinstance(manifest.sequence, int)
            and isinstance(manifest.scope, str)
            and isinstance(manifest.created, str)
            and (manifest.previous is None or isinstance(manifest.previous, str))
            and all(isinstance(entry["sha256"], str) for entry in manifest.files.values())
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BundleError(f"{where} is no manifest of evidence: {error}") from None
    if not well_formed:
        raise BundleError(f"{where} is no manifest of evidence: its schema, or the type of a field, is another one")
    return manifest


def load(folder: Path) -> Manifest:
    """The manifest of a bundle's folder.

    Raises:
        BundleError: the folder holds none.
    """
    path = folder / MANIFEST_FILE
    try:
        return parse(path.read_bytes(), path)
    except OSError:
        raise BundleError(
            f"{folder} holds no evidence: there is no {MANIFEST_FILE}.", cure="plantain audit run --out evidence"
        ) from None


def describe(folder: Path) -> dict[str, dict[str, Any]]:
    """Digest and size of every file of a bundle, by path."""
    return {
        path: {"sha256": sha256_of_file(folder / path), "bytes": (folder / path).stat().st_size}
        for path in paths(folder)
    }


def paths(folder: Path) -> Iterator[str]:
    """Every file of a bundle except manifest and envelope, relative to it, in order; links count as files."""
    found = (entry for entry in folder.rglob("*") if entry.is_symlink() or not entry.is_dir())
    names = sorted(entry.relative_to(folder).as_posix() for entry in found)
    return (name for name in names if name not in OUTSIDE)
