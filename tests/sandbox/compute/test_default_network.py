from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import Caller

Document = dict[str, Any]
ORGANIZATION = "organizations/123456789012"


@pytest.fixture
def fresh(admin: Caller) -> str:
    """A project that never used Compute Engine."""
    body = {"projectId": "fresh-project", "parent": {"type": "organization", "id": "123456789012"}}
    assert admin("POST", "/cloudresourcemanager/v1/projects", body)[0] == 200
    return "fresh-project"


def use(admin: Caller, project: str) -> None:
    path = f"/serviceusage/v1/projects/{project}/services:batchEnable"
    assert admin("POST", path, {"serviceIds": ["compute.googleapis.com"]})[0] == 200


def names(admin: Caller, project: str, collection: str) -> list[str]:
    return sorted(
        one["name"] for one in admin("GET", f"/compute/v1/projects/{project}/{collection}")[1].get("items", ())
    )


def test_compute_engine_brings_a_network_that_is_open_to_the_internet(admin: Caller, fresh: str) -> None:
    use(admin, fresh)
    network = admin("GET", f"/compute/v1/projects/{fresh}/global/networks/default")[1]
    assert network["autoCreateSubnetworks"] is True
    assert network["description"] == "Default network for the project"
    assert len(network["subnetworks"]) > 30
    rules = admin("GET", f"/compute/v1/projects/{fresh}/global/firewalls")[1]["items"]
    open_ports = {one["name"]: (one["sourceRanges"], one["priority"]) for one in rules}
    assert open_ports == {
        "default-allow-icmp": (["0.0.0.0/0"], 65534),
        "default-allow-internal": (["10.128.0.0/9"], 65534),
        "default-allow-rdp": (["0.0.0.0/0"], 65534),
        "default-allow-ssh": (["0.0.0.0/0"], 65534),
    }
    routes = admin("GET", f"/compute/v1/projects/{fresh}/global/routes")[1]["items"]
    [internet] = [one for one in routes if one["destRange"] == "0.0.0.0/0"]
    assert internet["nextHopGateway"].endswith(f"/{fresh}/global/gateways/default-internet-gateway")


def test_rules_are_deleted_before_the_network_and_it_does_not_come_again(admin: Caller, fresh: str) -> None:
    use(admin, fresh)
    network = f"/compute/v1/projects/{fresh}/global/networks/default"
    assert admin("DELETE", network)[0] == 400
    for rule in names(admin, fresh, "global/firewalls"):
        assert admin("DELETE", f"/compute/v1/projects/{fresh}/global/firewalls/{rule}")[0] == 200
    assert admin("DELETE", network)[0] == 200
    assert names(admin, fresh, "global/routes") == []
    service = f"/serviceusage/v1/projects/{fresh}/services/compute.googleapis.com"
    assert admin("POST", f"{service}:disable")[0] == admin("POST", f"{service}:enable")[0] == 200
    assert names(admin, fresh, "global/networks") == []


@pytest.mark.parametrize(("enforce", "expected"), [(True, []), (False, ["default"])])
def test_an_organisation_policy_keeps_it_away(admin: Caller, fresh: str, enforce: bool, expected: list[str]) -> None:
    name = f"{ORGANIZATION}/policies/compute.skipDefaultNetworkCreation"
    body = {"name": name, "spec": {"rules": [{"enforce": enforce}]}}
    assert admin("POST", f"/orgpolicy/v2/{ORGANIZATION}/policies", body)[0] == 200
    use(admin, fresh)
    assert names(admin, fresh, "global/networks") == expected
