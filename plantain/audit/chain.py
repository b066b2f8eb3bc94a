"""Bundles of one scope, one after the other. The ledger beside them says which there must be.

A ledger can be rolled back together with the newest bundles by whoever can write both; ``--head`` with the digest that
another system keeps (a locked bucket, a ticket) finds that, too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from plantain.audit import manifest as manifests
from plantain.audit.canonical import line
from plantain.audit.errors import BundleError, SourceError
from plantain.audit.manifest import MANIFEST_FILE, Manifest

LEDGER_FILE = "ledger.ndjson"


@dataclass(frozen=True)
class Link:
    """One line of the ledger.

    Attributes:
        sequence: number of the bundle.
        bundle: name of its folder.
        manifest: SHA-256 of its manifest.
    """

    sequence: int
    bundle: str
    manifest: str


@dataclass(frozen=True)
class Problem:
    """Something that does not verify.

    Attributes:
        where: the file or folder.
        what: what is wrong with it.
    """

    where: str
    what: str


def ledger(root: Path) -> list[Link]:
    """The ledger of a folder of bundles; empty where there is none yet.

    Raises:
        BundleError: it cannot be read.
    """
    path = root / LEDGER_FILE
    if not path.exists() and not path.is_symlink():
        return []
    try:
        if not manifests.regular(path):
            raise ValueError  # noqa: TRY301 -- answered as any other content that is none
        rows = path.read_bytes().splitlines(keepends=True)
        links = [Link(**json.loads(row)) for row in rows]
        kinds = all((type(one.sequence), type(one.bundle), type(one.manifest)) == (int, str, str) for one in links)
        whole = kinds and b"".join(line(vars(link)) for link in links) == b"".join(rows)
    except (ValueError, TypeError, OSError, RecursionError, SourceError):
        raise BundleError(f"{path} is no ledger of evidence.", cure="restore it from the locked bucket") from None
    if not whole:
        raise BundleError(f"{path} is not as it was written.", cure="restore it from the locked bucket")
    return links


def append(root: Path, bundle: str, manifest: Manifest) -> None:
    """Add a bundle to the ledger."""
    with (root / LEDGER_FILE).open("ab") as file:
        file.write(line(vars(Link(manifest.sequence, bundle, manifest.digest))))
        file.flush()
        os.fsync(file.fileno())


def bundles(root: Path) -> list[Path]:
    """Folders that hold a manifest, in order of their names."""
    return sorted(path.parent for path in root.glob(f"*/{MANIFEST_FILE}"))


def verify(root: Path, head: str | None) -> Iterator[Problem]:
    """Every problem of the chain itself; what is in the bundles is verified apart.

    Args:
        root: folder of the bundles.
        head: digest of the newest manifest, from elsewhere.
    """
    try:
        links = ledger(root)
    except BundleError as error:
        yield Problem(LEDGER_FILE, error.message)
        return
    if not links:
        yield Problem(LEDGER_FILE, "is missing or empty, so nobody knows which bundles there must be")
        return
    expected = {link.bundle: link for link in links}
    there = {path.name for path in bundles(root)}
    for name in sorted(there - set(expected)):
        yield Problem(name, "is not in the ledger: it was inserted")
    stray = {path.name for path in root.iterdir()} - there - set(expected) - {LEDGER_FILE}
    for name in sorted(stray):
        yield Problem(name, "does not belong to the evidence")
    yield from _in_order(root, links, there)
    if head is not None and links[-1].manifest != head:
        yield Problem(links[-1].bundle, "is not the newest bundle: the given head is another one")


def _in_order(root: Path, links: Sequence[Link], there: set[str]) -> Iterator[Problem]:
    previous: str | None = None
    before: Manifest | None = None
    for number, link in enumerate(links, 1):
        if link.sequence != number:
            yield Problem(link.bundle, f"has number {link.sequence} in the ledger where {number} must be")
        if link.bundle not in there:
            yield Problem(link.bundle, "is in the ledger and not in the folder: it was dropped")
        elif found := _manifest(root / link.bundle):
            yield from _linked(root / link.bundle, link, previous, found)
            yield from _after(root / link.bundle, found, before)
            before = found
        previous = link.manifest


def _manifest(folder: Path) -> Manifest | None:
    """A bundle's manifest; None where it is unreadable, which is said of the bundle itself."""
    try:
        return manifests.load(folder)
    except BundleError:
        return None


def _linked(folder: Path, link: Link, previous: str | None, found: Manifest) -> Iterator[Problem]:
    where = f"{folder.name}/{MANIFEST_FILE}"
    if found.digest != link.manifest:
        yield Problem(where, "is not the one that the ledger names: it was changed")
    if found.previous != previous:
        yield Problem(where, "names another bundle before it than the ledger: one was dropped, inserted or changed")
    if found.sequence != link.sequence:
        yield Problem(where, f"has number {found.sequence}, the ledger says {link.sequence}")
    if folder.name != found.name:
        yield Problem(folder.name, f"is named {found.name} by its manifest: the folder was renamed")


def _after(folder: Path, found: Manifest, before: Manifest | None) -> Iterator[Problem]:
    where = f"{folder.name}/{MANIFEST_FILE}"
    if before is None:
        return
    if found.scope != before.scope:
        yield Problem(where, f"is about {found.scope}, the bundle before it about {before.scope}")
    if found.time < before.time:
        yield Problem(where, "is older than the bundle before it: a clock was set back, or one was made afterwards")


def head_document(root: Path) -> bytes:
    """The newest line of the ledger, for systems that keep it elsewhere; all of them together are the ledger."""
    return line(vars(ledger(root)[-1]))
