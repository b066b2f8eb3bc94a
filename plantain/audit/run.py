"""One audit from its sources to a sealed bundle."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from plantain.audit import bundle, chain, collection
from plantain.audit import manifest as manifests
from plantain.audit.canonical import canonical
from plantain.audit.collection import Request
from plantain.audit.errors import AuditError, SourceError
from plantain.audit.manifest import Manifest
from plantain.audit.signature import Signer
from plantain.audit.summary import results
from policies.catalogue import CONTROLS

LOCK_SECONDS = 60
PARTIAL = ".partial"
ATTACHMENTS = "attachments"


@dataclass(frozen=True)
class Done:
    """A finished audit.

    Attributes:
        folder: the bundle.
        manifest: its manifest.
        summary: results.json.
        inventory: inventory.json.
    """

    folder: Path
    manifest: Manifest
    summary: dict[str, Any]
    inventory: dict[str, Any]


def run(
    request: Request,
    root: Path,
    *,
    by: Signer | None,
    units: Path | None = None,
    attachments: Sequence[Path] = (),
    advance: Callable[[str], None] = lambda _: None,
) -> Done:
    """Collect, judge, seal.

    Args:
        request: what is audited.
        root: folder of the bundles; a chain goes on in it.
        by: who signs.
        units: units that were collected elsewhere, instead of the request's sources.
        attachments: files that are sealed with the evidence, as the results of an audit of images.
        advance: told what is done.

    Raises:
        AuditError: another audit writes into the same folder.
        BundleError: the chain there cannot be read.
        SourceError: a source cannot be read.
    """
    root.mkdir(parents=True, exist_ok=True)
    lock = FileLock(root.with_name(f".{root.name}.lock"))
    try:
        with lock.acquire(timeout=LOCK_SECONDS):
            return _run(request, root, by, units, attachments, advance)
    except Timeout:
        raise AuditError(f"Another audit writes into {root}.", cure="wait for it, or choose another --out") from None


def _run(
    request: Request,
    root: Path,
    by: Signer | None,
    units: Path | None,
    attachments: Sequence[Path],
    advance: Callable[[str], None],
) -> Done:
    scope = "+".join(source.name for source in request.sources) or "collected"
    links = chain.ledger(root)
    if links and (root / links[-1].bundle).exists():
        _follows(manifests.load(root / links[-1].bundle), scope, request)
    sequence = len(links) + 1
    name = manifests.name_of(sequence, request.created)
    # Outside of the evidence until it is whole: an audit that is interrupted leaves the chain as it was.
    work = root.with_name(f".{root.name}-{name}{PARTIAL}")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    try:
        if units is None:
            collection.collect(request, work)
        else:
            collection.adopt(request, units, work)
        _attach(attachments, work)
        advance("collected")
        counts = bundle.judge(work)
        summary = results(counts, CONTROLS)
        (work / bundle.SUMMARY_FILE).write_bytes(canonical(summary))
        advance("judged")
        sealed = bundle.seal(root, work, scope, request.created, by)
        folder = root / name
        work.rename(folder)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    chain.append(root, name, sealed)
    advance("sealed")
    return Done(folder, sealed, summary, bundle.document(folder, bundle.INVENTORY_FILE))


def _follows(before: Manifest, scope: str, request: Request) -> None:
    """Refuse what would not verify as the next of a chain."""
    if scope != before.scope:
        raise AuditError(
            f"The chain is about {before.scope}, this audit about {scope}: each scope has a chain of its own.",
            cure="choose another folder with --out",
        )
    if request.created < before.time:
        raise AuditError(
            f"The newest bundle was made at {before.created}, which is still to come here: a clock is wrong.",
            cure="set the clock, or choose another folder with --out",
        )


def _attach(files: Sequence[Path], work: Path) -> None:
    names = [path.name for path in files]
    if len(set(names)) != len(names):
        raise SourceError("Two attachments have the same name, so one would hide the other.", cure="rename one")
    for path in files:
        try:
            (work / ATTACHMENTS).mkdir(exist_ok=True)
            shutil.copyfile(path, work / ATTACHMENTS / path.name)
        except OSError as error:
            raise SourceError(f"{path} cannot be attached: {error.strerror}.", cure="give a file that exists") from None
