"""What an audit refuses, in which words, with which exit code, and what mends it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from filelock import FileLock
from typer.testing import CliRunner

from plantain.audit import chain as chains
from plantain.audit import manifest, presentation, run, signature
from plantain.audit.errors import AuditError, BundleError, SigningKeyError, SourceError
from plantain.commands.audit import app
from plantain.errors import ErrorFound, InputError, PlantainError, WarningFound
from tests.plantain.ending import ends, told

from .conftest import ROOT, Chain, request
from .synthetic import write_units


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def refused(*arguments: str | Path) -> PlantainError:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert isinstance(done.exception, PlantainError), done.output
    assert told(done.exception)[0] == done.exception.exit_code
    return done.exception


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is no ledger of evidence"),
        ('{"bundle":"a"}\n', "is no ledger of evidence"),
        ('{"sequence": 1, "bundle": "a", "manifest": "b"}\n', "is not as it was written"),
    ],
)
def test_a_ledger_that_somebody_wrote_is_refused(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / chains.LEDGER_FILE).write_text(text)
    with pytest.raises(BundleError, match=words) as raised:
        chains.ledger(tmp_path)
    assert raised.value.cure == "restore it from the locked bucket"
    assert raised.value.exit_code == 2


@pytest.mark.parametrize(
    ("content", "words"), [(b"{", "is no manifest of evidence"), (b"[]", "is no manifest of evidence")]
)
def test_a_manifest_that_is_none_is_refused(content: bytes, words: str, chain: Chain) -> None:
    (chain.bundle(0) / manifest.MANIFEST_FILE).write_bytes(content)
    with pytest.raises(BundleError, match=words):
        manifest.load(chain.bundle(0))


def test_a_manifest_of_another_schema_is_refused(chain: Chain) -> None:
    path = chain.bundle(0) / manifest.MANIFEST_FILE
    path.write_bytes(path.read_bytes().replace(b'"sequence":1', b'"sequence":"1"'))
    with pytest.raises(BundleError, match="its schema, or the type of a field, is another one"):
        manifest.load(chain.bundle(0))


def test_two_audits_never_write_one_chain_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "LOCK_SECONDS", 0)
    with (
        FileLock(tmp_path / ".evidence.lock", thread_local=False),
        pytest.raises(AuditError, match="Another audit writes into") as raised,
    ):
        run.run(request(), tmp_path / "evidence", by=None)
    assert raised.value.cure == "wait for it, or choose another --out"


@pytest.mark.parametrize("sign", ["ec", "text"])
def test_a_public_key_that_is_none_is_refused(sign: str) -> None:
    with pytest.raises(SigningKeyError, match="is no public key") as raised:
        signature.load_public_key(b"-----BEGIN PUBLIC KEY-----\n" if sign == "ec" else b"text", "audit.pem.pub")
    assert raised.value.cure


def test_a_private_key_that_does_not_exist_cannot_sign(tmp_path: Path) -> None:
    with pytest.raises(SigningKeyError, match="is no key that can sign") as raised:
        signature.FileSigner(tmp_path / "none.pem")
    assert "plantain audit key" in str(raised.value.cure)


VERBS: list[tuple[list[str], type[PlantainError], str, str]] = [
    (["run"], InputError, "Nothing to audit: no stack is given", "plantain audit run --stack prod"),
    (["run", "--stack", "a", "--fail-on", "red"], InputError, "--fail-on red is no severity", "one of"),
    (["run", "--units", "a", "--date", "soon"], InputError, "'soon' is no day", "2027-06-30"),
    (["verify", "BUNDLE", "--public-key", "no.pub"], InputError, "no.pub cannot be read", "plantain audit key"),
    (["coverage", "BUNDLE", "--framework", "x"], InputError, "There is no framework 'x'", "plantain audit coverage"),
    (["report", "BUNDLE", "--format", "docx"], InputError, "There is no format docx", "--format html"),
    (["show", "BUNDLE", "--control", "no-such"], InputError, "has no verdict of no-such", "plantain audit controls"),
    (["provenance", "out", "--sample", "2"], InputError, "--sample 2.0 is no part", "--sample 0.05"),
    (["diff", "none", "BUNDLE"], BundleError, "none holds no evidence", "plantain audit run"),
]


@pytest.mark.parametrize(("arguments", "kind", "words", "cure"), VERBS)
def test_a_verb_names_what_is_wrong_and_what_mends_it(
    arguments: list[str], kind: type[PlantainError], words: str, cure: str, made: Chain
) -> None:
    found = refused(*(str(made.bundle(2)) if word == "BUNDLE" else word for word in arguments))
    assert type(found) is kind
    assert words in str(found)
    assert cure in str(found.cure)
    assert found.exit_code == 2


@pytest.mark.parametrize(
    ("names", "words"),
    [(("a/x.txt", "b/x.txt"), "Two attachments have the same name"), (("none.txt",), "cannot be attached")],
)
def test_attachments_that_would_be_lost_are_refused(names: tuple[str, ...], words: str, tmp_path: Path) -> None:
    write_units(tmp_path / "units", 1)
    given: list[str | Path] = []
    for name in names:
        path = tmp_path / name
        if "/" in name:
            path.parent.mkdir()
            path.write_text("x")
        given += ["--attach", path]
    found = refused("run", "--units", tmp_path / "units", "--out", tmp_path / "evidence", *given)
    assert isinstance(found, SourceError)
    assert words in str(found)
    assert found.cure


def test_a_bucket_without_images_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    found = refused("provenance", tmp_path, "--out", tmp_path / "p.ndjson")
    assert isinstance(found, WarningFound)
    assert "There was no image to judge, which proves nothing" in str(found)
    assert found.exit_code == 10


@pytest.mark.parametrize(
    ("fail_on", "kind", "words", "code"),
    [
        ("high", WarningFound, "Controls of lower severity fail, or could not be judged", 10),
        ("medium", ErrorFound, "1 controls of severity medium or more fail", 11),
    ],
)
def test_an_audit_ends_as_bad_as_its_worst_failure(
    fail_on: str, kind: type[PlantainError], words: str, code: int, made: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    worst = SimpleNamespace(controls={"a": {"id": "a", "status": "fail", "severity": "medium"}})
    monkeypatch.setattr(presentation, "View", lambda _: worst)
    done = run.Done(made.bundle(0), manifest.load(made.bundle(0)), {}, {})
    with pytest.raises(kind, match=words) as raised:
        presentation.end(done, fail_on)
    assert raised.value.exit_code == code
    presentation.end(done, "never")


def test_a_bundle_without_a_manifest_and_events_that_are_missing_are_named(tmp_path: Path) -> None:
    with ends(2, "holds no evidence: there is no manifest.json."):
        manifest.load(tmp_path)
    (tmp_path / "state.json").write_text(json.dumps({"version": 3, "deployment": {"resources": []}}))
    events = tmp_path / "none.json"
    error = refused("run", "--stack", "sandbox", "--state", tmp_path / "state.json", "--events", events, "--offline")
    assert f"{events} cannot be read: " in error.message
