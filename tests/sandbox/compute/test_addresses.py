from __future__ import annotations

import ipaddress
from typing import Any

from tests.sandbox.conftest import Caller

from .conftest import Make

Document = dict[str, Any]


def test_external_addresses_are_public_and_different(make: Make) -> None:
    first = make("regions/europe-west4/addresses", {"name": "a"})
    second = make("regions/europe-west4/addresses", {"name": "b"})
    assert first["address"] != second["address"]
    assert ipaddress.ip_address(first["address"]).is_global
    assert (first["addressType"], first["networkTier"], first["status"]) == ("EXTERNAL", "PREMIUM", "RESERVED")


def test_an_internal_address_is_the_first_free_one_of_its_subnetwork(make: Make, subnetwork: Document) -> None:
    body = {"addressType": "INTERNAL", "subnetwork": subnetwork["selfLink"]}
    found = [make("regions/europe-west4/addresses", {"name": name, **body})["address"] for name in ("a", "b")]
    assert found == ["10.1.0.2", "10.1.0.3"]


def test_an_address_that_is_taken_is_refused(admin: Caller, url: str, make: Make, subnetwork: Document) -> None:
    body = {"addressType": "INTERNAL", "subnetwork": subnetwork["selfLink"], "address": "10.1.0.9"}
    make("regions/europe-west4/addresses", {"name": "a", **body})
    status, answer = admin("POST", f"{url}/regions/europe-west4/addresses", {"name": "b", **body})
    assert (status, "already in use" in answer["error"]["message"]) == (400, True)


def test_a_peering_range_avoids_what_the_network_uses(make: Make, network: Document) -> None:
    make(
        "regions/europe-west4/subnetworks", {"name": "s", "network": network["selfLink"], "ipCidrRange": "10.0.0.0/16"}
    )
    body = {"addressType": "INTERNAL", "purpose": "VPC_PEERING", "network": network["selfLink"], "prefixLength": 16}
    assert make("global/addresses", {"name": "range", **body})["address"] == "10.1.0.0"


def test_labels_change_only_with_the_current_fingerprint(admin: Caller, url: str, make: Make) -> None:
    address = make("global/addresses", {"name": "a", "labels": {"team": "x"}})
    path = f"{url}/global/addresses/a"
    body = {"labels": {"team": "y"}, "labelFingerprint": address["labelFingerprint"]}
    assert admin("POST", f"{path}/setLabels", body)[0] == 200
    changed = admin("GET", path)[1]
    assert changed["labels"] == {"team": "y"}
    assert changed["labelFingerprint"] != address["labelFingerprint"]
    status, answer = admin("POST", f"{path}/setLabels", body)
    assert (status, "Labels fingerprint either invalid" in answer["error"]["message"]) == (412, True)


def test_an_endpoint_for_googles_apis_holds_its_address(admin: Caller, url: str, make: Make, network: Document) -> None:
    body = {"addressType": "INTERNAL", "purpose": "PRIVATE_SERVICE_CONNECT", "network": network["selfLink"]}
    address = make("global/addresses", {"name": "psc", "address": "10.255.0.1", **body})
    rule = make(
        "global/forwardingRules",
        {"name": "pscapis", "network": network["selfLink"], "IPAddress": address["selfLink"], "target": "vpc-sc"},
    )
    assert (rule["IPAddress"], rule["target"], rule["pscConnectionStatus"]) == ("10.255.0.1", "vpc-sc", "ACCEPTED")
    assert admin("GET", f"{url}/global/addresses/psc")[1]["status"] == "IN_USE"
    status, answer = admin("DELETE", f"{url}/global/addresses/psc")
    assert (status, answer["error"]["errors"][0]["reason"]) == (400, "resourceInUseByAnotherResource")
    admin("DELETE", f"{url}/global/forwardingRules/pscapis")
    assert admin("DELETE", f"{url}/global/addresses/psc")[0] == 200


def test_a_router_completes_its_gateways(make: Make, network: Document) -> None:
    nat = {
        "name": "n",
        "natIpAllocateOption": "AUTO_ONLY",
        "sourceSubnetworkIpRangesToNat": "ALL_SUBNETWORKS_ALL_IP_RANGES",
    }
    router = make("regions/europe-west4/routers", {"name": "r", "network": network["selfLink"], "nats": [nat]})
    assert router["nats"][0] == {
        **nat,
        "endpointTypes": ["ENDPOINT_TYPE_VM"],
        "enableEndpointIndependentMapping": False,
        "type": "PUBLIC",
        "autoNetworkTier": "PREMIUM",
    }


def test_a_service_project_is_attached_to_a_host_only(admin: Caller, url: str, project: str) -> None:
    body = {"projectId": "service-project", "parent": {"type": "organization", "id": "123456789012"}}
    admin("POST", "/cloudresourcemanager/v1/projects", body)
    admin("POST", "/serviceusage/v1/projects/service-project/services/compute.googleapis.com:enable")
    attach = {"xpnResource": {"id": "service-project", "type": "PROJECT"}}
    status, answer = admin("POST", f"{url}/enableXpnResource", attach)
    assert (status, "not a shared VPC host" in answer["error"]["message"]) == (400, True)
    assert admin("POST", f"{url}/enableXpnHost")[0] == 200
    assert admin("POST", f"{url}/enableXpnResource", attach)[0] == 200
    assert admin("GET", "/compute/v1/projects/service-project/getXpnHost")[1]["name"] == project
    assert admin("POST", f"{url}/disableXpnHost")[0] == 400
    assert admin("POST", f"{url}/disableXpnResource", attach)[0] == 200
    assert admin("GET", "/compute/v1/projects/service-project/getXpnHost")[1] == {}
    assert admin("POST", f"{url}/disableXpnHost")[0] == 200
