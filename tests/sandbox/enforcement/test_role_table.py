"""The table of roles: made from Google's definitions, compared with them, and what IAM answers from it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sandbox.enforcement import generate_roles, role_table
from sandbox.enforcement.generate_roles import Definition
from sandbox.enforcement.role_table import holds
from tests.sandbox.conftest import Caller

TOPICS = ["pubsub.topics.create", "pubsub.topics.delete", "pubsub.topics.get", "pubsub.topics.list"]
FACTS = ["--source", "three files", "--as-of", "2026-08-22", "--licence", "MIT"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three roles as ``roles.get`` answers them."""
    roles = {
        "roles/pubsub.admin": [*TOPICS, "pubsub.subscriptions.get", "iam.googleapis.com/workloadIdentityPools.get"],
        "roles/pubsub.viewer": ["pubsub.topics.get", "pubsub.topics.list"],
        "roles/owner": [*TOPICS, "pubsub.subscriptions.get", "unheardof.things.get"],
    }
    for name, held in roles.items():
        text = json.dumps({"name": name, "title": name.title(), "includedPermissions": held})
        (tmp_path / f"{name.removeprefix('roles/')}.json").write_text(text)
    return tmp_path


def test_a_role_that_grants_more_and_one_that_grants_less_are_told_apart(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = {"roles/pubsub.viewer": ["pubsub.topics.list", "pubsub.topics.delete"], "roles/owner": ["*"]}
    monkeypatch.setattr(generate_roles, "roles", lambda: ours)
    assert generate_roles.main([str(folder)]) == 1
    printed = capsys.readouterr().out
    assert "roles/pubsub.viewer: -pubsub.topics.delete +pubsub.topics.get\n" in printed
    assert "roles/owner: on purpose. The sandbox's administrator holds it" in printed


def test_a_table_that_says_what_google_says_has_no_differences(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = {"roles/pubsub.viewer": ["pubsub.topics.get", "pubsub.topics.list"]}
    monkeypatch.setattr(generate_roles, "roles", lambda: ours)
    assert generate_roles.main([str(folder)]) == 0
    assert "no role holds pubsub.subscriptions.list\n" in capsys.readouterr().out
    assert "pubsub.topics.get" not in generate_roles.unknown(generate_roles.definitions(folder))


@pytest.mark.parametrize(
    ("held", "patterns"),
    [
        ({*TOPICS, "pubsub.snapshots.get", "pubsub.snapshots.list", "pubsub.subscriptions.get"}, ["pubsub.*"]),
        ({*TOPICS, "storage.objects.get"}, ["pubsub.topics.*", "storage.*"]),
        ({"pubsub.topics.get", "pubsub.snapshots.get", "pubsub.subscriptions.get"}, ["pubsub.*.get"]),
        ({*TOPICS, "pubsub.snapshots.get", "pubsub.snapshots.list"}, ["!pubsub.subscriptions.get", "pubsub.*"]),
        ({"pubsub.topics.get"}, ["pubsub.topics.get"]),
    ],
)
def test_patterns_admit_exactly_the_permissions_that_they_stand_for(held: set[str], patterns: list[str]) -> None:
    pubsub = {*TOPICS, "pubsub.subscriptions.get", "pubsub.snapshots.get", "pubsub.snapshots.list"}
    every = frozenset({*pubsub, "storage.objects.get"})
    found = generate_roles.compact(held, every)
    assert {name for name in every if holds(found, name)} == held
    assert len(found) <= len(patterns)


def test_a_table_is_made_with_its_command_source_date_and_licence(folder: Path, tmp_path: Path) -> None:
    written = tmp_path / "written.json"
    assert generate_roles.main([str(folder), "--write", str(written), *FACTS]) == 0
    made = json.loads(written.read_text())
    assert (made["source"], made["asOf"], made["licence"]) == ("three files", "2026-08-22", "MIT")
    assert made["madeBy"] == f"python -m {generate_roles.__name__}"
    assert made["permissions"]["pubsub"]["topics"] == ["create", "delete", "get", "list"]
    assert made["roles"]["roles/pubsub.viewer"]["title"] == "Roles/Pubsub.Viewer"
    viewer = made["roles"]["roles/pubsub.viewer"]["permissions"]
    assert [name for name in TOPICS if holds(viewer, name)] == ["pubsub.topics.get", "pubsub.topics.list"]
    assert not holds(made["roles"]["roles/owner"]["permissions"], "unheardof.things.get")


def test_the_table_that_ships_comes_out_of_itself_again(tmp_path: Path) -> None:
    head = {key: role_table.generated()[key] for key in ("madeBy", "source", "asOf", "licence")}
    google = {
        "roles/elsewhere.admin": Definition("Of a service that is not covered", frozenset(role_table.permissions()))
    }
    for role, facts in role_table.generated()["roles"].items():
        held = frozenset(name for name in role_table.permissions() if holds(facts["permissions"], name))
        google[role] = Definition(facts["title"], held)
    generate_roles.write(tmp_path / "again.json", google, head)
    assert (tmp_path / "again.json").read_text() == role_table.FILE.read_text()
    assert date.fromisoformat(head["asOf"]) >= date(2026, 8, 22)


def test_a_folder_without_roles_says_how_to_fill_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert generate_roles.main([str(tmp_path)]) == 2
    assert "gcloud iam roles describe" in capsys.readouterr().err


def test_a_table_without_source_is_not_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        generate_roles.main([str(folder), "--write", str(folder / "x.json")])
    assert "--write needs --source" in capsys.readouterr().err


def test_every_difference_has_a_reason_and_every_permission_is_spelled_as_google_spells_it() -> None:
    assert all(facts["reason"].endswith(".") for facts in role_table.overlay()["roles"].values())
    named = {name.lstrip("!") for held in role_table.roles().values() for name in held}
    assert [name for name in named if "*" not in name and name.count(".") != 2] == []
    assert len(role_table.permissions()) > 3000


def test_a_predefined_role_is_answered_with_its_title_and_each_permission(admin: Caller) -> None:
    status, role = admin("GET", "/iam/v1/roles/secretmanager.secretAccessor")
    assert (status, role["title"]) == (200, "Secret Manager Secret Accessor")
    assert "secretmanager.versions.access" in role["includedPermissions"]
    owner = admin("GET", "/iam/v1/roles/owner")[1]
    assert not [name for name in owner["includedPermissions"] if "*" in name]
    status, refusal = admin("GET", "/iam/v1/roles/nobody")
    assert (status, refusal["error"]["message"]) == (404, "The role named roles/nobody was not found.")


def test_predefined_and_custom_roles_are_listed_in_pages(
    admin: Caller, project: str, enable: Callable[..., None]
) -> None:
    enable("iam")
    first = admin("GET", "/iam/v1/roles", params={"pageSize": "5"})[1]
    assert len(first["roles"]) == 5
    assert "includedPermissions" not in first["roles"][0]
    rest = admin("GET", "/iam/v1/roles", params={"pageToken": first["nextPageToken"], "view": "FULL"})[1]
    assert rest["roles"][0]["name"] > first["roles"][-1]["name"]
    assert rest["roles"][0]["includedPermissions"]
    url = f"/iam/v1/projects/{project}/roles"
    body: dict[str, Any] = {"roleId": "reader", "role": {"title": "R", "includedPermissions": ["storage.objects.get"]}}
    assert admin("POST", url, body)[0] == 200
    assert "includedPermissions" not in admin("GET", url)[1]["roles"][0]
    assert admin("GET", url, params={"view": "FULL"})[1]["roles"][0]["includedPermissions"] == ["storage.objects.get"]
    assert admin("DELETE", f"{url}/reader")[0] == 200
    assert admin("GET", url)[1] == {}
    assert admin("GET", url, params={"showDeleted": "true"})[1]["roles"][0]["deleted"] is True


def test_roles_and_permissions_of_a_resource_can_be_asked_for(admin: Caller) -> None:
    bucket = {"fullResourceName": "//storage.googleapis.com/projects/_/buckets/b"}
    roles = {role["name"] for role in admin("POST", "/iam/v1/roles:queryGrantableRoles", bucket)[1]["roles"]}
    assert "roles/storage.objectViewer" in roles
    assert not [name for name in roles if not name.startswith("roles/storage.")]
    asked = {**bucket, "pageSize": 5}
    found = admin("POST", "/iam/v1/permissions:queryTestablePermissions", asked)[1]
    assert len(found["permissions"]) == 5
    assert all(permission["name"].startswith("storage.") for permission in found["permissions"])
    assert found["nextPageToken"]
    everything = {"fullResourceName": "//cloudresourcemanager.googleapis.com/projects/p"}
    names = {role["name"] for role in admin("POST", "/iam/v1/roles:queryGrantableRoles", everything)[1]["roles"]}
    assert {"roles/browser", "roles/owner"} & names
    status, refusal = admin("POST", "/iam/v1/roles:queryGrantableRoles", {"fullResourceName": "b"})
    assert (status, refusal["error"]["message"]) == (400, "Invalid full resource name: 'b'.")
