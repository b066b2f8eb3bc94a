"""The list of a bundle's files with their digests, chained to the bundle before it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plantain.audit.canonical import canonical, sha256, sha256_of_file
from plantain.audit.errors import BundleError, SourceError

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
    def time(self) -> dt.datetime:
        """When it was made."""
        return dt.datetime.fromisoformat(self.created)

    @property
    def name(self) -> str:
        """The name that the bundle's folder has."""
        return name_of(self.sequence, self.time)

    @property
    def data(self) -> bytes:
        """The manifest's bytes."""
        return canonical(self.document())

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest's bytes."""
        return sha256(self.data)


def name_of(sequence: int, created: dt.datetime) -> str:
    """The name of a bundle's folder; names sort as the bundles came."""
    return f"{sequence:06d}-{created.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"


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
            and type(manifest.sequence) is int
            and isinstance(manifest.scope, str)
            and isinstance(manifest.created, str)
            and (manifest.previous is None or isinstance(manifest.previous, str))
            and all(isinstance(entry["sha256"], str) for entry in manifest.files.values())
            and dt.datetime.fromisoformat(manifest.created).tzinfo is not None
            and manifest.data
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BundleError(f"{where} is no manifest of evidence: {error}") from None
    except SourceError as error:
        raise BundleError(f"{where} is no manifest of evidence: {error.message}") from None
    if not well_formed:
        raise BundleError(f"{where} is no manifest of evidence: its schema, or the type of a field, is another one")
    return manifest


def load(folder: Path) -> Manifest:
    """The manifest of a bundle's folder.

    Raises:
        BundleError: the folder holds none.
    """
    path = folder / MANIFEST_FILE
    if not regular(path):
        raise BundleError(
            f"{folder} holds no evidence: there is no {MANIFEST_FILE}.", cure="plantain audit run --out evidence"
        )
    return parse(path.read_bytes(), path)


def regular(path: Path) -> bool:
    """Whether a path is a file itself: neither a link to one, nor a pipe that would never end."""
    return path.is_file() and not path.is_symlink()


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
