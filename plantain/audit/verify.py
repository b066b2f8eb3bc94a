"""Verification without any network: digests, chain, signature, and the judgement made again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from plantain.audit import bundle, chain, environment, signature
from plantain.audit import manifest as manifests
from plantain.audit.canonical import canonical, sha256, sha256_of_file
from plantain.audit.chain import Problem
from plantain.audit.errors import BundleError, SigningKeyError
from plantain.audit.manifest import ENVELOPE_FILE, MANIFEST_FILE, Manifest
from plantain.audit.summary import Counts, documents, results
from plantain.errors import PlantainError
from policies.catalogue import CONTROLS

#: What reading a bundle ends with when whoever holds the key has written nonsense into it.
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError)


@dataclass
class Report:
    """What verification found.

    Attributes:
        bundles: names of the bundles that were looked at.
        files: how many files were compared with their digests.
        rejudged: names of the bundles that were judged again with the same results.
        scopes: what the bundles are about.
        notes: what could not be verified, and why; no problem by itself.
        problems: what does not verify.
    """

    bundles: list[str] = field(default_factory=list)
    files: int = 0
    rejudged: list[str] = field(default_factory=list)
    scopes: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def verify(
    path: Path,
    *,
    public_key: bytes | None,
    head: str | None = None,
    rejudge: bool = True,
    advance: Callable[[str], None] = lambda _: None,
) -> Report:
    """Verify one bundle, or a whole chain of them.

    Args:
        path: a bundle, or the folder of bundles.
        public_key: the trusted key, PEM; None accepts evidence without a signature's proof, and says so.
        head: digest of the newest manifest, from elsewhere; for chains.
        rejudge: whether the judgement is made again.
        advance: called with each bundle's name before it is verified.

    Raises:
        BundleError: there is no evidence.
    """
    report = Report()
    if os.path.lexists(path / MANIFEST_FILE):
        folders = [path]
        report.notes.append("one bundle only: whether others were dropped is not known")
    else:
        folders = chain.bundles(path)
        if not folders:
            raise BundleError(f"{path} holds no evidence.", cure="plantain audit run --out evidence")
        report.problems += chain.verify(path, head)
    if public_key is None:
        report.notes.append("no trusted key was given: whoever can write the folder can have written all of it")
    for folder in folders:
        advance(folder.name)
        _bundle(folder, report, public_key, rejudge=rejudge)
    return report


def _bundle(folder: Path, report: Report, public_key: bytes | None, *, rejudge: bool) -> None:
    report.bundles.append(folder.name)
    if folder.is_symlink():
        report.problems.append(Problem(folder.name, "is a link: the bundle was put elsewhere"))
    try:
        found = manifests.load(folder)
    except BundleError as error:
        report.problems.append(Problem(f"{folder.name}/{MANIFEST_FILE}", error.message))
        return
    before = len(report.problems)
    report.scopes.add(found.scope)
    if found.data != (folder / MANIFEST_FILE).read_bytes():
        report.problems.append(Problem(f"{folder.name}/{MANIFEST_FILE}", "is not in canonical form: it was edited"))
    report.problems += _files(folder, found)
    report.files += len(found.files)
    if public_key is not None:
        report.problems += _signature(folder, public_key)
    if rejudge and len(report.problems) == before:
        try:
            _again(folder, report)
        except (PlantainError, *UNREADABLE) as error:
            text = error.message if isinstance(error, PlantainError) else f"{type(error).__name__} {error}"
            report.problems.append(Problem(folder.name, f"cannot be judged again: {text}"))


def _files(folder: Path, found: Manifest) -> Iterator[Problem]:
    there = set(manifests.paths(folder))
    for name in sorted(there - set(found.files)):
        yield Problem(f"{folder.name}/{name}", "is not in the manifest: it was added")
    for name, entry in sorted(found.files.items()):
        path = folder / name
        if name not in there:
            yield Problem(f"{folder.name}/{name}", "is in the manifest and not in the folder: it was removed")
        elif not manifests.regular(path):
            yield Problem(f"{folder.name}/{name}", "is a link or no file: what it holds is elsewhere")
        elif sha256_of_file(path) != entry["sha256"]:
            yield Problem(f"{folder.name}/{name}", "has another digest than the manifest says: it was changed")


def _signature(folder: Path, public_key: bytes) -> Iterator[Problem]:
    where = f"{folder.name}/{ENVELOPE_FILE}"
    path = folder / ENVELOPE_FILE
    if not manifests.regular(path):
        yield Problem(where, "is missing: the bundle is not signed")
        return
    try:
        statement = signature.opened(path.read_bytes(), public_key)
        subject = statement["subject"][0]["digest"]["sha256"]
    except ValueError as error:
        yield Problem(where, f"does not verify: {error}")
        return
    except SigningKeyError as error:
        yield Problem(where, error.message)
        return
    except (KeyError, IndexError, TypeError):
        yield Problem(where, "is signed, but says nothing about a manifest")
        return
    if subject != sha256((folder / MANIFEST_FILE).read_bytes()):
        yield Problem(where, "is about another manifest than the one beside it")


def _again(folder: Path, report: Report) -> None:
    recorded = json.loads((folder / bundle.ENVIRONMENT_FILE).read_bytes())
    if recorded["tools"]["catalogue"] != environment.catalogue_digest():
        commit = recorded["git"].get("commit") or "unknown"
        report.notes.append(
            f"{folder.name} was judged by another version of the controls, so it was not judged again; "
            f"check out commit {commit[:12]} for it"
        )
        return
    counts = Counts()
    problems: list[Problem] = []
    for judged in bundle.rejudge(folder):
        counts.merge(judged.counts)
        for file, data in judged.files.items():
            path = folder / bundle.UNITS / judged.name / file
            if not path.exists() or path.read_bytes() != data:
                where = f"{folder.name}/{bundle.UNITS}/{judged.name}/{file}"
                problems.append(Problem(where, "is not what the controls say of the recorded sources"))
    if canonical(documents(CONTROLS)) != (folder / bundle.CONTROLS_FILE).read_bytes():
        problems.append(Problem(f"{folder.name}/{bundle.CONTROLS_FILE}", "is not the catalogue it was judged by"))
    if canonical(results(counts, CONTROLS)) != (folder / bundle.SUMMARY_FILE).read_bytes():
        problems.append(Problem(f"{folder.name}/{bundle.SUMMARY_FILE}", "does not add up from the results"))
    report.problems += problems
    if not problems:
        report.rejudged.append(folder.name)
