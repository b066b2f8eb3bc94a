from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.conftest import Caller, build_cloud

from .conftest import Make

Document = dict[str, Any]


def message(body: Document) -> str:
    return str(body["error"]["message"])


def test_a_network_that_is_not_there_is_refused_in_googles_words(admin: Caller, url: str) -> None:
    status, body = admin("GET", f"{url}/global/networks/default")
    wording = "The resource 'projects/test-project/global/networks/default' was not found"
    assert status == 404
    assert body == {
        "error": {
            "code": 404,
            "message": wording,
            "errors": [{"message": wording, "domain": "global", "reason": "notFound"}],
        }
    }


def test_a_network_says_where_it_is_in_the_version_that_was_called(
    admin: Caller, project: str, network: Document
) -> None:
    assert network["selfLink"] == f"https://www.googleapis.com/compute/v1/projects/{project}/global/networks/net"
    assert network["selfLinkWithId"].endswith(f"/global/networks/{network['id']}")
    beta = admin("GET", f"/compute/beta/projects/{project}/global/networks/net")[1]
    assert beta["selfLink"] == f"https://www.googleapis.com/compute/beta/projects/{project}/global/networks/net"


def test_an_operation_tells_what_was_done_and_is_there_after_a_restart(
    admin: Caller, url: str, cloud: Any, network: Document
) -> None:
    operation = admin("PATCH", f"{url}/global/networks/net", {"routingConfig": {"routingMode": "GLOBAL"}})[1]
    assert operation["kind"] == "compute#operation"
    assert operation["operationType"] == "compute.networks.patch"
    assert operation["targetLink"] == network["selfLink"]
    assert (operation["status"], operation["progress"]) == ("DONE", 100)
    path = operation["selfLink"].removeprefix("https://www.googleapis.com")
    assert admin("GET", path)[1] == operation
    assert admin("POST", f"{path}/wait")[1] == operation
    name = operation["selfLink"].partition("/compute/v1/")[2]
    again = build_cloud(cloud.settings.data)
    assert again.store.get("compute.operations", name) == operation
    again.close()


@pytest.mark.usefixtures("subnetwork")
def test_a_regional_operation_names_its_region(admin: Caller, url: str) -> None:
    body = {"privateIpGoogleAccess": True}
    path = f"{url}/regions/europe-west4/subnetworks/sub/setPrivateIpGoogleAccess"
    operation = admin("POST", path, body)[1]
    assert operation["operationType"] == "setPrivateIpGoogleAccess"
    assert operation["region"].endswith("/regions/europe-west4")
    assert admin("GET", f"{url}/regions/europe-west4/subnetworks/sub")[1]["privateIpGoogleAccess"] is True
    listed = admin("GET", f"{url}/regions/europe-west4/operations")[1]["items"]
    assert operation["name"] in {item["name"] for item in listed}


def test_a_patch_keeps_what_it_does_not_name(admin: Caller, url: str, make: Make) -> None:
    make("global/networks", {"name": "a", "autoCreateSubnetworks": False, "mtu": 1500, "description": "first"})
    admin("PATCH", f"{url}/global/networks/a", {"routingConfig": {"routingMode": "GLOBAL"}})
    found = admin("GET", f"{url}/global/networks/a")[1]
    assert found["routingConfig"] == {"routingMode": "GLOBAL", "bgpBestPathSelectionMode": "LEGACY"}
    assert (found["mtu"], found["description"]) == (1500, "first")


def test_a_null_in_a_patch_clears_the_field(admin: Caller, url: str, make: Make) -> None:
    make("global/networks", {"name": "a", "autoCreateSubnetworks": False, "description": "first"})
    admin("PATCH", f"{url}/global/networks/a", {"description": None, "name": None})
    found = admin("GET", f"{url}/global/networks/a")[1]
    assert "description" not in found
    assert found["name"] == "a"


def test_a_second_network_of_the_same_name_is_409(admin: Caller, url: str, network: Document) -> None:
    status, body = admin("POST", f"{url}/global/networks", {"name": network["name"]})
    assert status == 409
    assert body["error"]["errors"][0]["reason"] == "alreadyExists"
    assert message(body) == "The resource 'projects/test-project/global/networks/net' already exists"


