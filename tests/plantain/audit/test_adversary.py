"""Whoever wants to pass off evidence has more ways than a changed byte: none verifies, and none ends in a defect."""

from __future__ import annotations

import json
import os
import random
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from plantain.audit import bundle, run, signature
from plantain.audit import chain as chains
from plantain.audit import manifest as manifests
from plantain.audit.canonical import line
from plantain.audit.errors import AuditError
from plantain.audit.manifest import ENVELOPE_FILE, MANIFEST_FILE, Manifest
from plantain.audit.verify import verify

from .conftest import Chain, request
from .synthetic import write_units


def problems(chain: Chain, *, rejudge: bool = False) -> dict[str, str]:
    found = verify(chain.root, public_key=chain.public_key, rejudge=rejudge)
    return {problem.where: problem.what for problem in found.problems}


def relinked(chain: Chain, number: int, name: str, digest: str) -> None:
    """Put another name and digest into a line of the ledger."""
    path = chain.root / chains.LEDGER_FILE
    rows = [json.loads(row) for row in path.read_bytes().splitlines()]
    rows[number] |= {"bundle": name, "manifest": digest}
    path.write_bytes(b"".join(map(line, rows)))


def resealed(chain: Chain, number: int, key: Path, **changes: object) -> Path:
    """A bundle with a new manifest, signed by the holder of a key, and entered into the ledger."""
    folder = chain.bundle(number)
    old = manifests.load(folder)
    given = {**old.document(), "files": manifests.describe(folder), **changes}
    made = Manifest(given["scope"], given["sequence"], given["previous"], given["created"], given["files"])
    (folder / MANIFEST_FILE).write_bytes(made.data)
    statement = signature.statement(made.data, "PASSED", {}, (folder / bundle.CONTROLS_FILE).read_bytes())
    (folder / ENVELOPE_FILE).write_bytes(signature.envelope(statement, signature.FileSigner(key)))
    relinked(chain, number, folder.name, made.digest)
    return folder


@pytest.fixture
def insider(chain: Chain, tmp_path: Path) -> tuple[Chain, Path]:
    """A chain whose trusted key the adversary holds, too."""
    key = tmp_path / "insider.pem"
    public = signature.create_key(key)
    own = Chain(chain.root, public.read_bytes())
    for number in range(3):
        before = manifests.load(own.bundle(number - 1)).digest if number else None
        resealed(own, number, key, previous=before)
    assert problems(own, rejudge=True) == {}
    return own, key


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_done_at_random_is_found(chain: Chain, seed: int) -> None:
    """Several changes of any kind at once, so that one might hide the other."""
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    files = sorted(path for path in chain.root.rglob("*") if path.is_file())

    def swapped(one: Path) -> None:
        other = dice.choice([path for path in files if path != one and path.exists()])
        first, second = one.read_bytes(), other.read_bytes()
        one.write_bytes(second + (b"\n" if first == second else b""))
        other.write_bytes(first)

    ways: list[Callable[[Path], object]] = [
        lambda one: one.write_bytes(one.read_bytes()[: dice.randrange(one.stat().st_size or 1)]),
        lambda one: one.write_bytes(one.read_bytes() + b" "),
        lambda one: one.write_bytes(dice.randbytes(200)),
        lambda one: one.rename(one.with_name(f"{one.name}.bak")),
        lambda one: one.unlink(),
        lambda one: shutil.copy(one, one.with_name("copy.json")),
        swapped,
    ]
    for _ in range(dice.randint(1, 3)):
        dice.choice(ways)(dice.choice([path for path in files if path.exists()]))
    assert problems(chain)


DEEP = b"[" * 100_000
DAY = "2026-11-21T00:00:00+00:00"


def nonsense(created: str = DAY, files: str = "{}", scope: str = "x", number: str = "1") -> bytes:
    """The bytes of a manifest that makes no sense."""
    head = f'"created":"{created}","files":{files},"previous":null'
    return f'{{{head},"schema":"{manifests.SCHEMA}","scope":"{scope}","sequence":{number}}}'.encode()


