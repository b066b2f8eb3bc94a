"""Who calls: the identity that Cloud Run checked before it let the request through, and no other.

The platform has verified the token and its signature (and on Google Cloud replaced the signature), so its claims are
read as they are. Headers that name somebody without a token are not looked at.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass

from generation.errors import Reason, failure
from generation.settings import Settings

DOMAIN = "domain:"
JWT_PARTS = 3
TOKENS = ("x-serverless-authorization", "authorization")
"""Where both are given, Cloud Run checks the first (docs.cloud.google.com/run/docs/authenticating, read 2026-08)."""


@dataclass(frozen=True, slots=True)
class Caller:
    """An identity; its e-mail is empty where the platform let somebody unknown through."""

    email: str = ""

    @property
    def domain(self) -> str:
        """What comes after the @."""
        return self.email.rpartition("@")[2]


NOBODY = Caller()


def caller_of(headers: Mapping[str, str]) -> Caller:
    """The identity of a request."""
    for name in TOKENS:
        value = headers.get(name)
        if value is not None:
            return Caller(_email(value.removeprefix("Bearer ").removeprefix("bearer ")))
    return Caller()


def authorise(caller: Caller, settings: Settings) -> None:
    """Let a caller through that the campaign knows.

    Raises:
        AccessDenied: CALLER_NOT_ALLOWED.
    """
    allowed = settings.callers
    if not allowed or caller.email == settings.service_account:
        return
    if caller.email and (caller.email in allowed or f"{DOMAIN}{caller.domain}" in allowed):
        return
    raise failure(
        Reason.CALLER_NOT_ALLOWED,
        f"{caller.email or 'A caller without an identity token'} is none of the campaign's callers",
        hint="Add the caller to function.callers of the campaign and deploy again: pulumi up",
    )


def _email(token: str) -> str:
    parts = token.split(".")
    if len(parts) != JWT_PARTS:
        return ""
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return ""
    if not isinstance(claims, dict) or claims.get("email_verified") is False:
        return ""
    email = claims.get("email")
    return email.lower() if isinstance(email, str) else ""
