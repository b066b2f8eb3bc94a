"""Liens: who placed them is said when they stand in the way."""

from __future__ import annotations

from tests.sandbox.conftest import Caller

V1 = "/cloudresourcemanager/v1"


def lien(admin: Caller, project: str, origin: str) -> str:
    number = admin("GET", f"{V1}/projects/{project}")[1]["projectNumber"]
    body = {
        "parent": f"projects/{number}",
        "origin": origin,
        "reason": "kept",
        "restrictions": ["resourcemanager.projects.delete"],
    }
    status, made = admin("POST", f"{V1}/liens", body)
    assert status == 200, made
    return str(made["name"])


def test_a_project_under_liens_is_not_deleted_and_their_origins_are_named(admin: Caller, project: str) -> None:
    names = [lien(admin, project, origin) for origin in ("xpn.googleapis.com", "auditors", "auditors")]
    status, body = admin("DELETE", f"{V1}/projects/{project}")
    assert status == 400
    assert "placed on the project by [auditors, xpn.googleapis.com]. Remove the lien" in body["error"]["message"]
    for name in names:
        assert admin("GET", f"{V1}/projects/{project}")[1]["lifecycleState"] == "ACTIVE"
        assert admin("DELETE", f"{V1}/{name}")[0] == 200
    assert admin("DELETE", f"{V1}/projects/{project}")[0] == 200
