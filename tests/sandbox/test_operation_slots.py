"""Operation ids: never twice the same, except where recordings are replayed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from sandbox.app import create_app
from sandbox.cloud import Cloud
from sandbox.operations import KEPT
from tests.sandbox.conftest import Caller, build_cloud

PROJECT = {"projectId": "test-project", "parent": {"type": "organization", "id": "123456789012"}}

KEYS = "/cloudresourcemanager/v3/tagKeys"


@pytest.fixture
def replaying(tmp_path: Path) -> Iterator[Cloud]:
    built = build_cloud(tmp_path / "replaying", replaying=True)
    yield built
    built.close()


@pytest.fixture
def replayer(replaying: Cloud) -> Caller:
    """Calls a sandbox for replayed recordings."""
    caller = Caller(TestClient(create_app(replaying), base_url="http://127.0.0.1"), "sandbox")
    assert caller("POST", "/cloudresourcemanager/v1/projects", PROJECT)[0] == 200
    return caller


def make_key(admin: Caller, project: str, name: str) -> str:
    status, operation = admin("POST", KEYS, {"parent": f"projects/{project}", "shortName": name})
    assert status == 200
    return str(operation["name"])


def test_two_operations_that_nobody_has_read_differ(admin: Caller, project: str) -> None:
    first, second = make_key(admin, project, "a"), make_key(admin, project, "b")
    assert first != second
    assert admin("GET", f"/cloudresourcemanager/v3/{first}")[1]["response"]["shortName"] == "a"
    assert admin("GET", f"/cloudresourcemanager/v3/{second}")[1]["response"]["shortName"] == "b"


def test_an_operation_that_was_read_answers_later_readers_the_same(admin: Caller, project: str) -> None:
    first = make_key(admin, project, "a")
    before = admin("GET", f"/cloudresourcemanager/v3/{first}")
    assert make_key(admin, project, "b") != first
    assert admin("GET", f"/cloudresourcemanager/v3/{first}") == before


def test_in_a_replay_the_id_of_an_operation_that_was_read_serves_the_next(replayer: Caller) -> None:
    first = make_key(replayer, "test-project", "a")
    assert replayer("GET", f"/cloudresourcemanager/v3/{first}")[1]["done"] is True
    second = make_key(replayer, "test-project", "b")
    assert second == first
    assert replayer("GET", f"/cloudresourcemanager/v3/{first}")[1]["response"]["shortName"] == "b"


def test_in_a_replay_a_resources_next_change_takes_over_its_id(replayer: Caller) -> None:
    first = replayer("POST", KEYS, {"parent": "projects/test-project", "shortName": "a"})[1]
    other = make_key(replayer, "test-project", "b")
    deleted = replayer("DELETE", f"/cloudresourcemanager/v3/{first['response']['name']}")[1]
    assert deleted["name"] == first["name"] != other


def test_in_a_replay_what_runs_in_the_background_keeps_its_id(replaying: Cloud) -> None:
    slots, numbers = replaying.operations.slots, iter("123")

    def make() -> str:
        return next(numbers)

    first = slots.claim("place", "thing", make)
    slots.started(first)
    slots.collected(first)
    assert slots.claim("place", "thing", make) == "2"
    slots.ended(first)
    slots.collected(first)
    assert slots.claim("place", "other", make) == "1"


def test_a_restart_forgets_the_oldest_operations_and_keeps_the_latest(cloud: Cloud) -> None:
    with cloud.store.transaction():
        for number in range(KEPT + 2):
            cloud.operations.finished("cloudkms", f"operations/{number}", {})
    cloud.operations.interrupt()
    assert [cloud.operations.get("cloudkms", f"operations/{n}") is None for n in (0, 1, 2, KEPT + 1)] == [
        *(True, True),
        *(False, False),
    ]
