"""Access levels: whether a request's context meets the conditions of Access Context Manager.

Source: https://docs.cloud.google.com/access-context-manager/docs/access-level-attributes (read 2026-08).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Document = dict[str, Any]

LEVEL_NAME = re.compile(r"\blevels\.(\w+)")


@dataclass(frozen=True, slots=True)
class Caller:
    """What access levels may ask about a request.

    Attributes:
        member: IAM member string.
        address: the caller's IP address.
        region: ISO 3166-1 alpha-2 code of the country it calls from; empty when unknown.
        device: what endpoint verification knows of the device, with the API's ``DevicePolicy`` words:
            ``osType``, ``osVersion``, ``encryptionStatus``, ``managementLevel``, ``screenLock``, ``adminApproved``,
            ``corpOwned``. None: an unknown device.
        network: ``//compute.googleapis.com/projects/<id>/global/networks/<name>``, None outside.
        moment: when.
    """

    member: str
    address: str
    region: str = ""
    device: Mapping[str, Any] | None = None
    network: str | None = None
    moment: datetime = field(default_factory=lambda: datetime.now(UTC))


def meets(level: Document, levels: Mapping[str, Document], caller: Caller) -> bool:
    """Whether a caller meets an access level.

    Args:
        level: an ``AccessLevel`` document.
        levels: all levels by full name, for ``requiredAccessLevels`` and ``levels.<name>``.
        caller: who asks, from where.

    What is not known of the caller is not met: a region without a code, a device without facts, an expression that
    cannot be evaluated.
    """
    return _meets(level, levels, caller, frozenset())


def _meets(level: Document, levels: Mapping[str, Document], caller: Caller, visited: frozenset[str]) -> bool:
    name = level.get("name", "")
    if name and name in visited:  # levels that require each other are met by nobody
        return False
    visited |= {name}
    if expression := level.get("custom", {}).get("expr", {}).get("expression"):
        from sandbox.enforcement.expressions import holds  # noqa: PLC0415 -- its import takes a third of a second

        return holds(expression, variables(expression, levels, caller, visited))
    basic = level.get("basic", {})
    met = [_condition(c, levels, caller, visited) != bool(c.get("negate")) for c in basic.get("conditions", [])]
    if not met:
        return False
    return any(met) if basic.get("combiningFunction") == "OR" else all(met)


def _condition(condition: Document, levels: Mapping[str, Document], caller: Caller, visited: frozenset[str]) -> bool:
    if (networks := condition.get("ipSubnetworks")) and not within(caller.address, networks):
        return False
    if (regions := condition.get("regions")) and caller.region not in regions:
        return False
    if (members := condition.get("members")) and caller.member not in members:
        return False
    if (policy := condition.get("devicePolicy")) and not complies(policy, caller.device):
        return False
    if (sources := condition.get("vpcNetworkSources")) and not any(_from(source, caller) for source in sources):
        return False
    return all(
        name in levels and _meets(levels[name], levels, caller, visited)
        for name in condition.get("requiredAccessLevels", [])
    )


def within(address: str, networks: list[str]) -> bool:
    """Whether an address lies in one of the CIDR blocks."""
    return any(ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False) for network in networks)


def _from(source: Document, caller: Caller) -> bool:
    wanted = source.get("vpcSubnetwork", {})
    if not caller.network or wanted.get("network") != caller.network:
        return False
    subnetworks = wanted.get("vpcIpSubnetworks", [])
    return not subnetworks or within(caller.address, subnetworks)


def complies(policy: Document, device: Mapping[str, Any] | None) -> bool:
    """Whether a device fulfils a ``DevicePolicy``."""
    if device is None:
        return False
    if policy.get("requireScreenlock") and not device.get("screenLock"):
        return False
    if policy.get("requireAdminApproval") and not device.get("adminApproved"):
        return False
    if policy.get("requireCorpOwned") and not device.get("corpOwned"):
        return False
    if (admitted := policy.get("allowedEncryptionStatuses")) and device.get("encryptionStatus") not in admitted:
        return False
    if (admitted := policy.get("allowedDeviceManagementLevels")) and device.get("managementLevel") not in admitted:
        return False
    constraints = policy.get("osConstraints", [])
    return not constraints or any(_system(constraint, device) for constraint in constraints)


def _system(constraint: Document, device: Mapping[str, Any]) -> bool:
    if constraint.get("osType") != device.get("osType"):
        return False
    if constraint.get("requireVerifiedChromeOs") and not device.get("verifiedChromeOs"):
        return False
    least = constraint.get("minimumVersion")
    return not least or numbers(str(device.get("osVersion", "0"))) >= numbers(least)


def numbers(version: str) -> tuple[int, ...]:
    """``10.15.2`` as numbers that compare."""
    return tuple(int(piece) if piece.isdigit() else 0 for piece in version.split("."))


#: Names of a device's facts in custom levels: enumerations are those of the API, as
#: ``device.encryption_status == DeviceEncryptionStatus.ENCRYPTED``.
DEVICE_NAMES = {
    "osType": "os_type",
    "osVersion": "os_version",
    "encryptionStatus": "encryption_status",
    "managementLevel": "management_level",
    "screenLock": "is_secured_with_screenlock",
    "adminApproved": "is_admin_approved_device",
    "corpOwned": "is_corp_owned_device",
    "verifiedChromeOs": "verified_chrome_os",
}
ENUMERATIONS = {
    "OsType": ("DESKTOP_MAC", "DESKTOP_WINDOWS", "DESKTOP_LINUX", "DESKTOP_CHROME_OS", "ANDROID", "IOS"),
    "DeviceEncryptionStatus": ("ENCRYPTION_UNSUPPORTED", "UNENCRYPTED", "ENCRYPTED"),
    "DeviceManagementLevel": ("NONE", "BASIC", "COMPLETE"),
}


def variables(
    expression: str, levels: Mapping[str, Document], caller: Caller, visited: frozenset[str]
) -> dict[str, Any]:
    """What a custom level's expression may name."""
    named = set(LEVEL_NAME.findall(expression))
    device = {DEVICE_NAMES[key]: value for key, value in (caller.device or {}).items() if key in DEVICE_NAMES}
    others = {
        name.rpartition("/")[2]: _meets(level, levels, caller, visited)
        for name, level in levels.items()
        if name.rpartition("/")[2] in named
    }
    return {
        "origin": {"ip": caller.address, "region_code": caller.region},
        "request": {"auth": {"principal": caller.member}, "time": caller.moment},
        "device": device,
        "levels": others,
        **{name: {value: value for value in values} for name, values in ENUMERATIONS.items()},
    }
