"""Which etags refuse a write."""

from __future__ import annotations

import pytest

from sandbox.etags import stale
from tests.sandbox.conftest import Caller


@pytest.mark.parametrize(
    ("given", "current"),
    [
        ("BwYAAAAAAAA=", "BwYBBBBBBBB="),
        ("ACAB", "BwYBBBBBBBB="),
        ('"15e8c1c8f4c1a8"', '"15e8c1c8f4c1a9"'),
        ("0123456789abcdef", "0123456789abcdee"),
        ("bogus", "BwYBBBBBBBB="),
        ("q83vASNFZ4k=", "q83vASNFZ4o="),
    ],
)
@pytest.mark.parametrize("replaying", [False, True])
def test_an_etag_that_may_come_from_here_must_be_the_current_one(given: str, current: str, replaying: bool) -> None:
    assert stale(given, current, replaying=replaying)
    assert not stale(current, current, replaying=replaying)


@pytest.mark.parametrize("current", ["BwYBBBBBBBB=", "ACAB", 'W/"0123456789abcdef"', "0123456789abcdef"])
def test_an_etag_of_another_services_form_is_let_pass_in_a_replay_only(current: str) -> None:
    assert not stale("q83vASNFZ4k=", current, replaying=True)
    assert stale("q83vASNFZ4k=", current, replaying=False)


def test_the_second_of_two_writers_with_the_same_etag_is_refused(admin: Caller, project: str) -> None:
    path = f"/cloudresourcemanager/v1/projects/{project}"
    etag = admin("POST", f"{path}:getIamPolicy")[1]["etag"]
    policy = {"etag": etag, "bindings": [{"role": "roles/owner", "members": ["user:admin@example.com"]}]}
    assert admin("POST", f"{path}:setIamPolicy", {"policy": policy})[0] == 200
    status, body = admin("POST", f"{path}:setIamPolicy", {"policy": policy})
    assert (status, body["error"]["status"]) == (409, "ABORTED")
    assert "read-modify-write" in body["error"]["message"]
