"""Private worker pools: defaults, what is fixed, what must exist."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.conftest import Caller

POOLS = "/cloudbuild/v1/projects/test-project/locations/europe-west4/workerPools"
CLOSED: dict[str, Any] = {"privatePoolV1Config": {"networkConfig": {"egressOption": "NO_PUBLIC_EGRESS"}}}


@pytest.fixture(autouse=True)
def apis(enable: Callable[..., None]) -> None:
    enable("cloudbuild", "compute")


def test_a_pool_is_made_by_an_operation_and_has_machines(admin: Caller) -> None:
    status, made = admin("POST", f"{POOLS}?workerPoolId=pool", CLOSED)
    assert (status, made["done"]) == (200, True)
    assert made["metadata"]["@type"].endswith("CreateWorkerPoolOperationMetadata")
    pool = admin("GET", f"{POOLS}/pool")[1]
    assert pool["privatePoolV1Config"] == {
        "networkConfig": {"egressOption": "NO_PUBLIC_EGRESS"},
        "workerConfig": {"machineType": "e2-standard-2", "diskSizeGb": "100"},
    }
    assert (pool["state"], bool(pool["uid"]), bool(pool["etag"])) == ("RUNNING", True, True)
    assert admin("GET", f"/cloudbuild/v1/{made['name']}")[1]["response"]["name"] == pool["name"]


def test_machines_can_change_and_the_network_cannot(admin: Caller) -> None:
    network = "projects/test-project/global/networks/vpc"
    admin("POST", "/compute/v1/projects/test-project/global/networks", {"name": "vpc", "autoCreateSubnetworks": False})
    body = {"privatePoolV1Config": {"networkConfig": {"peeredNetwork": network}}}
    assert admin("POST", f"{POOLS}?workerPoolId=pool", body)[0] == 200
    mask = "privatePoolV1Config.workerConfig.machineType"
    change = {"privatePoolV1Config": {"workerConfig": {"machineType": "e2-highcpu-8"}}}
    changed = admin("PATCH", f"{POOLS}/pool?updateMask={mask}", change)[1]["response"]
    assert changed["privatePoolV1Config"]["workerConfig"] == {"machineType": "e2-highcpu-8", "diskSizeGb": "100"}
    mask = "privatePoolV1Config.networkConfig.peeredNetwork"
    status, answer = admin("PATCH", f"{POOLS}/pool?updateMask={mask}", {})
    assert (status, "immutable" in answer["error"]["message"]) == (400, True)


@pytest.mark.parametrize(
    ("identity", "config", "status", "words"),
    [
        ("Pool", {}, 400, "invalid worker pool id"),
        ("p", {"networkConfig": {"peeredNetwork": "projects/test-project/global/networks/none"}}, 400, "was not found"),
        (
            "p",
            {"networkConfig": {"peeredNetwork": "x"}, "privateServiceConnect": {"networkAttachment": "y"}},
            400,
            "exclude each other",
        ),
        ("p", {"privateServiceConnect": {"networkAttachment": "y"}}, 400, "y was not found"),
    ],
)
def test_a_wrong_pool_is_refused(admin: Caller, identity: str, config: dict[str, Any], status: int, words: str) -> None:
    answer = admin("POST", f"{POOLS}?workerPoolId={identity}", {"privatePoolV1Config": config})
    assert (answer[0], words in answer[1]["error"]["message"]) == (status, True)


def test_a_pool_that_is_not_there_is_404(admin: Caller) -> None:
    status, body = admin("DELETE", f"{POOLS}/none")
    assert (status, body["error"]["status"]) == (404, "NOT_FOUND")
    assert "worker pool not found" in body["error"]["message"]


def test_nobody_starts_a_build_by_hand(admin: Caller) -> None:
    status, body = admin("POST", "/cloudbuild/v1/projects/test-project/builds", {"steps": [{"name": "x"}]})
    assert (status, "cloudbuild.projects.builds.create" in body["error"]["message"]) == (501, True)


def test_a_build_that_is_not_there_is_404(admin: Caller) -> None:
    for place in ("projects/test-project", "projects/test-project/locations/europe-west4"):
        assert admin("GET", f"/cloudbuild/v1/{place}/builds/none")[0] == 404
        assert admin("GET", f"/cloudbuild/v1/{place}/builds") == (200, {})
