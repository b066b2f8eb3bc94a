"""Ranges of addresses, and whether they leave anybody out."""

import ipaddress
from collections.abc import Iterable
from typing import Any

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

WORLDS: tuple[Network, ...] = (ipaddress.IPv4Network("0.0.0.0/0"), ipaddress.IPv6Network("2000::/3"))
"""All of IPv4, and what of IPv6 is used between networks (RFC 4291, 2.4)."""
PARTS = 2
"""Ranges are everywhere from one part in so many: 0.0.0.0/1 and 128.0.0.0/1 are two names of 0.0.0.0/0."""


def everywhere(values: Iterable[object]) -> bool:
    """Whether ranges together hold half of all addresses or more, however they are cut."""
    networks = [found for found in map(_network, values) if found is not None]
    return any(_held(world, networks) * PARTS >= world.num_addresses for world in WORLDS)


def _network(value: object) -> Network | None:
    try:
        return ipaddress.ip_network(str(value).strip(), strict=False)
    except ValueError:
        return None


def _held(world: Network, networks: Iterable[Network]) -> int:
    """How many addresses of a world some ranges hold, each counted once."""
    own: list[Any] = [network for network in networks if network.version == world.version]
    held: list[Network] = list(ipaddress.collapse_addresses(own))
    return sum(min(world.num_addresses, network.num_addresses) for network in held if _meets(world, network))


def _meets(world: Any, network: Any) -> bool:
    return bool(world.overlaps(network))
