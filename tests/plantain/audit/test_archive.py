"""Copies in a locked bucket, and what the log is told; Google's APIs are stand-ins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from plantain.audit import archive as archives
from plantain.audit import bundle, chain
from plantain.audit import run as runs
from plantain.audit.announcement import announce, entries
from plantain.audit.diff import Change, Diff
from plantain.audit.errors import SourceError
from plantain.audit.manifest import load
from plantain.audit.run import Done
from plantain.audit.verify import verify
from plantain.errors import GoogleCloudError

from .conftest import Chain, request
from .synthetic import write_units


class Storage:
    def __init__(self, bucket: dict[str, Any]) -> None:
        self.bucket = bucket
        self.objects: dict[str, bytes] = {}
        self.written: list[dict[str, Any]] = []

    def call(self, verb: str, service: str, path: str, *, body: Any = None) -> dict[str, Any]:
        if service == "logging":
            self.written.append(body)
            return {}
        return self.bucket

    def pages(self, *_: Any, prefix: str, **__: Any) -> Any:
        yield from ({"name": name} for name in self.objects if name.startswith(prefix))

    def download(self, service: str, path: str, **_: Any) -> bytes:
        return self.objects[unquote(path.rpartition("/o/")[2])]

    def upload(self, service: str, path: str, content: bytes, *, params: dict[str, str]) -> dict[str, Any]:
        assert params["ifGenerationMatch"] == "0"
        if params["name"] in self.objects:
            raise GoogleCloudError(412, "conditionNotMet", "exists", service, path)
        self.objects[params["name"]] = content
        return {}


LOCKED = {"projectNumber": "9", "retentionPolicy": {"retentionPeriod": "8640000", "isLocked": True}}


def test_every_file_of_a_bundle_is_copied_once_and_never_replaced(made: Chain) -> None:
    storage: Any = Storage(LOCKED)
    to = archives.archive(storage, "gs://kept/prod", {"1"})
    assert (to.prefix, to.retention_days, to.locked) == ("prod/", 100, True)
    folder = made.bundle(2)
    count = archives.copy(storage, to, made.root, folder)
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert set(storage.objects) == {f"prod/{folder.name}/{name}" for name in files} | {f"prod/heads/{folder.name}.json"}
    assert count == len(storage.objects)
    assert load(folder).digest.encode() in storage.objects[f"prod/heads/{folder.name}.json"]
    before = dict(storage.objects)
    archives.copy(storage, to, made.root, folder)
    assert storage.objects == before


def test_evidence_comes_back_from_the_bucket_as_it_went(made: Chain, tmp_path: Path) -> None:
    storage: Any = Storage(LOCKED)
    to = archives.archive(storage, "gs://kept/prod", {"1"})
    for number in range(3):
        links = (made.root / chain.LEDGER_FILE).read_bytes().splitlines(keepends=True)[: number + 1]
        (tmp_path / "then").mkdir(exist_ok=True)
        (tmp_path / "then" / chain.LEDGER_FILE).write_bytes(b"".join(links))
        archives.copy(storage, to, tmp_path / "then", made.bundle(number))
    back = tmp_path / "evidence"
    assert archives.fetch(storage, "gs://kept/prod", back) == len(list(made.root.glob("0*/**/*.*")))
    assert archives.fetch(storage, "gs://kept/prod", back) == 0
    assert verify(back, public_key=made.public_key).problems == []


def test_the_next_audit_needs_the_ledger_and_the_newest_bundle_only(made: Chain, tmp_path: Path) -> None:
    storage: Any = Storage(LOCKED)
    names = [made.bundle(number).name for number in range(3)]
    for name in names:
        storage.objects |= {f"prod/{name}/manifest.json": b"{}", f"prod/heads/{name}.json": name.encode() + b"\n"}
    assert archives.fetch(storage, "gs://kept/prod", tmp_path / "e", last=1) == 1
    assert [path.name for path in (tmp_path / "e").glob("0*")] == names[2:]
    assert (tmp_path / "e" / chain.LEDGER_FILE).read_text().split() == names


def test_before_the_first_audit_an_empty_bucket_may_be_no_error(tmp_path: Path) -> None:
    storage: Any = Storage(LOCKED)
    assert archives.fetch(storage, "gs://kept/prod", tmp_path / "e", may_be_empty=True) == 0
    assert not (tmp_path / "e").exists()


def test_a_bucket_without_evidence_and_names_that_lead_out_are_refused(tmp_path: Path) -> None:
    storage: Any = Storage(LOCKED)
    with pytest.raises(SourceError, match="holds no evidence"):
        archives.fetch(storage, "gs://kept/prod", tmp_path)
    storage.objects = {"prod/heads/a.json": b"", "prod/../../x": b""}
    with pytest.raises(SourceError, match="leads out"):
        archives.fetch(storage, "gs://kept/prod", tmp_path / "e")


@pytest.mark.parametrize(
    ("address", "bucket", "words"),
    [
        ("kept", LOCKED, "is no bucket"),
        ("gs://", LOCKED, "is no bucket"),
        ("gs://kept", {**LOCKED, "projectNumber": "1"}, "lies in an audited project"),
        ("gs://kept", {"projectNumber": "9"}, "has no retention policy"),
    ],
)
def test_a_bucket_that_protects_nothing_is_refused(address: str, bucket: dict[str, Any], words: str) -> None:
    storage: Any = Storage(bucket)
    with pytest.raises(SourceError, match=words) as raised:
        archives.archive(storage, address, {"1"})
    assert raised.value.cure
    assert raised.value.exit_code == 2


def test_a_refusal_of_the_bucket_is_passed_on(made: Chain) -> None:
    class Refusing(Storage):
        def upload(self, service: str, path: str, content: bytes, *, params: dict[str, str]) -> dict[str, Any]:
            raise GoogleCloudError(403, "forbidden", "objectCreator is missing", service, path)

    storage: Any = Refusing(LOCKED)
    with pytest.raises(GoogleCloudError, match="objectCreator"):
        archives.copy(storage, archives.archive(storage, "gs://kept", set()), made.root, made.bundle(0))


def done(made: Chain) -> Done:
    folder = made.bundle(2)
    inventory = bundle.document(folder, bundle.INVENTORY_FILE)
    return Done(folder, load(folder), bundle.document(folder, bundle.SUMMARY_FILE), inventory)


def test_the_log_is_told_of_each_audit_and_of_each_control_that_turned(made: Chain) -> None:
    change = Change("keys-usable", "prod", "urn", "images", "pass", "fail", "its primary version is DISABLED")
    difference = Diff({}, (change,), {}, catalogue_changed=False, regressed=("keys-usable",))
    storage: Any = Storage({})
    assert announce(storage, "p", done(made), difference) == 2
    [body] = storage.written
    assert body["logName"] == "projects/p/logs/plantain-audit"
    completed, regressed = body["entries"]
    assert completed["jsonPayload"]["event"] == "audit-completed"
    assert (regressed["severity"], regressed["jsonPayload"]["control"]) == ("ERROR", "keys-usable")
    assert regressed["jsonPayload"]["resources"] == ["urn"]
    assert len(entries(done(made), None)) == 1


def test_an_interrupted_audit_leaves_the_chain_as_it_was(
    copy_of: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    chain_copy = copy_of()
    write_units(chain_copy.parent / "units", 1)
    before = (chain_copy / chain.LEDGER_FILE).read_bytes()

    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("plantain.audit.bundle.judge", interrupted)
    with pytest.raises(KeyboardInterrupt):
        runs.run(request(hour=3), chain_copy, by=None, units=chain_copy.parent / "units")
    assert (chain_copy / chain.LEDGER_FILE).read_bytes() == before
    assert len(list(chain_copy.glob("0*"))) == 3
    assert not list(chain_copy.parent.glob("*.partial"))
