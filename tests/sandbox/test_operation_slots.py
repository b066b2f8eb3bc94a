"""Operation ids: whose they are, and when one serves again."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from sandbox.app import create_app
from sandbox.cloud import Cloud
from sandbox.operation_slots import REMEMBERED, OperationSlots
from sandbox.operations import KEPT
from tests.sandbox.conftest import Caller, build_cloud

PROJECT = {"projectId": "test-project", "parent": {"type": "organization", "id": "123456789012"}}

KEYS = "/cloudresourcemanager/v3/tagKeys"


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Caller]:
    """Calls a strict sandbox."""
    built = build_cloud(tmp_path / "strict", strict=True)
    caller = Caller(TestClient(create_app(built), base_url="http://127.0.0.1"), "sandbox")
    assert caller("POST", "/cloudresourcemanager/v1/projects", PROJECT)[0] == 200
    yield caller
    built.close()


@pytest.fixture
def slots() -> OperationSlots:
    return OperationSlots()


@pytest.fixture
def make() -> Callable[[], str]:
    """Ids 1, 2, 3 ..."""
    numbers = itertools.count(1)
    return lambda: str(next(numbers))


def make_key(admin: Caller, project: str, name: str) -> str:
    status, operation = admin("POST", KEYS, {"parent": f"projects/{project}", "shortName": name})
    assert status == 200
    return str(operation["name"])


def test_two_operations_that_nobody_has_read_differ(admin: Caller, project: str) -> None:
    first, second = make_key(admin, project, "a"), make_key(admin, project, "b")
    assert first != second
    assert admin("GET", f"/cloudresourcemanager/v3/{first}")[1]["response"]["shortName"] == "a"
    assert admin("GET", f"/cloudresourcemanager/v3/{second}")[1]["response"]["shortName"] == "b"


def test_in_a_strict_sandbox_an_operation_that_was_read_answers_later_readers_the_same(strict: Caller) -> None:
    first = make_key(strict, "test-project", "a")
    before = strict("GET", f"/cloudresourcemanager/v3/{first}")
    assert make_key(strict, "test-project", "b") != first
    assert strict("GET", f"/cloudresourcemanager/v3/{first}") == before


def test_the_id_of_a_finished_operation_that_was_read_serves_the_next(admin: Caller, project: str) -> None:
    first = make_key(admin, project, "a")
    assert admin("GET", f"/cloudresourcemanager/v3/{first}")[1]["done"] is True
    assert make_key(admin, project, "b") == first
    assert admin("GET", f"/cloudresourcemanager/v3/{first}")[1]["response"]["shortName"] == "b"


def test_a_resources_next_change_takes_over_its_id(admin: Caller, project: str) -> None:
    first = admin("POST", KEYS, {"parent": f"projects/{project}", "shortName": "a"})[1]
    other = make_key(admin, project, "b")
    deleted = admin("DELETE", f"/cloudresourcemanager/v3/{first['response']['name']}")[1]
    assert deleted["name"] == first["name"] != other


def test_a_failure_that_nobody_has_read_keeps_its_id(admin: Caller, project: str) -> None:
    made = make_key(admin, project, "a")
    failed = make_key(admin, project, "a")
    again = make_key(admin, project, "a")
    assert len({made, failed, again}) == 3
    for name in (failed, again):
        assert admin("GET", f"/cloudresourcemanager/v3/{name}")[1]["error"]["code"] == 6
    assert make_key(admin, project, "c") in {failed, again}


def test_what_goes_on_in_the_background_keeps_its_id(slots: OperationSlots, make: Callable[[], str]) -> None:
    first = slots.claim("place", "thing", make)
    slots.goes_on(first)
    slots.collected(first)
    assert slots.claim("place", "thing", make) == "2"
    assert slots.claim("place", "other", make) == "3"


def test_the_id_that_was_read_last_serves_first(slots: OperationSlots, make: Callable[[], str]) -> None:
    first, second = (slots.claim("place", name, make) for name in ("a", "b"))
    for identity in (first, second, first):
        slots.collected(identity)
    assert slots.claim("place", "b", make) == first
    assert slots.claim("place", "c", make) == second


def test_an_id_serves_in_its_own_place_only(slots: OperationSlots, make: Callable[[], str]) -> None:
    slots.collected(slots.claim("compute/projects/p", "thing", make))
    assert slots.claim("compute/projects/q", "thing", make) == "2"
    assert slots.claim("compute/projects/p", "other", make) == "1"


def test_only_the_latest_operations_give_up_their_ids(slots: OperationSlots, make: Callable[[], str]) -> None:
    for number in range(REMEMBERED + 1):
        slots.claim("place", f"thing-{number}", make)
    assert slots.claim("place", "thing-1", make) == "2"
    assert slots.claim("place", "thing-0", make) == str(REMEMBERED + 2)


def test_a_restart_forgets_the_oldest_operations_and_keeps_the_latest(cloud: Cloud) -> None:
    with cloud.store.transaction():
        for number in range(KEPT + 2):
            cloud.operations.finished("cloudkms", f"operations/{number}", {})
    cloud.operations.interrupt()
    assert [cloud.operations.get("cloudkms", f"operations/{n}") is None for n in (0, 1, 2, KEPT + 1)] == [
        *(True, True),
        *(False, False),
    ]
