"""The table of roles beside Google's own definitions, in a small made-up form of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandbox.enforcement import generate
from sandbox.enforcement.permissions import holds, table

TOPICS = ["pubsub.topics.create", "pubsub.topics.delete", "pubsub.topics.get", "pubsub.topics.list"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three roles as ``roles.get`` answers them."""
    roles = {
        "roles/pubsub.admin": [*TOPICS, "pubsub.subscriptions.get", "iam.googleapis.com/workloadIdentityPools.get"],
        "roles/pubsub.viewer": ["pubsub.topics.get", "pubsub.topics.list"],
        "roles/owner": [*TOPICS, "pubsub.subscriptions.get", "unheardof.things.get"],
    }
    for name, held in roles.items():
        text = json.dumps({"name": name, "title": name, "includedPermissions": held})
        (tmp_path / f"{name.removeprefix('roles/')}.json").write_text(text)
    return tmp_path


def test_a_role_that_grants_more_and_one_that_grants_less_are_told_apart(folder: Path) -> None:
    google = generate.definitions(folder)
    found = generate.differences({"roles/pubsub.viewer": ["pubsub.topics.list", "pubsub.topics.delete"]}, google)
    assert [str(line) for line in found] == ["roles/pubsub.viewer: -pubsub.topics.delete +pubsub.topics.get"]
    assert generate.differences({"roles/pubsub.viewer": ["pubsub.topics.get", "pubsub.topics.list"]}, google) == []


def test_a_permission_that_no_role_holds_is_named(folder: Path) -> None:
    asked = generate.unknown(generate.definitions(folder))
    assert "pubsub.subscriptions.list" in asked
    assert "pubsub.topics.get" not in asked


def test_patterns_admit_exactly_the_permissions_that_they_stand_for() -> None:
    every = frozenset({*TOPICS, "pubsub.subscriptions.get", "pubsub.snapshots.get", "storage.objects.get"})
    held = {*TOPICS, "storage.objects.get"}
    patterns = generate.compact(held, every)
    assert patterns == ["pubsub.topics.*", "storage.objects.get"]
    assert {name for name in every if holds(patterns, name)} == held


def test_a_table_is_made_with_source_date_and_licence(folder: Path, tmp_path: Path) -> None:
    written = tmp_path / "written" / "roles.json"
    written.parent.mkdir()
    facts = ["--source", "three files", "--as-of", "2026-08-22", "--licence", "MIT"]
    assert generate.main([str(folder), "--write", str(written), *facts]) == 0
    made = json.loads(written.read_text())
    assert (made["source"], made["asOf"], made["licence"]) == ("three files", "2026-08-22", "MIT")
    assert made["methods"] == table()["methods"]
    assert made["roles"]["roles/pubsub.viewer"] == ["pubsub.topics.get", "pubsub.topics.list"]
    assert not holds(made["roles"]["roles/owner"], "unheardof.things.get")


def test_a_folder_without_roles_says_how_to_fill_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main([str(tmp_path)]) == 2
    assert "gcloud iam roles describe" in capsys.readouterr().err


def test_every_permission_that_a_role_names_by_itself_is_spelled_as_google_spells_permissions() -> None:
    named = {name.lstrip("!") for held in table()["roles"].values() for name in held}
    odd = [name for name in named if "*" not in name and name.count(".") != 2]
    assert odd == []
