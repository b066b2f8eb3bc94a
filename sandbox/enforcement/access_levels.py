"""Access levels: whether a request context meets the conditions of Access Context Manager."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

Document = dict[str, Any]


def meets(level: Document, levels: Mapping[str, Document], *, member: str, address: str) -> bool:
    """Whether a caller meets a basic access level.

    Args:
        level: an ``AccessLevel`` document.
        levels: all levels by name, for ``requiredAccessLevels``.
        member: the caller's IAM member string.
        address: the caller's IP address.

    A condition on devices, regions or VPC networks is never met: the sandbox knows none of them. A custom (CEL) level
    is never met either. Both fail closed.
    """
    basic = level.get("basic", {})
    met = [_condition(c, levels, member, address) != bool(c.get("negate")) for c in basic.get("conditions", [])]
    if not met:
        return False
    return any(met) if basic.get("combiningFunction") == "OR" else all(met)


def _condition(condition: Document, levels: Mapping[str, Document], member: str, address: str) -> bool:
    if any(condition.get(key) for key in ("devicePolicy", "regions", "vpcNetworkSources")):
        return False
    if (networks := condition.get("ipSubnetworks")) and not any(
        ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False) for network in networks
    ):
        return False
    if (members := condition.get("members")) and member not in members:
        return False
    return all(
        name in levels and meets(levels[name], levels, member=member, address=address)
        for name in condition.get("requiredAccessLevels", [])
    )
