"""What nobody may do in a campaign's project, whatever their roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra import denials
from tests.infra.stacks import record

if TYPE_CHECKING:
    from pathlib import Path

    from tests.infra.recording_engine import Recording

POLICY = "iam/denyPolicy:DenyPolicy"


@pytest.fixture(scope="module")
def stack(root: Path) -> Recording:
    return record(root, denyPolicy={"exceptions": ["user:jo@example.com", "group:break-glass@example.com"]})


def test_everybody_but_the_exceptions_is_denied_what_ends_data(stack: Recording) -> None:
    inputs = stack.only(POLICY).inputs
    assert inputs["parent"] == "cloudresourcemanager.googleapis.com%2Fprojects%2Fspring-launch-0a1b2c3"
    (rule,) = inputs["rules"]
    assert rule["denyRule"] == {
        "deniedPrincipals": ["principalSet://goog/public:all"],
        "exceptionPrincipals": [
            "principal://goog/subject/jo@example.com",
            "principalSet://goog/group/break-glass@example.com",
        ],
        "deniedPermissions": list(denials.PERMISSIONS),
    }


def test_it_is_made_last_and_so_taken_away_first(stack: Recording) -> None:
    before = {resource.urn for resource in stack.comes_after(stack.only(POLICY))}
    kept = stack.of_type("storage/bucket:Bucket", "kms/cryptoKey:CryptoKey", "organizations/project:Project")
    assert {resource.urn for resource in kept} <= before


def test_a_stack_that_does_not_ask_for_it_has_none(root: Path) -> None:
    assert record(root).of_type(POLICY) == []


@pytest.mark.parametrize(
    ("member", "spelled"),
    [
        ("serviceAccount:a@b.iam.gserviceaccount.com", "principal://iam.googleapis.com/projects/-/serviceAccounts/a@b.iam.gserviceaccount.com"),
        ("principalSet://iam.googleapis.com/x", "principalSet://iam.googleapis.com/x"),
    ],
)  # fmt: skip
def test_members_are_spelled_as_deny_policies_want_them(member: str, spelled: str) -> None:
    assert denials.principal(member) == spelled
