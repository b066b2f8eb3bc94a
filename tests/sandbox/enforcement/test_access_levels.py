from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.enforcement.access_levels import Caller, meets

NETWORK = "//compute.googleapis.com/projects/p/global/networks/n"
LAPTOP = {
    "osType": "DESKTOP_LINUX",
    "osVersion": "6.10.2",
    "encryptionStatus": "ENCRYPTED",
    "managementLevel": "BASIC",
    "screenLock": True,
    "corpOwned": True,
}


def caller(**changes: Any) -> Caller:
    facts = {
        "member": "user:jo@example.com",
        "address": "198.51.100.7",
        "region": "CH",
        "device": LAPTOP,
        "moment": datetime(2026, 11, 21, 12, tzinfo=UTC),
        **changes,
    }
    return Caller(**facts)


def basic(*conditions: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "accessPolicies/1/accessLevels/l", "basic": {"conditions": list(conditions), **more}}


def custom(expression: str) -> dict[str, Any]:
    return {"name": "accessPolicies/1/accessLevels/l", "custom": {"expr": {"expression": expression}}}


MET: list[dict[str, Any]] = [
    {"ipSubnetworks": ["198.51.100.0/24"]},
    {"regions": ["CH", "DE"]},
    {"members": ["user:jo@example.com"]},
    {"devicePolicy": {"requireScreenlock": True, "requireCorpOwned": True}},
    {"devicePolicy": {"allowedEncryptionStatuses": ["ENCRYPTED"], "allowedDeviceManagementLevels": ["BASIC"]}},
    {"devicePolicy": {"osConstraints": [{"osType": "DESKTOP_LINUX", "minimumVersion": "6.9"}]}},
    {"regions": ["US"], "negate": True},
]
UNMET: list[dict[str, Any]] = [
    {"ipSubnetworks": ["203.0.113.0/24"]},
    {"regions": ["US"]},
    {"members": ["user:al@example.com"]},
    {"devicePolicy": {"requireAdminApproval": True}},
    {"devicePolicy": {"allowedEncryptionStatuses": ["UNENCRYPTED"]}},
    {"devicePolicy": {"allowedDeviceManagementLevels": ["COMPLETE"]}},
    {"devicePolicy": {"osConstraints": [{"osType": "DESKTOP_LINUX", "minimumVersion": "6.11"}]}},
    {"devicePolicy": {"osConstraints": [{"osType": "DESKTOP_MAC"}]}},
    {"vpcNetworkSources": [{"vpcSubnetwork": {"network": NETWORK}}]},
    {"requiredAccessLevels": ["accessPolicies/1/accessLevels/absent"]},
    {"ipSubnetworks": ["198.51.100.0/24"], "regions": ["US"]},
]


@pytest.mark.parametrize("condition", MET)
def test_a_fitting_caller_meets_the_condition(condition: dict[str, Any]) -> None:
    assert meets(basic(condition), {}, caller())


@pytest.mark.parametrize("condition", UNMET)
def test_a_caller_who_differs_in_one_respect_does_not(condition: dict[str, Any]) -> None:
    assert not meets(basic(condition), {}, caller())


def test_an_unknown_device_or_region_meets_nothing() -> None:
    assert not meets(basic({"devicePolicy": {"requireScreenlock": True}}), {}, caller(device=None))
    assert not meets(basic({"regions": ["CH"]}), {}, caller(region=""))


def test_conditions_join_with_and_unless_told_otherwise() -> None:
    assert not meets(basic(MET[0], UNMET[0]), {}, caller())
    assert meets(basic(MET[0], UNMET[0], combiningFunction="OR"), {}, caller())
    assert not meets(basic(), {}, caller())


def test_a_network_source_names_its_subnetworks() -> None:
    def source(block: str) -> dict[str, Any]:
        return {"vpcNetworkSources": [{"vpcSubnetwork": {"network": NETWORK, "vpcIpSubnetworks": [block]}}]}

    inside = caller(network=NETWORK, address="10.0.0.2")
    assert meets(basic(source("10.0.0.0/24")), {}, inside)
    assert not meets(basic(source("10.1.0.0/24")), {}, inside)


@pytest.mark.parametrize(
    ("expression", "met"),
    [
        ('origin.region_code in ["CH", "DE"]', True),
        ('inIpRange(origin.ip, ["203.0.113.0/24"])', False),
        ("device.encryption_status == DeviceEncryptionStatus.ENCRYPTED", True),
        ("device.os_type == OsType.DESKTOP_MAC", False),
        ('request.auth.principal == "user:jo@example.com" && request.time.getHours("UTC") < 18', True),
        ("levels.office", True),
        ("!levels.office || levels.nowhere", False),
        ("this is no expression", False),
    ],
)
def test_a_custom_level_is_its_expression(expression: str, met: bool) -> None:
    level, office = custom(expression), {**basic(MET[0]), "name": "accessPolicies/1/accessLevels/office"}
    assert meets(level, {level["name"]: level, office["name"]: office}, caller()) is met


def test_levels_that_require_each_other_are_met_by_nobody() -> None:
    one, two = "accessPolicies/1/accessLevels/one", "accessPolicies/1/accessLevels/two"
    levels: dict[str, dict[str, Any]] = {
        one: {"name": one, "basic": {"conditions": [{"requiredAccessLevels": [two]}]}},
        two: {"name": two, "custom": {"expr": {"expression": "levels.one"}}},
    }
    assert not meets(levels[one], levels, caller())
    assert not meets(levels[two], levels, caller())
