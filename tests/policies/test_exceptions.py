"""Exceptions are read from one file, and one that makes no sense stops everything."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from policies.catalogue import CONTROLS
from policies.errors import ExceptionFileError, PolicyError
from policies.exceptions import ControlException, Exceptions

ROOT = Path(__file__).parents[2]
KNOWN = frozenset(control.id for control in CONTROLS)
URN = "urn:pulumi:prod::plantain::gcp:storage/bucket:Bucket::spring-launch-images-bucket"
DAY = dt.date(2026, 11, 21)
GOOD = {
    "control": "storage-access-logged",
    "resource": '"*-images-bucket"',
    "owner": "platform@example.com",
    "reason": "Logged elsewhere.",
    "approved": "2026-11-01",
    "expires": "2027-05-01",
}


def written(folder: Path, **changed: str | None) -> Path:
    entry = {key: value for key, value in {**GOOD, **changed}.items() if value is not None}
    lines = [f"{'  - ' if not number else '    '}{key}: {value}" for number, (key, value) in enumerate(entry.items())]
    path = folder / "exceptions.yaml"
    path.write_text("\n".join(["exceptions:", *lines]) + "\n")
    return path


def test_a_file_is_read(tmp_path: Path) -> None:
    found = Exceptions.load(written(tmp_path), KNOWN)
    assert found.entries == (
        ControlException(
            "storage-access-logged",
            "*-images-bucket",
            "platform@example.com",
            "Logged elsewhere.",
            dt.date(2026, 11, 1),
            dt.date(2027, 5, 1),
        ),
    )


def test_without_a_file_nothing_is_excepted(tmp_path: Path) -> None:
    assert Exceptions.load(tmp_path / "none.yaml", KNOWN) == Exceptions()


def test_the_projects_own_file_makes_sense() -> None:
    Exceptions.load(ROOT / "policies" / "exceptions.yaml", KNOWN)


@pytest.mark.parametrize("text", ["", "exceptions:\n", "exceptions: []\n", "# nothing\n"])
def test_an_empty_file_excepts_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "exceptions.yaml"
    path.write_text(text)
    assert Exceptions.load(path, KNOWN) == Exceptions()


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("a: [", "is no YAML"),
        ("- a\n", "must have one key, exceptions"),
        ("exception: []\n", "must have one key, exceptions"),
        ("exceptions: {a: b}\n", "has no list under exceptions"),
        ("exceptions: [a]\n", "must have exactly control, resource, owner, reason, approved, expires"),
    ],
)
def test_a_file_of_another_shape_is_refused(tmp_path: Path, text: str, cause: str) -> None:
    path = tmp_path / "exceptions.yaml"
    path.write_text(text)
    with pytest.raises(ExceptionFileError, match=rf"^exceptions\.yaml: .*{cause}, so no exception can be applied: \w+"):
        Exceptions.load(path, KNOWN)


@pytest.mark.parametrize(
    ("changed", "cause"),
    [
        *[({name: None}, "must have exactly") for name in GOOD],
        ({"also": "this"}, "must have exactly"),
        ({"reason": '""'}, r"exceptions\[0\]\.reason must be a text"),
        ({"reason": "7"}, r"exceptions\[0\]\.reason must be a text"),
        ({"owner": "nobody"}, r"exceptions\[0\]\.owner must be an e-mail address"),
        ({"control": "no-such"}, r"exceptions\[0\]\.control is no control"),
        ({"approved": '"2026-11-01"'}, r"exceptions\[0\]\.approved must be a day"),
        ({"expires": "2026-12-01T00:00:00"}, r"exceptions\[0\]\.expires must be a day"),
        ({"expires": "2026-10-31"}, "must be 0 to 366 days after approved"),
        ({"expires": "2027-11-03"}, "must be 0 to 366 days after approved"),
    ],
)
def test_an_entry_that_makes_no_sense_is_refused(tmp_path: Path, changed: dict[str, str | None], cause: str) -> None:
    with pytest.raises(PolicyError, match=cause):
        Exceptions.load(written(tmp_path, **changed), KNOWN)


@pytest.mark.parametrize("expires", ["2026-11-01", "2027-11-02"])
def test_an_exception_lasts_a_day_to_a_year(tmp_path: Path, expires: str) -> None:
    assert Exceptions.load(written(tmp_path, expires=expires), KNOWN).entries


@pytest.mark.parametrize(
    ("resource", "covered"),
    [(URN, True), ("spring-launch-images-bucket", True), ("*", True), ("autumn*", False), ("spring-launch", False)],
)
def test_an_exception_names_urns_or_logical_names(tmp_path: Path, resource: str, *, covered: bool) -> None:
    found = Exceptions.load(written(tmp_path, resource=f'"{resource}"'), KNOWN)
    assert bool(found.covering("storage-access-logged", URN, DAY)) is covered
    assert found.covering("storage-customer-key", URN, DAY) is None


@pytest.mark.parametrize(
    ("day", "covered", "expired"),
    [
        (dt.date(2026, 10, 31), False, False),
        (dt.date(2026, 11, 1), True, False),
        (dt.date(2027, 5, 1), True, False),
        (dt.date(2027, 5, 2), False, True),
    ],
)
def test_an_exception_holds_from_its_approval_to_its_last_day(
    tmp_path: Path, day: dt.date, *, covered: bool, expired: bool
) -> None:
    found = Exceptions.load(written(tmp_path), KNOWN)
    assert bool(found.covering("storage-access-logged", URN, day)) is covered
    assert bool(found.expired("storage-access-logged", URN, day)) is expired


def test_an_exception_that_was_renewed_has_not_expired() -> None:
    old = ControlException("a", "*", "x@y", "r", dt.date(2026, 1, 1), dt.date(2026, 6, 1))
    new = ControlException("a", "*", "x@y", "r", dt.date(2026, 6, 1), dt.date(2027, 1, 1))
    found = Exceptions((old, new))
    assert found.covering("a", URN, DAY) is new
    assert found.expired("a", URN, DAY) is None
