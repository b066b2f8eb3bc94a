"""What a recording of used grants says, and what becomes of proofs: without an engine."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench.grants import page
from bench.grants.replay import replays
from bench.grants.report import counted, joined
from bench.grants.trial import Bench, telling

from .privilege_removal import Granted, granted
from .privilege_usage import Binding, Need, permissions_used, used_alone

DEPLOYER = "serviceAccount:deployer@seed.iam.gserviceaccount.com"
PROJECT = "//cloudresourcemanager.googleapis.com/projects/acme"


def binding(role: str, resource: str = PROJECT) -> dict[str, str]:
    return {"role": role, "member": DEPLOYER, "resource": resource, "condition": ""}


def check(permission: str, *roles: str) -> dict[str, Any]:
    return {
        "principal": DEPLOYER,
        "permission": permission,
        "resource": PROJECT,
        "step": f"step of {permission}",
        "count": 1,
        "grants": [binding(role) for role in roles],
    }


CHECKS = [check("a.b.get", "roles/one", "roles/two"), check("a.b.set", "roles/two"), check("a.b.list", "roles/two")]


def test_only_what_nothing_else_gave_is_derived_with_the_first_need() -> None:
    found = used_alone(CHECKS, DEPLOYER)
    assert found == {Binding("roles/two", DEPLOYER, PROJECT): Need("step of a.b.set", "a.b.set", PROJECT)}
    assert used_alone(CHECKS, "user:somebody@example.com") == {}


def test_each_binding_says_which_permissions_were_used_through_it() -> None:
    found = permissions_used(CHECKS, DEPLOYER)
    assert {key.role: values for key, values in found.items()} == {
        "roles/one": {"a.b.get"},
        "roles/two": {"a.b.get", "a.b.set", "a.b.list"},
    }


def test_the_grants_of_a_state_know_the_policy_that_they_are_written_into() -> None:
    def resource(kind: str, name: str, **own: Any) -> dict[str, Any]:
        outputs = {"role": "roles/one", "member": DEPLOYER, **own}
        return {"type": f"gcp:{kind}", "urn": f"urn:pulumi:a::b::gcp:{kind}::{name}", "outputs": outputs}

    resources = [
        resource("projects/iAMMember:IAMMember", "p", project="acme", condition={"title": "only this"}),
        resource("kms/cryptoKeyIAMMember:CryptoKeyIAMMember", "k", cryptoKeyId="projects/acme/locations/l/keyRings/r"),
        resource("storage/bucketIAMMember:BucketIAMMember", "b", bucket="b/images"),
        resource("storage/bucket:Bucket", "no-grant"),
    ]
    found = granted({"deployment": {"resources": resources}})
    assert {name: (one.policy, one.title) for name, one in found.items()} == {
        "p": ("cloudresourcemanager/v1/projects/acme", "only this"),
        "k": ("cloudkms/v1/projects/acme/locations/l/keyRings/r", ""),
        "b": ("storage/v1/b/images/iam", ""),
    }


def proof(name: str, role: str, denied: str = "", reason: str = "") -> dict[str, Any]:
    return {
        "grant": name,
        "of": "deployer",
        "role": role,
        "on": "cloudresourcemanager/v1/projects/acme",
        "step": "pulumi up",
        "denied": denied,
        "permission": "",
        "seconds": 1.0,
        "alone": False,
        "reason": reason,
    }


def report(*proofs: dict[str, Any], **more: Any) -> dict[str, Any]:
    derived = [{"of": "deployer", "role": "roles/two", "on": PROJECT, "step": "s", "permission": "a.b.set"}]
    timings = {"up": 1.0, "refresh": 2.0, "destroy": 3.0}
    return {"measured": "2026-11-21", "timings": timings, "grants": [*proofs], "derived": derived, "used": [], **more}


def test_a_grant_is_removed_derived_listed_or_unexplained() -> None:
    found = counted(
        report(
            proof("one", "roles/one", denied="a.b.create"),
            proof("two", "roles/two"),
            proof("three", "roles/three", reason="because"),
            proof("four", "roles/four"),
        )
    )
    assert found["counts"] == {
        "grants": 4,
        "removed": 1,
        "derived": 1,
        "derivedOnly": 1,
        "listed": 1,
        "unexplained": 1,
    }


def test_a_later_run_replaces_what_it_tried_and_keeps_the_rest() -> None:
    before = report(proof("one", "roles/one"), proof("two", "roles/two"))
    now = report(proof("one", "roles/one", denied="a.b.create"), derived=[], timings={"up": 9.0})
    found = joined(before, now)
    assert [(one["grant"], one["denied"]) for one in found["grants"]] == [("two", ""), ("one", "a.b.create")]
    assert found["timings"] == {"up": 9.0, "refresh": 2.0, "destroy": 3.0}
    assert found["derived"] == before["derived"]
    later = joined(found, report(proof("one", "roles/one"), derived=[]))
    assert [(one["grant"], one["denied"]) for one in later["grants"]] == [("two", ""), ("one", "a.b.create")]


def test_the_page_shows_the_tables_between_its_marks_and_no_second_time() -> None:
    used = [{"identity": "deployer", "role": "roles/one", "permissions": ["a.b.get"]}]
    found = counted(report(proof("one", "roles/one", denied="a|b `c`"), used=used))
    text = f"head\n{page.BEGIN}\n{page.END}\ntail\n"
    once = page.page(text, found)
    assert page.page(once, found) == once
    assert once.startswith("head\n")
    assert once.endswith("tail\n")
    assert "| `one` | `one` | pulumi up: `a/b 'c'` | 1.0 |" in once
    assert "| deployer | `one` | `a.b.get` |" in once
    with pytest.raises(ValueError, match="substring not found"):
        page.page("no marks", found)


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("\n  pulumi up failed.\n  error: gave up\n", "error: gave up"),
        (
            "pulumi up failed.\nerror: x\nerror: missing permission on the account\n",
            "error: missing permission on the account",
        ),
        ("\n\n  nothing of the kind\n", "nothing of the kind"),
        ("", ""),
    ],
)
def test_of_a_failure_the_line_that_names_a_permission_is_kept(message: str, line: str) -> None:
    assert telling(message) == line


class Recorded:
    """A sandbox that remembers three calls."""

    def get(self, path: str) -> list[dict[str, Any]]:
        assert path.startswith("requests")
        call = {"principal": DEPLOYER, "verb": "GET", "host": "a.googleapis.com", "method": "step of a.b.set"}
        return [
            {**call, "path": "/v1/projects/other", "status": 200},
            {**call, "path": "/v1/projects/acme", "status": 200},
            {**call, "path": "/v1/projects/acme/refused", "status": 403},
        ]


def test_the_call_that_only_one_grant_let_through_is_found_again() -> None:
    organization = SimpleNamespace(sandbox=Recorded(), token=lambda member: f"token of {member}")
    world: Any = SimpleNamespace(organization=organization, outputs={"projectId": "seed"})
    policy = "cloudresourcemanager/v1/projects/acme"
    grants = {
        role: Granted(role, f"roles/{role}", DEPLOYER, "projects/iAMMember", policy, "") for role in ("one", "two")
    }
    found = replays(world, DEPLOYER, CHECKS, grants)
    assert set(found) == {"two"}, "what another grant gave as well proves nothing"
    assert found["two"].call["path"] == "/v1/projects/acme"
    assert (found["two"].token, found["two"].need.permission) == (f"token of {DEPLOYER}", "a.b.set")


def test_what_an_earlier_run_took_away_is_left_alone() -> None:
    bench = Bench(Path(), "", proved=frozenset({("deployer", "deployer-budgets")}))
    assert not bench.open_("deployer-budgets", DEPLOYER)
    assert bench.open_("deployer-state", DEPLOYER)
