"""Addresses: an instance takes two, and Cloud Run holds those of instances that ended for an hour and more."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from plantain.doctor.finding import Check, Finding
from plantain.doctor.patient import Patient

PER_INSTANCE = 2
RESERVED = 4
COMFORT = 4
"""Twice the addresses of an instance, so that a new revision can start while the old one's are held; our own choice."""


def run(patient: Patient) -> Iterator[Finding]:
    """Each campaign's range against its instances."""
    for campaign in patient.campaigns:
        network = ipaddress.IPv4Network(campaign.network.ip_range)
        instances = campaign.function.max_instances
        free = network.num_addresses - RESERVED
        if free < instances * PER_INSTANCE:
            yield CHECK.error(
                f"campaign {campaign.name}: {free} free addresses in {network}, "
                f"{instances} instances take {instances * PER_INSTANCE}",
                "the last instances do not start",
                f"set network.ipRange to a larger range, or function.maxInstances to {free // PER_INSTANCE}",
            )
        elif free < instances * COMFORT:
            prefix = 32 - (instances * COMFORT + RESERVED - 1).bit_length()
            yield CHECK.warning(
                f"campaign {campaign.name}: {free} free addresses in {network} for {instances} instances",
                "a new revision may wait for addresses of the old one, which are held for more than an hour",
                f"set network.ipRange to /{prefix} before the first update",
            )
        else:
            yield CHECK.ok(f"campaign {campaign.name}: {free} free addresses for {instances} instances")


CHECK = Check(
    name="subnets",
    title="Are there addresses for all instances?",
    reads="network.ipRange and function.maxInstances of each campaign file",
    why="A subnet that is full refuses new instances without a word in the function's log.",
    run=run,
)