def test_auto_mode_makes_one_subnetwork_for_each_region_and_removes_them_again(
    admin: Caller, url: str, make: Make
) -> None:
    network = make("global/networks", {"name": "auto", "autoCreateSubnetworks": True})
    assert len(network["subnetworks"]) > 40
    central = admin("GET", f"{url}/regions/us-central1/subnetworks/auto")[1]
    assert (central["ipCidrRange"], central["gatewayAddress"]) == ("10.128.0.0/20", "10.128.0.1")
    status, body = admin("DELETE", f"{url}/regions/us-central1/subnetworks/auto")
    assert (status, "auto" in message(body)) == (400, True)
    assert admin("DELETE", f"{url}/global/networks/auto")[0] == 200
    assert admin("GET", f"{url}/regions/us-central1/subnetworks/auto")[0] == 404
    assert "items" not in admin("GET", f"{url}/global/routes")[1]


def test_custom_mode_makes_auto_subnetworks_the_callers_own(admin: Caller, url: str, make: Make) -> None:
    make("global/networks", {"name": "auto", "autoCreateSubnetworks": True})
    assert admin("POST", f"{url}/global/networks/auto/switchToCustomMode")[0] == 200
    assert admin("GET", f"{url}/global/networks/auto")[1]["autoCreateSubnetworks"] is False
    assert admin("DELETE", f"{url}/regions/us-central1/subnetworks/auto")[0] == 200
    status, body = admin("DELETE", f"{url}/global/networks/auto")
    assert (status, body["error"]["errors"][0]["reason"]) == (400, "resourceInUseByAnotherResource")


@pytest.mark.usefixtures("subnetwork")
def test_a_network_in_use_cannot_be_deleted_and_the_error_names_the_user(admin: Caller, url: str) -> None:
    status, body = admin("DELETE", f"{url}/global/networks/net")
    assert status == 400
    assert body["error"]["errors"][0]["reason"] == "resourceInUseByAnotherResource"
    assert message(body) == (
        "The network resource 'projects/test-project/global/networks/net' is already being used by "
        "'projects/test-project/regions/europe-west4/subnetworks/sub'"
    )
    assert admin("DELETE", f"{url}/regions/europe-west4/subnetworks/sub")[0] == 200
    assert admin("DELETE", f"{url}/global/networks/net")[0] == 200


def test_peerings_are_active_once_both_sides_agree(admin: Caller, url: str, make: Make, network: Document) -> None:
    other = make("global/networks", {"name": "other", "autoCreateSubnetworks": False})
    there = {"networkPeering": {"name": "there", "network": other["selfLink"], "exchangeSubnetRoutes": True}}
    back = {"networkPeering": {"name": "back", "network": network["selfLink"], "exchangeSubnetRoutes": True}}
    admin("POST", f"{url}/global/networks/net/addPeering", there)
    assert admin("GET", f"{url}/global/networks/net")[1]["peerings"][0]["state"] == "INACTIVE"
    admin("POST", f"{url}/global/networks/other/addPeering", back)
    assert admin("GET", f"{url}/global/networks/net")[1]["peerings"][0]["state"] == "ACTIVE"
    admin("POST", f"{url}/global/networks/other/removePeering", {"name": "back"})
    assert admin("GET", f"{url}/global/networks/net")[1]["peerings"][0]["state"] == "INACTIVE"
    assert "peerings" not in admin("GET", f"{url}/global/networks/other")[1]


def test_a_disabled_api_refuses_with_the_way_to_enable_it(admin: Caller, project: str) -> None:
    admin("POST", f"/serviceusage/v1/projects/{project}/services/compute.googleapis.com:disable")
    status, body = admin("GET", f"/compute/v1/projects/{project}/global/networks/net")
    assert status == 403
    assert body["error"]["errors"][0]["reason"] == "accessNotConfigured"


def test_a_network_user_may_read_but_not_create(
    admin: Caller, as_member: Callable[[str], Caller], project: str, url: str, network: Document
) -> None:
    grant = {"policy": {"bindings": [{"role": "roles/compute.networkUser", "members": ["user:jo@example.com"]}]}}
    admin("POST", f"/cloudresourcemanager/v1/projects/{project}:setIamPolicy", grant)
    jo = as_member("user:jo@example.com")
    assert jo("GET", f"{url}/global/networks/net")[1]["id"] == network["id"]
    status, body = jo("POST", f"{url}/global/networks", {"name": "mine"})
    assert status == 403
    assert "compute.networks.create" in message(body)
