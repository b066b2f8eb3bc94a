"""Who am I: the userinfo endpoints, which the Google provider asks when it starts."""

from __future__ import annotations

import hashlib
from typing import Any

from sandbox.call import Call
from sandbox.services.registry import Service


def userinfo(call: Call) -> dict[str, Any]:
    """Subject and address of the caller."""
    subject = str(int(hashlib.sha256(call.principal.member.encode()).hexdigest()[:17], 16))
    domain = call.principal.email.partition("@")[2]
    return {"sub": subject, "email": call.principal.email, "email_verified": True, "hd": domain}


SERVICE = Service(
    name="openidconnect",
    title="OpenID Connect",
    handlers={"openidconnect.userinfo.get": userinfo, "oauth2.userinfo.get": userinfo},
)
