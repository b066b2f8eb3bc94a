"""Whatever is changed in a chain of bundles, ``verify`` fails and says where."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plantain.audit import chain as chains
from plantain.audit import manifest as manifests
from plantain.audit import signature
from plantain.audit.canonical import canonical
from plantain.audit.errors import BundleError
from plantain.audit.manifest import ENVELOPE_FILE, MANIFEST_FILE
from plantain.audit.verify import verify

from .conftest import Chain

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def problems(root: Path, public_key: bytes, **options: str) -> list[str]:
    found = verify(root, public_key=public_key, rejudge=False, head=options.get("head"))
    return [problem.where for problem in found.problems]


def files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


def test_untouched_evidence_verifies_and_is_judged_again_with_the_same_bytes(made: Chain) -> None:
    report = verify(made.root, public_key=made.public_key)
    assert report.problems == []
    assert len(report.rejudged) == 3
    assert report.notes == []


@quick
@given(st.data())
def test_any_single_changed_byte_is_found_where_it_is(made: Chain, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(files(made.root)))
    before = path.read_bytes()
    at = data.draw(st.integers(0, len(before) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda value: value != before[at]))
    try:
        path.write_bytes(before[:at] + bytes([other]) + before[at + 1 :])
        found = problems(made.root, made.public_key)
    finally:
        path.write_bytes(before)
    assert found
    if path.name == chains.LEDGER_FILE:
        return
    assert any(where.startswith(path.relative_to(made.root).parts[0]) for where in found)


@quick
@given(st.data())
def test_every_byte_of_manifest_envelope_and_ledger_counts(made: Chain, data: st.DataObject) -> None:
    """The files that protect the others, drawn as often as all others together."""
    guards = [path for path in files(made.root) if path.name in {MANIFEST_FILE, ENVELOPE_FILE, chains.LEDGER_FILE}]
    path = data.draw(st.sampled_from(guards))
    before = path.read_bytes()
    at = data.draw(st.integers(0, len(before) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda value: value != before[at]))
    try:
        path.write_bytes(before[:at] + bytes([other]) + before[at + 1 :])
        assert problems(made.root, made.public_key)
    finally:
        path.write_bytes(before)


@quick
@given(st.data())
def test_any_removed_or_cut_file_is_found(made: Chain, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(files(made.root)))
    before = path.read_bytes()
    keep = data.draw(st.none() | st.integers(0, len(before) - 1))
    try:
        if keep is None:
            path.unlink()
        else:
            path.write_bytes(before[:keep])
        assert problems(made.root, made.public_key)
    finally:
        path.write_bytes(before)


@pytest.mark.parametrize("place", ["extra.json", "units/other/state.json", "units/campaign-0000/notes"])
def test_an_added_file_is_found(chain: Chain, place: str) -> None:
    path = chain.bundle(1) / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")
    assert problems(chain.root, chain.public_key) == [f"{chain.bundle(1).name}/{place}"]


def test_a_file_beside_the_bundles_is_found(chain: Chain) -> None:
    (chain.root / "notes.txt").write_text("x")
    assert problems(chain.root, chain.public_key) == ["notes.txt"]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_dropped_bundle_is_found(chain: Chain, number: int) -> None:
    gone = chain.bundle(number)
    shutil.rmtree(gone)
    assert gone.name in problems(chain.root, chain.public_key)


def test_an_inserted_bundle_is_found(chain: Chain) -> None:
    copy = chain.root / f"{chain.bundle(1).name}-again"
    shutil.copytree(chain.bundle(1), copy)
    assert copy.name in problems(chain.root, chain.public_key)


def test_a_bundle_that_is_dropped_with_its_line_breaks_the_chain(chain: Chain) -> None:
    gone = chain.bundle(1)
    shutil.rmtree(gone)
    rows = (chain.root / chains.LEDGER_FILE).read_bytes().splitlines(keepends=True)
    (chain.root / chains.LEDGER_FILE).write_bytes(rows[0] + rows[2])
    found = problems(chain.root, chain.public_key)
    assert f"{chain.bundle(1).name}/{MANIFEST_FILE}" in found


def test_a_rollback_of_the_newest_is_found_by_a_head_from_elsewhere(chain: Chain) -> None:
    head = manifests.load(chain.bundle(2)).digest
    assert problems(chain.root, chain.public_key, head=head) == []
    shutil.rmtree(chain.bundle(2))
    rows = (chain.root / chains.LEDGER_FILE).read_bytes().splitlines(keepends=True)
    (chain.root / chains.LEDGER_FILE).write_bytes(b"".join(rows[:2]))
    assert problems(chain.root, chain.public_key) == []
    assert problems(chain.root, chain.public_key, head=head) == [chain.bundle(1).name]


def test_swapped_bundles_are_found(chain: Chain) -> None:
    first, second = chain.bundle(0), chain.bundle(1)
    spare = chain.root.parent / "spare"
    first.rename(spare)
    second.rename(first)
    spare.rename(second)
    assert problems(chain.root, chain.public_key)


def test_a_link_in_the_place_of_a_file_is_found(chain: Chain) -> None:
    path = chain.bundle(0) / "inventory.json"
    copy = chain.root.parent / "inventory.json"
    path.rename(copy)
    path.symlink_to(copy)
    assert problems(chain.root, chain.public_key) == [f"{chain.bundle(0).name}/inventory.json"]


def test_whoever_rewrites_everything_lacks_the_key(chain: Chain, tmp_path: Path) -> None:
    """A forger makes a result pass, corrects all digests, and signs with a key of its own."""
    folder = chain.bundle(2)
    results = folder / "results.json"
    results.write_bytes(results.read_bytes().replace(b'"fail"', b'"pass"'))
    old = manifests.load(folder)
    forged = manifests.Manifest(old.scope, old.sequence, old.previous, old.created, manifests.describe(folder))
    (folder / MANIFEST_FILE).write_bytes(forged.data)
    signature.create_key(tmp_path / "own.pem")
    own = signature.FileSigner(tmp_path / "own.pem")
    statement = signature.statement(forged.data, "PASSED", {}, b"")
    (folder / ENVELOPE_FILE).write_bytes(signature.envelope(statement, own))
    rows = (chain.root / chains.LEDGER_FILE).read_bytes().splitlines(keepends=True)
    link = canonical({"sequence": 3, "bundle": folder.name, "manifest": forged.digest}) + b"\n"
    (chain.root / chains.LEDGER_FILE).write_bytes(b"".join(rows[:2]) + link)
    assert problems(chain.root, chain.public_key) == [f"{folder.name}/{ENVELOPE_FILE}"]
    # Without a trusted key only the judgement itself gives the forgery away.
    report = verify(chain.root, public_key=None)
    assert [problem.where for problem in report.problems] == [f"{folder.name}/results.json"]


def test_results_that_the_controls_do_not_give_are_found_though_all_digests_hold(chain: Chain) -> None:
    folder = chain.bundle(2)
    path = folder / "units" / "campaign-0000" / "results.ndjson"
    rows = [json.loads(row) for row in path.read_bytes().splitlines()]
    failing = next(row for row in rows if row["status"] == "fail")
    failing["status"] = "pass"
    path.write_bytes(b"".join(canonical(row) + b"\n" for row in rows))
    old = manifests.load(folder)
    forged = manifests.Manifest(old.scope, old.sequence, old.previous, old.created, manifests.describe(folder))
    (folder / MANIFEST_FILE).write_bytes(forged.data)
    report = verify(folder, public_key=None)
    assert [problem.where for problem in report.problems] == [f"{folder.name}/units/campaign-0000/results.ndjson"]


def test_an_unsigned_bundle_does_not_verify_with_a_trusted_key(chain: Chain) -> None:
    (chain.bundle(0) / ENVELOPE_FILE).unlink()
    assert problems(chain.root, chain.public_key) == [f"{chain.bundle(0).name}/{ENVELOPE_FILE}"]


def test_a_bundle_of_other_controls_is_not_judged_again_and_says_so(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plantain.audit.environment.catalogue_digest", lambda: "other")
    report = verify(chain.bundle(0), public_key=chain.public_key)
    assert report.problems == []
    assert report.rejudged == []
    assert any("another version of the controls" in note for note in report.notes)


def test_a_folder_without_evidence_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="holds no evidence") as raised:
        verify(tmp_path, public_key=None)
    assert raised.value.exit_code == 2
