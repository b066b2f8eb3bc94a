"""The verbs as they are typed, and their exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from plantain.audit.errors import BundleError, EvidenceChanged, SigningKeyError, SourceError
from plantain.commands.audit import app
from plantain.errors import ErrorFound, InputError, PlantainError, WarningFound
from tests.plantain.ending import told

from .conftest import ROOT, Chain
from .images import write_images
from .synthetic import export, write_units

runner = CliRunner()


def plantain(*arguments: str | Path) -> tuple[str, Any]:
    done = runner.invoke(app, [str(argument) for argument in arguments])
    if isinstance(done.exception, SystemExit) or done.exception is None:
        assert done.exit_code == 0, done.output
        return done.stdout, None
    assert isinstance(done.exception, PlantainError), done.output
    assert told(done.exception)[0] == done.exception.exit_code
    return done.stdout, done.exception


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "200")


def test_an_audit_of_collected_units_ends_with_the_code_of_its_worst_finding(tmp_path: Path) -> None:
    write_units(tmp_path / "units", 1)
    out = tmp_path / "evidence"
    given = ("run", "--units", tmp_path / "units", "--out", out, "--json")
    text, error = plantain(*given)
    assert isinstance(error, ErrorFound)
    found = json.loads(text)
    assert found["population"]["projects"] == 1
    assert found["signed"] is False
    _, error = plantain(*given, "--fail-on", "never")
    assert error is None
    _, error = plantain(*given, "--fail-on", "critical")
    assert error is None or isinstance(error, ErrorFound | WarningFound)
    assert len(list(out.glob("0*"))) == 3


def test_an_audit_of_a_state_needs_no_cloud(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    state.write_text(json.dumps(export(0)))
    text, error = plantain(
        "run", "--stack", "sandbox", "--state", state, "--offline", "--out", tmp_path / "e", "--fail-on", "never"
    )
    assert error is None
    assert "1 projects, 71 declared, 0 live resources" in text
    assert "not signed" in text


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        (["run"], InputError, "no stack is given"),
        (["run", "--stack", "none", "--offline"], InputError, "There is no stack"),
        (["run", "--stack", "sandbox", "--fail-on", "x"], InputError, "no severity"),
        (["run", "--units", "nowhere", "--out", "{}/e"], SourceError, "holds no collected unit"),
        (["run", "--units", "nowhere", "--out", "{}/e", "--date", "x"], InputError, "is no day"),
        (["run", "--units", "x", "--out", "{}/e", "--key", "nokey"], SigningKeyError, "no key that can sign"),
        (["verify", "{}"], BundleError, "holds no evidence"),
        (["verify", "{}", "--public-key", "none"], InputError, "cannot be read"),
        (["coverage", "{}"], BundleError, "holds no evidence"),
        (["provenance", "{}"], SourceError, "holds no folder"),
        (["provenance", "{}", "--sample", "0"], InputError, "is no part"),
    ],
)
def test_what_is_wrong_is_named(arguments: list[str], kind: type[Exception], words: str, tmp_path: Path) -> None:
    _, error = plantain(*(argument.replace("{}", str(tmp_path)) for argument in arguments))
    assert isinstance(error, kind)
    assert words in str(error)
    assert getattr(error, "cure", None)


def test_what_is_attached_is_sealed_with_the_evidence(tmp_path: Path) -> None:
    write_units(tmp_path / "units", 1)
    (tmp_path / "images.ndjson").write_text("{}\n")
    out = tmp_path / "evidence"
    given = ("run", "--units", tmp_path / "units", "--out", out, "--fail-on", "never")
    _, error = plantain(*given, "--attach", tmp_path / "images.ndjson")
    assert error is None
    [bundle] = out.glob("0*")
    assert (bundle / "attachments" / "images.ndjson").read_text() == "{}\n"
    (bundle / "attachments" / "images.ndjson").write_text("{ }\n")
    _, error = plantain("verify", out)
    assert isinstance(error, EvidenceChanged)
    _, error = plantain(*given, "--attach", tmp_path / "none")
    assert isinstance(error, SourceError)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "images.ndjson").write_text("")
    both = ("--attach", tmp_path / "images.ndjson", "--attach", tmp_path / "other" / "images.ndjson")
    _, error = plantain(*given, *both)
    assert isinstance(error, SourceError)


def test_nothing_is_left_behind_by_an_audit_that_fails(tmp_path: Path) -> None:
    plantain("run", "--units", tmp_path / "none", "--out", tmp_path / "evidence")
    assert [path.name for path in tmp_path.rglob("*") if not path.name.endswith(".lock")] == ["evidence"]


def test_verify_says_what_it_proved_and_fails_with_a_code_of_its_own(chain: Chain, tmp_path: Path) -> None:
    key = tmp_path / "audit.pem.pub"
    key.write_bytes(chain.public_key)
    text, error = plantain("verify", chain.root, "--public-key", key)
    assert error is None
    assert "Judged again with the same results: 3." in text
    (chain.bundle(1) / "inventory.json").write_text("{}")
    text, error = plantain("verify", chain.root, "--public-key", key, "--json")
    assert isinstance(error, EvidenceChanged)
    assert error.exit_code == 12
    assert json.loads(text)["problems"] == [
        {
            "where": f"{chain.bundle(1).name}/inventory.json",
            "what": "has another digest than the manifest says: it was changed",
        }
    ]


def test_a_regression_between_two_audits_is_named_and_can_fail_a_pipeline(tmp_path: Path) -> None:
    out = tmp_path / "evidence"
    for name, access in (("a", "enforced"), ("b", "inherited")):
        state = tmp_path / f"{name}.json"
        state.write_text(json.dumps(export(0)).replace("enforced", access))
        plantain("run", "--stack", "sandbox", "--state", state, "--offline", "--out", out, "--fail-on", "never")
    before, after = sorted(out.glob("0*"))
    text, error = plantain("diff", before, after, "--fail-on-regression", "--json")
    assert isinstance(error, ErrorFound)
    found = json.loads(text)
    assert found["regressed"] == ["storage-no-public-access"]
    assert found["controls"]["storage-no-public-access"] == {"before": "pass", "after": "fail"}
    text, error = plantain("diff", after, before, "--fail-on-regression")
    assert error is None
    assert "mended" in text
    text, _ = plantain("diff", after, after)
    assert text.strip() == "Nothing changed."


def test_coverage_and_controls_and_show(made: Chain) -> None:
    text, _ = plantain("coverage", made.root)
    assert "nist-800-53-r5" in text
    text, _ = plantain("coverage", made.root, "--framework", "eu-ai-act", "--json")
    assert {"50(2)"} <= {item["id"] for item in json.loads(text)["items"]}
    _, error = plantain("coverage", made.root, "--framework", "none")
    assert isinstance(error, InputError)
    text, _ = plantain("controls", "--json")
    assert "grant-declared" in {control["id"] for control in json.loads(text)}
    text, _ = plantain("show", made.root, "--control", "keys-usable")
    assert text.count("every version can be used") == 6
    _, error = plantain("show", made.root, "--control", "none")
    assert isinstance(error, InputError)


def test_reports_are_written_where_they_were_asked_for(made: Chain, tmp_path: Path) -> None:
    text, _ = plantain("report", made.root, "--out", tmp_path, "--format", "markdown", "--format", "csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.md", "results.csv"]
    assert str(tmp_path / "report.md") in text
    _, error = plantain("report", made.root, "--format", "pdf")
    assert isinstance(error, InputError)


def test_images_of_a_folder_are_traced(tmp_path: Path) -> None:
    write_images(tmp_path, 3, 500)
    text, error = plantain("provenance", tmp_path, "--out", tmp_path / "r.ndjson", "--json")
    assert error is None
    assert json.loads(text)["passed"] == 3
    next(tmp_path.glob("images/*/0.png")).write_bytes(b"x")
    text, error = plantain("provenance", tmp_path, "--out", tmp_path / "r2.ndjson")
    assert isinstance(error, ErrorFound)
    assert "bytes-changed" in text
    (tmp_path / "empty" / "images").mkdir(parents=True)
    _, error = plantain("provenance", tmp_path / "empty", "--out", tmp_path / "r3.ndjson")
    assert isinstance(error, WarningFound)


def test_a_key_is_made_with_its_public_half(tmp_path: Path) -> None:
    text, _ = plantain("key", tmp_path / "audit.pem")
    assert (tmp_path / "audit.pem.pub").read_text().startswith("-----BEGIN PUBLIC KEY-----")
    assert "give it to the auditor" in text


def test_strict_verification_fails_when_something_could_not_be_verified(chain: Chain) -> None:
    _, error = plantain("verify", chain.root)
    assert error is None
    _, error = plantain("verify", chain.root, "--strict")
    assert error.exit_code == 12
    assert error.message.startswith("Not everything could be verified: ")
    assert "--public-key" in error.cure
