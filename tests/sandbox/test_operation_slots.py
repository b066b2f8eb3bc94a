"""Operation ids: kept while somebody may wait, taken into use again afterwards."""

from __future__ import annotations

from sandbox.cloud import Cloud
from tests.sandbox.conftest import Caller

KEYS = "/cloudresourcemanager/v3/tagKeys"


def make_key(admin: Caller, project: str, name: str) -> str:
    status, operation = admin("POST", KEYS, {"parent": f"projects/{project}", "shortName": name})
    assert status == 200
    return str(operation["name"])


def test_two_operations_that_nobody_has_read_differ(admin: Caller, project: str) -> None:
    first, second = make_key(admin, project, "a"), make_key(admin, project, "b")
    assert first != second
    assert admin("GET", f"/cloudresourcemanager/v3/{first}")[1]["response"]["shortName"] == "a"
    assert admin("GET", f"/cloudresourcemanager/v3/{second}")[1]["response"]["shortName"] == "b"


def test_the_id_of_an_operation_that_was_read_serves_the_next(admin: Caller, project: str) -> None:
    first = make_key(admin, project, "a")
    assert admin("GET", f"/cloudresourcemanager/v3/{first}")[1]["done"] is True
    second = make_key(admin, project, "b")
    assert second == first
    assert admin("GET", f"/cloudresourcemanager/v3/{first}")[1]["response"]["shortName"] == "b"


def test_a_resources_next_change_takes_over_its_id(admin: Caller, project: str) -> None:
    first = admin("POST", KEYS, {"parent": f"projects/{project}", "shortName": "a"})[1]
    other = make_key(admin, project, "b")
    deleted = admin("DELETE", f"/cloudresourcemanager/v3/{first['response']['name']}")[1]
    assert deleted["name"] == first["name"] != other


def test_what_runs_in_the_background_keeps_its_id(cloud: Cloud) -> None:
    slots, numbers = cloud.operations.slots, iter("123")

    def make() -> str:
        return next(numbers)

    first = slots.claim("place", "thing", make)
    slots.started(first)
    slots.collected(first)
    assert slots.claim("place", "thing", make) == "2"
    slots.ended(first)
    slots.collected(first)
    assert slots.claim("place", "other", make) == "1"
