from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import Caller

from .conftest import Make

Document = dict[str, Any]
REGION = "regions/europe-west4/subnetworks"


def test_a_subnetwork_has_googles_defaults(subnetwork: Document) -> None:
    expected = {
        "kind": "compute#subnetwork",
        "gatewayAddress": "10.1.0.1",
        "privateIpGoogleAccess": False,
        "privateIpv6GoogleAccess": "DISABLE_GOOGLE_ACCESS",
        "purpose": "PRIVATE",
        "stackType": "IPV4_ONLY",
        "state": "READY",
    }
    assert {key: subnetwork[key] for key in expected} == expected
    assert subnetwork["region"].endswith("/regions/europe-west4")


def test_a_stale_fingerprint_is_412_and_the_current_one_passes(admin: Caller, url: str, subnetwork: Document) -> None:
    body = {"logConfig": {"enable": True}, "fingerprint": subnetwork["fingerprint"]}
    assert admin("PATCH", f"{url}/{REGION}/sub", body)[0] == 200
    status, answer = admin("PATCH", f"{url}/{REGION}/sub", {**body, "logConfig": {"enable": False}})
    assert status == 412
    assert answer["error"]["errors"][0]["reason"] == "conditionNotMet"
    assert "fingerprint does not match" in answer["error"]["message"]


def test_a_range_expands_but_never_shrinks(admin: Caller, url: str, subnetwork: Document) -> None:
    path = f"{url}/{REGION}/sub/expandIpCidrRange"
    status, answer = admin("POST", path, {"ipCidrRange": "10.1.0.0/25"})
    assert (status, "must contain the current one" in answer["error"]["message"]) == (400, True)
    assert admin("POST", path, {"ipCidrRange": "10.1.0.0/20"})[0] == 200
    found = admin("GET", f"{url}/{REGION}/sub")[1]
    assert found["ipCidrRange"] == "10.1.0.0/20"
    assert found["fingerprint"] != subnetwork["fingerprint"]
    ranges = {route["destRange"] for route in admin("GET", f"{url}/global/routes")[1]["items"]}
    assert ranges == {"0.0.0.0/0", "10.1.0.0/20"}


def test_overlapping_ranges_in_one_network_are_refused(admin: Caller, url: str, subnetwork: Document) -> None:
    body = {"name": "other", "network": subnetwork["network"], "ipCidrRange": "10.1.0.128/25"}
    status, answer = admin("POST", f"{url}/regions/us-east1/subnetworks", body)
    assert status == 400
    assert "10.1.0.128/25 conflicts with existing subnetwork 'sub'" in answer["error"]["message"]


def test_the_same_range_in_another_network_is_fine(make: Make, subnetwork: Document) -> None:
    other = make("global/networks", {"name": "other", "autoCreateSubnetworks": False})
    body = {"name": "same", "network": other["selfLink"], "ipCidrRange": subnetwork["ipCidrRange"]}
    assert make(REGION, body)["ipCidrRange"] == "10.1.0.0/24"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"ipCidrRange": "10.1.0.5/24"}, "valid CIDR"),
        ({"ipCidrRange": "10.1.0.0/30"}, "/29 or shorter"),
        ({"network": "global/networks/nowhere"}, "cannot be found"),
        ({"network": ""}, "network must be given"),
    ],
)
def test_what_cannot_be_a_subnetwork_is_refused(
    admin: Caller, url: str, network: Document, change: Document, reason: str
) -> None:
    body = {"name": "bad", "network": network["selfLink"], "ipCidrRange": "10.9.0.0/24", **change}
    status, answer = admin("POST", f"{url}/{REGION}", body)
    assert status == 400
    assert reason in answer["error"]["message"]


def test_an_unknown_region_is_refused(admin: Caller, url: str, network: Document) -> None:
    body = {"name": "bad", "network": network["selfLink"], "ipCidrRange": "10.9.0.0/24"}
    status, answer = admin("POST", f"{url}/regions/moon-west1/subnetworks", body)
    assert (status, "region does not exist" in answer["error"]["message"]) == (400, True)


def test_all_regions_together_are_listed_by_scope(admin: Caller, url: str, subnetwork: Document) -> None:
    items = admin("GET", f"{url}/aggregated/subnetworks")[1]["items"]
    assert list(items) == ["regions/europe-west4"]
    assert items["regions/europe-west4"]["subnetworks"][0]["id"] == subnetwork["id"]


def test_a_policy_on_a_subnetwork_lets_in_who_it_names(admin: Caller, url: str, subnetwork: Document) -> None:
    policy = {"bindings": [{"role": "roles/compute.networkUser", "members": ["user:jo@example.com"]}]}
    status, answer = admin("POST", f"{url}/{REGION}/sub/setIamPolicy", {"policy": policy})
    assert (status, answer["bindings"]) == (200, policy["bindings"])
    assert admin("GET", f"{url}/{REGION}/sub/getIamPolicy")[1] == answer
    asked = {"permissions": ["compute.subnetworks.use"]}
    assert admin("POST", f"{url}/{REGION}/sub/testIamPermissions", asked)[1] == asked
    assert admin("GET", f"{url}/{REGION}/gone/getIamPolicy")[0] == 404
    del subnetwork


def test_regions_and_zones_are_the_real_ones(admin: Caller, url: str) -> None:
    region = admin("GET", f"{url}/regions/us-central1")[1]
    assert [zone.rpartition("-")[2] for zone in region["zones"]] == ["a", "b", "c", "f"]
    assert admin("GET", f"{url}/zones/us-east1-b")[1]["region"].endswith("/regions/us-east1")
    assert admin("GET", f"{url}/zones/us-east1-a")[0] == 404
    assert admin("GET", f"{url}/regions/moon-west1")[0] == 404
    assert len(admin("GET", f"{url}/regions")[1]["items"]) > 40


def test_flow_logs_that_are_on_or_were_are_told_in_both_fields(admin: Caller, url: str, subnetwork: Document) -> None:
    assert "enableFlowLogs" not in subnetwork
    path = f"{url}/{REGION}/sub"

    def patched(**body: Any) -> tuple[Any, Any]:
        found = admin("GET", path)[1]
        assert admin("PATCH", path, {**body, "fingerprint": found["fingerprint"]})[0] == 200
        found = admin("GET", path)[1]
        return found.get("enableFlowLogs"), found.get("logConfig", {}).get("enable")

    assert patched(logConfig={"enable": True}) == (True, True)
    assert patched(logConfig={"enable": False}) == (False, False)
    assert patched(enableFlowLogs=True) == (True, True)
