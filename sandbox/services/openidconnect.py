"""Google's identity endpoints: who am I, and a new access token for a refresh token."""

from __future__ import annotations

import hashlib
from typing import Any

from sandbox.call import Call
from sandbox.errors import InvalidArgument
from sandbox.services.registry import Service

#: Client id of application-default credentials; Cloud Run accepts identity tokens made out to it.
APPLICATION_DEFAULT_CLIENT = "764086051850-6qr4p6gpi6hn506pt8ejuq83di341hur.apps.googleusercontent.com"


def userinfo(call: Call) -> dict[str, Any]:
    """Subject and address of the caller."""
    subject = str(int(hashlib.sha256(call.principal.member.encode()).hexdigest()[:17], 16))
    domain = call.principal.email.partition("@")[2]
    return {"sub": subject, "email": call.principal.email, "email_verified": True, "hd": domain}


def exchange(call: Call) -> dict[str, Any]:
    """Access and identity token for a refresh token.

    Raises:
        InvalidArgument: another grant, or a refresh token that was not issued here.
    """
    if call.body.get("grant_type") != "refresh_token":
        raise InvalidArgument(
            f"unsupported_grant_type: {call.body.get('grant_type')}. The sandbox takes refresh_token."
        )
    principal = call.cloud.tokens.principal(call.body.get("refresh_token", ""))
    if principal is None:
        raise InvalidArgument("invalid_grant: the refresh token is unknown or expired.")
    lifetime = call.cloud.settings.access_token_lifetime
    audience = call.body.get("client_id", APPLICATION_DEFAULT_CLIENT)
    return {
        "access_token": call.cloud.tokens.access_token(principal, lifetime),
        "expires_in": lifetime,
        "scope": "openid https://www.googleapis.com/auth/cloud-platform https://www.googleapis.com/auth/userinfo.email",
        "token_type": "Bearer",
        "id_token": call.cloud.tokens.identity_token(principal, audience, lifetime),
    }


OAUTH2 = Service(
    name="oauth2",
    title="Google OAuth 2.0",
    handlers={"oauth2.token.exchange": exchange, "oauth2.userinfo.get": userinfo},
)
SERVICE = Service(
    name="openidconnect",
    title="OpenID Connect",
    handlers={"openidconnect.userinfo.get": userinfo},
)
