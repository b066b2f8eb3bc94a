"""From images a minute to instances, concurrency, addresses, queue rates and throughput units."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plantain.cost.forecast import Assumptions, units_for

if TYPE_CHECKING:
    from generation.models import Model

TARGET_LOAD = 0.85
"""The alert of a campaign fires at 85 % of its instances, so the plan stays at it."""
MEBIBYTES_PER_REQUEST = {"512": 20, "1K": 40, "2K": 90, "4K": 220}
"""Memory of a request in flight: answer in base64, image, stored body. An estimate; nothing has measured it."""
MEBIBYTES_OF_PROCESS = 300
MEMORY_STEPS_GIB = (1, 2, 4, 8, 16)
ADDRESSES_PER_INSTANCE = 2
RESERVED_ADDRESSES = 4
LONGEST_PREFIX = 26
ADDRESS_BITS = 32
MAX_INSTANCES = 100
NEW_PROJECT_LIMIT = 2
"""Images a minute that some new projects are held to, by a quota its page does not list (threads of July 2026)."""
FLEX_LIMIT = 3000
"""Flex requests a minute, project and base model (Google's page on Flex pay-as-you-go, copy of 2026-08-22)."""


@dataclass(frozen=True)
class Plan:
    """A size that carries a rate of images.

    Attributes:
        in_flight: requests at once, by Little's law.
        concurrency: requests of an instance.
        instances: at the target load.
        memory_gib: of an instance.
        prefix: length of the subnet's prefix.
        dispatches_per_second: of the queue.
        units: throughput units; None where they are not sold for the model.
        window_seconds: over which they are averaged.
        road: online, queue, batch, flex or provisioned, and why.
        warnings: what the plan runs into.
    """

    in_flight: int
    concurrency: int
    instances: int
    memory_gib: int
    prefix: int
    dispatches_per_second: float
    units: int | None
    window_seconds: int | None
    road: str
    warnings: tuple[str, ...]


def plan(
    model: Model,
    *,
    size: str,
    per_minute: float,
    concurrency: int,
    assumed: Assumptions,
    wait_minutes: float = 0,
) -> Plan:
    """The size for a rate of images a minute, when an instance works on ``concurrency`` requests at once.

    ``wait_minutes`` is how long an image may be waited for; 0 for somebody who looks at a screen.
    """
    in_flight = math.ceil(per_minute * assumed.seconds / 60)
    instances = max(2, math.ceil(in_flight / concurrency / TARGET_LOAD))
    memory = memory_gib(size, concurrency)
    needed = instances * ADDRESSES_PER_INSTANCE + RESERVED_ADDRESSES
    prefix = min(LONGEST_PREFIX, ADDRESS_BITS - (needed - 1).bit_length())
    units = units_for(model, size, per_minute, assumed)
    window = model.throughput.window_seconds(units) if model.throughput and units else None
    return Plan(
        in_flight,
        concurrency,
        instances,
        memory,
        prefix,
        round(per_minute / 60, 3),
        units,
        window,
        road(model, size, per_minute, wait_minutes),
        tuple(_warnings(instances, memory, per_minute)),
    )


def memory_gib(size: str, concurrency: int) -> int:
    """Memory of an instance that holds ``concurrency`` answers at once."""
    needed = (MEBIBYTES_OF_PROCESS + concurrency * MEBIBYTES_PER_REQUEST[size]) / 1024
    return next((step for step in MEMORY_STEPS_GIB if step >= needed), MEMORY_STEPS_GIB[-1])


def road(model: Model, size: str, per_minute: float, wait_minutes: float) -> str:
    """Which of the five roads fits, with its reason."""
    day = 24 * 60
    batchable = model.batch is not None and size in model.batch.sizes
    if wait_minutes >= day and batchable:
        return "batch: a day may pass, which halves the price (plantain batch)"
    if wait_minutes >= 10 and model.flex and per_minute <= FLEX_LIMIT:  # noqa: PLR2004 -- flex answers within ten minutes
        return 'flex: minutes may pass, which halves the price ("capacity": "flex")'
    if wait_minutes >= 1:
        return "queue: a minute may pass, so peaks are spread instead of refused"
    if per_minute > NEW_PROJECT_LIMIT * 10:
        return "online, with provisioned throughput for the steady part: pay-as-you-go promises no capacity"
    return "online: pay as you go"


def _warnings(instances: int, memory: int, per_minute: float) -> list[str]:
    found = []
    if instances > MAX_INSTANCES:
        found.append(
            f"{instances} instances are more than function.maxInstances takes ({MAX_INSTANCES}); use the queue"
        )
    if memory == MEMORY_STEPS_GIB[-1]:
        found.append("an instance is at the largest memory: lower the concurrency")
    if per_minute > NEW_PROJECT_LIMIT:
        found.append(
            f"some new projects are held to {NEW_PROJECT_LIMIT} images a minute by a quota; plantain doctor reads it"
        )
    return found
