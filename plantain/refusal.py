"""What an API that refused said of it, in Google's error envelope."""

from __future__ import annotations

import httpx

from plantain.errors import GoogleCloudError


def refusal(reply: httpx.Response, service: str, path: str) -> GoogleCloudError:
    """What Google's error envelope says; where there is none, what the page says.

    Source: https://cloud.google.com/apis/design/errors (read 2026-11).
    """
    try:
        error = reply.json()["error"]
        message, status = str(error.get("message", "")), str(error.get("status", ""))
        details = [detail for detail in error.get("details", ()) if isinstance(detail, dict)]
        listed = [entry for entry in error.get("errors", ()) if isinstance(entry, dict)]
    except (ValueError, KeyError, TypeError, AttributeError):
        return GoogleCloudError(reply.status_code, "", reply.text.strip()[:300] or "no explanation", service, path)
    reason = next((str(detail["reason"]) for detail in details if detail.get("reason")), "")
    barred = any(
        violation.get("type") == "VPC_SERVICE_CONTROLS"
        for detail in details
        for violation in detail.get("violations", ())
    )
    if barred:
        reason = "VPC_SERVICE_CONTROLS"
    reason = reason or status or next((str(entry["reason"]) for entry in listed if entry.get("reason")), "")
    return GoogleCloudError(reply.status_code, reason, message or "no explanation", service, path)
