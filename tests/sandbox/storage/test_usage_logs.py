"""Usage logs: what was asked of a bucket, in another bucket."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from sandbox.cloud import Cloud
from sandbox.services.storage import usage_logs
from tests.sandbox.conftest import Caller

WRITER = "group:cloud-storage-analytics@google.com"
HOUR = 3600


@pytest.fixture
def logged(admin: Caller, project: str) -> Caller:
    """A bucket ``pictures`` whose usage goes to the bucket ``usage``."""
    for body in ({"name": "usage-log"}, {"name": "pictures-1", "logging": {"logBucket": "usage-log"}}):
        assert admin("POST", f"/storage/v1/b?project={project}", {"location": "EU", **body})[0] == 200
    return admin


def admit(admin: Caller) -> None:
    policy = admin("GET", "/storage/v1/b/usage-log/iam")[1]
    added = {"role": "roles/storage.objectCreator", "members": [WRITER]}
    policy["bindings"] = [*policy.get("bindings", []), added]
    assert admin("PUT", "/storage/v1/b/usage-log/iam", policy)[0] == 200


def files(admin: Caller) -> list[str]:
    found: list[dict[str, Any]] = admin("GET", "/storage/v1/b/usage-log/o")[1].get("items", [])
    return [item["name"] for item in found]


def pass_an_hour(cloud: Cloud) -> None:
    cloud.clock.advance(HOUR)
    cloud.services.tick(cloud)


def test_each_hour_has_its_file_with_one_line_a_request(cloud: Cloud, logged: Caller) -> None:
    admit(logged)
    assert logged("GET", "/storage/v1/b/pictures-1/o")[0] == 200
    assert logged("GET", "/storage/v1/b/pictures-1/o/a%2Fb.png")[0] == 404
    pass_an_hour(cloud)
    [name] = files(logged)
    assert name.startswith("pictures-1_usage_2")
    text = logged_text(logged, name)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["cs_operation"], row["cs_object"], row["sc_status"]) for row in rows] == [
        ("storage.objects.list", "", "200"),
        ("storage.objects.get", "a/b.png", "404"),
    ]
    pass_an_hour(cloud)
    assert files(logged) == [name]


def logged_text(admin: Caller, name: str) -> str:
    reply = admin.client.get(
        f"/storage/v1/b/usage-log/o/{name}?alt=media", headers={"Authorization": f"Bearer {admin.token}"}
    )
    assert reply.status_code == 200
    return reply.text


def test_without_the_writers_grant_the_hour_is_lost(cloud: Cloud, logged: Caller) -> None:
    assert logged("GET", "/storage/v1/b/pictures-1/o")[0] == 200
    pass_an_hour(cloud)
    assert files(logged) == []
    admit(logged)
    pass_an_hour(cloud)
    assert files(logged) == []


def test_a_bucket_that_logs_nothing_keeps_nothing(cloud: Cloud, logged: Caller) -> None:
    assert logged("GET", "/storage/v1/b/usage-log/o")[0] == 200
    assert cloud.store.items(usage_logs.KIND) == []