@pytest.mark.parametrize(
    "content",
    [
        nonsense(number="NaN"),
        nonsense(files='{"a":{"bytes":NaN,"sha256":"x"}}'),
        nonsense(files='{"../../etc/passwd":{"bytes":1,"sha256":"x"}}'),
        nonsense(scope="\\ud800"),
        nonsense(created="yesterday"),
        DEEP,
        b"[]",
        b"null",
        b"\xff\xfe{",
        b"",
    ],
)
def test_nonsense_in_the_place_of_a_manifest_an_envelope_or_a_ledger_is_named(chain: Chain, content: bytes) -> None:
    for path in (
        chain.bundle(1) / MANIFEST_FILE,
        chain.bundle(1) / ENVELOPE_FILE,
        chain.root / chains.LEDGER_FILE,
    ):
        before = path.read_bytes()
        path.write_bytes(content)
        assert path.relative_to(chain.root).as_posix() in problems(chain)
        path.write_bytes(before)
    assert problems(chain) == {}


@pytest.mark.parametrize("bundle_name", ["[]", "{}", "1", '"../elsewhere"', '"/etc"'])
def test_a_ledger_whose_names_are_no_names_is_named(chain: Chain, bundle_name: str) -> None:
    path = chain.root / chains.LEDGER_FILE
    rows = path.read_bytes().splitlines(keepends=True)
    digest = "0" * 64
    path.write_bytes(rows[0] + f'{{"bundle":{bundle_name},"manifest":"{digest}","sequence":2}}\n'.encode() + rows[2])
    assert problems(chain)


def test_a_key_that_stands_twice_is_found_whichever_a_reader_takes(chain: Chain) -> None:
    path = chain.bundle(0) / MANIFEST_FILE
    path.write_bytes(path.read_bytes().replace(b'{"created"', b'{"scope":"another","created"', 1))
    assert "not in canonical form" in problems(chain)[f"{chain.bundle(0).name}/{MANIFEST_FILE}"]


@pytest.mark.parametrize("name", [MANIFEST_FILE, ENVELOPE_FILE, "inventory.json"])
def test_a_link_in_the_place_of_any_file_is_found(chain: Chain, name: str) -> None:
    path = chain.bundle(1) / name
    copy = chain.root.parent / name
    path.rename(copy)
    path.symlink_to(copy)
    assert any(where.startswith(chain.bundle(1).name) for where in problems(chain))


def test_a_link_in_the_place_of_a_bundle_or_of_the_ledger_is_found(chain: Chain) -> None:
    folder = chain.bundle(2)
    folder.rename(chain.root.parent / "moved")
    folder.symlink_to(chain.root.parent / "moved")
    assert problems(chain) == {folder.name: "is a link: the bundle was put elsewhere"}
    ledger = chain.root / chains.LEDGER_FILE
    ledger.rename(chain.root.parent / "ledger")
    ledger.symlink_to(chain.root.parent / "ledger")
    assert chains.LEDGER_FILE in problems(chain)


@pytest.mark.parametrize("name", [MANIFEST_FILE, ENVELOPE_FILE, "inventory.json", f"../{chains.LEDGER_FILE}"])
@pytest.mark.timeout(30)
def test_a_pipe_that_never_ends_is_not_waited_for(chain: Chain, name: str) -> None:
    path = chain.bundle(1) / name
    path.unlink()
    os.mkfifo(path)
    assert problems(chain)


@pytest.mark.timeout(60)
def test_a_file_that_became_huge_is_found_without_being_held_in_memory(chain: Chain) -> None:
    path = chain.bundle(1) / "inventory.json"
    with path.open("ab") as file:
        file.truncate(1 << 31)
    assert problems(chain) == {
        f"{chain.bundle(1).name}/inventory.json": "has another digest than the manifest says: it was changed"
    }


def test_a_name_that_only_looks_the_same_is_another_file(chain: Chain) -> None:
    folder = chain.bundle(1)
    (folder / unicodedata.normalize("NFC", "Prüfung.json")).write_text("{}")
    (folder / unicodedata.normalize("NFD", "Prüfung.json")).write_text("{}")
    (folder / "units" / "campaign-0000" / "results.ndjson ").write_text("{}")
    assert len([where for where in problems(chain) if where.startswith(folder.name)]) == 3


