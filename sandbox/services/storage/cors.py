"""Cross-origin requests to objects by their path, as a bucket's ``cors`` rules allow them.

The JSON API answers browsers of any origin, so the rules are for plain paths and signed URLs alone. No permission is
asked: browsers send a preflight without credentials.
Source: https://docs.cloud.google.com/storage/docs/cross-origin (read 2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sandbox.call import Reply

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

DEFAULT_MAX_AGE = 3600
ASKED_METHOD, ASKED_HEADERS = "access-control-request-method", "access-control-request-headers"


def preflight(cloud: Cloud, bucket: str, headers: Mapping[str, str]) -> Reply:
    """What a browser asks before it sends the request itself; 200 without a word on access where no rule fits."""
    asked = [name.strip().lower() for name in headers.get(ASKED_HEADERS, "").split(",") if name.strip()]
    rule = fitting(cloud, bucket, headers.get("origin", ""), headers.get(ASKED_METHOD, ""), asked)
    if rule is None:
        return Reply(media_type="text/html; charset=UTF-8")
    found = {
        "Access-Control-Allow-Origin": allowed_origin(rule, headers["origin"]),
        "Access-Control-Allow-Methods": ",".join(rule["method"]),
        "Access-Control-Max-Age": str(rule.get("maxAgeSeconds", DEFAULT_MAX_AGE)),
        "Vary": "Origin",
    }
    if asked:
        found["Access-Control-Allow-Headers"] = ",".join(asked)
    return Reply(media_type="text/html; charset=UTF-8", headers=found)


def exposed(cloud: Cloud, bucket: str, verb: str, headers: Mapping[str, str]) -> dict[str, str]:
    """Headers of an answer, by which a browser shows it to the page that asked; none where no rule fits."""
    rule = fitting(cloud, bucket, headers.get("origin", ""), verb, ())
    if rule is None:
        return {}
    shown = ", ".join(rule.get("responseHeader", ()))
    return {
        "Access-Control-Allow-Origin": allowed_origin(rule, headers["origin"]),
        **({"Access-Control-Expose-Headers": shown} if shown else {}),
        "Vary": "Origin",
    }


def fitting(
    cloud: Cloud, bucket: str, origin: str, verb: str, asked: list[str] | tuple[str, ...]
) -> Mapping[str, Any] | None:
    """The first rule of a bucket that allows a method, with these request headers, to pages of an origin."""
    if not origin:
        return None
    for rule in (cloud.store.get("storage.buckets", f"b/{bucket}") or {}).get("cors", ()):
        named = {name.lower() for name in rule.get("responseHeader", ())}
        if (
            {origin, "*"} & set(rule.get("origin", ()))
            and {verb, "*"} & set(rule.get("method", ()))
            and ("*" in named or set(asked) <= named)
        ):
            return dict(rule)
    return None


def allowed_origin(rule: Mapping[str, Any], origin: str) -> str:
    """A star where every origin is allowed, else the one that asks."""
    return "*" if "*" in rule["origin"] else origin
