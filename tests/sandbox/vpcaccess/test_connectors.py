"""Connectors: what they need and how large they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.conftest import Caller

CONNECTORS = "/vpcaccess/v1/projects/test-project/locations/europe-west4/connectors"
BODY: dict[str, Any] = {"network": "vpc", "ipCidrRange": "10.8.0.0/28"}


@pytest.fixture(autouse=True)
def network(admin: Caller, enable: Callable[..., None]) -> None:
    enable("vpcaccess", "compute")
    admin("POST", "/compute/v1/projects/test-project/global/networks", {"name": "vpc", "autoCreateSubnetworks": False})


def test_a_connector_has_two_to_ten_small_instances(admin: Caller) -> None:
    made = admin("POST", f"{CONNECTORS}?connectorId=link", BODY)[1]["response"]
    assert (made["state"], made["machineType"]) == ("READY", "e2-micro")
    sizes = [made[key] for key in ("minInstances", "maxInstances", "minThroughput", "maxThroughput")]
    assert sizes == [2, 10, 200, 1000]
    changed = admin("PATCH", f"{CONNECTORS}/link?updateMask=maxInstances", {"maxInstances": 3})[1]["response"]
    assert (changed["maxInstances"], changed["maxThroughput"]) == (3, 300)
    assert admin("DELETE", f"{CONNECTORS}/link")[1]["done"] is True
    assert admin("GET", f"{CONNECTORS}/link")[0] == 404


@pytest.mark.parametrize(
    ("identity", "change", "words"),
    [
        ("Link", {}, "must match"),
        ("link", {"network": "none"}, "was not found"),
        ("link", {"ipCidrRange": "10.8.0.0/24"}, "a /28 is needed"),
        ("link", {"ipCidrRange": "here"}, "a /28 is needed"),
        ("link", {"subnet": {"name": "s"}}, "either a network"),
        ("link", {"machineType": "huge"}, "Invalid machine type"),
        ("link", {"minInstances": 5, "maxInstances": 4}, "minInstances is 5"),
    ],
)
def test_a_wrong_connector_is_refused(admin: Caller, identity: str, change: dict[str, Any], words: str) -> None:
    status, answer = admin("POST", f"{CONNECTORS}?connectorId={identity}", {**BODY, **change})
    assert status in {400, 404}
    assert words in answer["error"]["message"]