def test_a_bundle_that_was_renamed_to_another_day_is_found(chain: Chain) -> None:
    old = chain.bundle(1)
    new = chain.root / old.name.replace("20261121", "20250101")
    digest = manifests.load(old).digest
    old.rename(new)
    relinked(chain, 1, new.name, digest)
    assert problems(chain) == {new.name: f"is named {old.name} by its manifest: the folder was renamed"}


def test_the_chain_of_another_scope_under_the_same_key_does_not_fit(insider: tuple[Chain, Path]) -> None:
    chain, key = insider
    before = manifests.load(chain.bundle(1)).digest
    folder = resealed(chain, 2, key, previous=before, scope="another")
    assert problems(chain) == {
        f"{folder.name}/{MANIFEST_FILE}": "is about another, the bundle before it about collected"
    }


def test_a_clock_that_was_set_back_is_found(insider: tuple[Chain, Path]) -> None:
    chain, key = insider
    old = chain.bundle(2)
    new = chain.root / "000003-20200101T000000Z"
    old.rename(new)
    before = manifests.load(chain.bundle(1)).digest
    resealed(chain, 2, key, previous=before, created="2020-01-01T00:00:00+00:00")
    assert "a clock was set back" in problems(chain)[f"{new.name}/{MANIFEST_FILE}"]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("units/campaign-0000/drift.json", b"[]"),
        ("units/campaign-0000/results.ndjson", b""),
        ("results.json", b"{}"),
        ("controls.json", b"[]"),
    ],
)
def test_who_holds_the_key_still_cannot_change_what_the_controls_say(
    insider: tuple[Chain, Path], file: str, content: bytes
) -> None:
    chain, key = insider
    path = chain.bundle(2) / file
    if path.read_bytes() == content:
        content += b" "
    path.write_bytes(content)
    folder = resealed(chain, 2, key, previous=manifests.load(chain.bundle(1)).digest)
    assert problems(chain) == {}
    assert f"{folder.name}/{file}" in problems(chain, rejudge=True)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("environment.json", b"{}"),
        ("environment.json", b"[1"),
        ("exceptions.json", b"7"),
        ("units/campaign-0000/live.ndjson", b'{"a":1}\n'),
        ("units/campaign-0000/live.ndjson", DEEP),
        ("units/campaign-0000/state.json", b"null"),
    ],
)
def test_what_cannot_be_judged_again_is_a_problem_and_no_defect(
    insider: tuple[Chain, Path], file: str, content: bytes
) -> None:
    chain, key = insider
    (chain.bundle(2) / file).write_bytes(content)
    folder = resealed(chain, 2, key, previous=manifests.load(chain.bundle(1)).digest)
    found = problems(chain, rejudge=True)
    assert any(where.startswith(folder.name) for where in found), found


def test_an_old_copy_of_the_whole_chain_is_found_by_the_head_that_another_system_keeps(
    chain: Chain, made: Chain, tmp_path: Path
) -> None:
    write_units(tmp_path / "units", 1)
    run.run(request(hour=5), chain.root, by=None, units=tmp_path / "units")
    head = manifests.load(chain.bundle(3)).digest
    found = verify(made.root, public_key=made.public_key, rejudge=False, head=head)
    assert [problem.where for problem in found.problems] == [made.bundle(2).name]


def test_an_audit_refuses_to_follow_a_bundle_of_the_future_or_of_another_scope(
    insider: tuple[Chain, Path], tmp_path: Path
) -> None:
    chain, key = insider
    write_units(tmp_path / "units", 1)
    with pytest.raises(AuditError, match="a clock is wrong") as raised:
        run.run(request(hour=1), chain.root, by=None, units=tmp_path / "units")
    assert raised.value.exit_code == 1
    resealed(chain, 2, key, previous=manifests.load(chain.bundle(1)).digest, scope="prod")
    with pytest.raises(AuditError, match="about prod, this audit about collected"):
        run.run(request(hour=5), chain.root, by=None, units=tmp_path / "units")
