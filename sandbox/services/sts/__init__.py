"""Security Token Service: tokens of other identity providers become Google's."""

from __future__ import annotations

from typing import Any

from sandbox.errors import ApiError
from sandbox.services.registry import Service
from sandbox.services.sts import exchange


def envelope(error: ApiError) -> dict[str, Any]:
    """Failures of an exchange in OAuth's shape; others in the usual one."""
    if isinstance(error, exchange.ExchangeRefused):
        return {"error": error.reason, "error_description": error.message}
    return error.envelope()


SERVICE = Service(
    name="sts",
    title="Security Token Service API",
    handlers={"sts.token": exchange.token},
    consumer=exchange.consumer,
    envelope=envelope,
)
