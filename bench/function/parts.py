"""The parts of the function's figures."""

from collections.abc import Callable
from typing import Any

from bench.function import litellm_proxy, measure, requests

PARTS: dict[str, Callable[[], Any]] = {
    "cpu": measure.cpu,
    "inFlight": measure.in_flight,
    "large": measure.large,
    "latency": measure.added_latency,
    "start": measure.start,
    "litellm": litellm_proxy.beside,
    "requests": requests.measure,
}


def measure_all() -> dict[str, Any]:
    """All parts, one after the other."""
    return {name: make() for name, make in PARTS.items()}
