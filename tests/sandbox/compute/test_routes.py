from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import Caller

from .conftest import Make

Document = dict[str, Any]


def found(admin: Caller, url: str, text: str) -> list[str]:
    status, body = admin("GET", f"{url}/global/routes", params={"filter": text})
    assert status == 200, body
    return [route["destRange"] for route in body.get("items", [])]


def test_a_network_comes_with_a_way_to_the_internet_that_can_be_deleted(
    admin: Caller, url: str, network: Document
) -> None:
    # As the provider does it for deleteDefaultRoutesOnCreate.
    text = f'(network="{network["selfLink"]}") AND (destRange="0.0.0.0/0")'
    status, body = admin("GET", f"{url}/global/routes", params={"filter": text})
    assert status == 200
    (route,) = body["items"]
    assert route["nextHopGateway"].endswith("/global/gateways/default-internet-gateway")
    assert route["priority"] == 1000
    assert admin("DELETE", f"{url}/global/routes/{route['name']}")[0] == 200
    assert found(admin, url, text) == []


def test_a_filter_compares_links_whatever_their_version(admin: Caller, project: str, network: Document) -> None:
    text = f'network="{network["selfLink"].replace("/v1/", "/beta/")}"'
    body = admin("GET", f"/compute/beta/projects/{project}/global/routes", params={"filter": text})[1]
    assert len(body["items"]) == 1
    assert body["items"][0]["network"].startswith("https://www.googleapis.com/compute/beta/")


def test_the_older_notation_of_filters_works(admin: Caller, url: str, network: Document) -> None:
    assert found(admin, url, f"network eq {network['selfLink']}") == ["0.0.0.0/0"]
    assert found(admin, url, f"network ne {network['selfLink']}") == []
    assert found(admin, url, "name eq default-route-.*") == ["0.0.0.0/0"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("priority < 500", ["10.1.0.0/24"]),
        ("priority >= 500", ["0.0.0.0/0"]),
        ("priority < 500 OR priority > 900", ["0.0.0.0/0", "10.1.0.0/24"]),
        ("NOT priority < 500", ["0.0.0.0/0"]),
        ('destRange != "0.0.0.0/0"', ["10.1.0.0/24"]),
        ('(destRange = "10.*")', ["10.1.0.0/24"]),
        ("nextHopGateway:*", ["0.0.0.0/0"]),
        ("description:subnetwork", ["10.1.0.0/24"]),
    ],
)
def test_filters_select(admin: Caller, url: str, subnetwork: Document, text: str, expected: list[str]) -> None:
    del subnetwork
    assert sorted(found(admin, url, text)) == expected


@pytest.mark.parametrize("text", ["priority <", "(a = b", "= 3", "a ="])
def test_a_filter_that_cannot_be_read_is_400(admin: Caller, url: str, network: Document, text: str) -> None:
    del network
    status, body = admin("GET", f"{url}/global/routes", params={"filter": text})
    assert status == 400
    assert "Invalid list filter expression" in body["error"]["message"]


def test_a_subnetworks_route_lives_as_long_as_it(admin: Caller, url: str, subnetwork: Document) -> None:
    text = f'destRange="{subnetwork["ipCidrRange"]}"'
    body = admin("GET", f"{url}/global/routes", params={"filter": text})[1]
    status, answer = admin("DELETE", f"{url}/global/routes/{body['items'][0]['name']}")
    assert (status, answer["error"]["message"]) == (400, "The local route cannot be deleted.")
    admin("DELETE", f"{url}/regions/europe-west4/subnetworks/sub")
    assert found(admin, url, text) == []


def test_a_static_route_needs_one_next_hop(admin: Caller, url: str, make: Make, network: Document) -> None:
    body = {"name": "r", "network": network["selfLink"], "destRange": "199.36.153.4/30"}
    status, answer = admin("POST", f"{url}/global/routes", body)
    assert (status, "Exactly one next hop" in answer["error"]["message"]) == (400, True)
    route = make("global/routes", {**body, "nextHopGateway": "default-internet-gateway"})
    gateway = "https://www.googleapis.com/compute/v1/projects/test-project/global/gateways/default-internet-gateway"
    assert (route["nextHopGateway"], route["priority"]) == (gateway, 1000)
    status, answer = admin("DELETE", f"{url}/global/networks/net")
    assert (status, "global/routes/r" in answer["error"]["message"]) == (400, True)
