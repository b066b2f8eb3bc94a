"""APIs of a project, one by one and in batches."""

from __future__ import annotations

from tests.sandbox.conftest import Caller

SERVICES = "/serviceusage/v1/projects/test-project/services"


def test_a_batch_tells_what_is_enabled(admin: Caller, project: str) -> None:
    assert admin("POST", f"{SERVICES}/cloudkms.googleapis.com:enable")[0] == 200
    hosts = ("cloudkms.googleapis.com", "run.googleapis.com")
    names = "&".join(f"names=projects/{project}/services/{host}" for host in hosts)
    found = admin("GET", f"{SERVICES}:batchGet?{names}")[1]["services"]
    assert [item["state"] for item in found] == ["ENABLED", "DISABLED"]


def test_a_batch_is_neither_empty_nor_of_another_project(admin: Caller, project: str) -> None:
    status, body = admin("GET", f"{SERVICES}:batchGet")
    assert (status, "1 to 30" in body["error"]["message"]) == (400, True)
    status, body = admin("GET", f"{SERVICES}:batchGet?names=projects/other/services/x")
    assert (status, f"below projects/{project}" in body["error"]["message"]) == (400, True)
