"""Google's identity endpoints: who am I, and an access token for a refresh token or a key's signature."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from sandbox.call import Call, Principal
from sandbox.errors import InvalidArgument
from sandbox.hierarchy import ACCOUNTS
from sandbox.services.registry import Service

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"

#: Client id of application-default credentials; Cloud Run accepts identity tokens made out to it.
APPLICATION_DEFAULT_CLIENT = "764086051850-6qr4p6gpi6hn506pt8ejuq83di341hur.apps.googleusercontent.com"
SCOPES = "openid https://www.googleapis.com/auth/cloud-platform https://www.googleapis.com/auth/userinfo.email"


def subject(principal: Principal) -> str:
    """Google's number for somebody."""
    return str(int(hashlib.sha256(principal.member.encode()).hexdigest()[:17], 16))


def userinfo(call: Call) -> dict[str, Any]:
    """Subject and address of the caller."""
    domain = call.principal.email.partition("@")[2]
    return {"sub": subject(call.principal), "email": call.principal.email, "email_verified": True, "hd": domain}


def exchange(call: Call) -> dict[str, Any]:
    """Access and identity token for a refresh token, or for an assertion that a service account's key signed.

    Raises:
        InvalidArgument: another grant, a refresh token that was not issued here, a key that was not, or no longer is.
    """
    if call.body.get("grant_type") == JWT_BEARER:
        return by_key(call)
    if call.body.get("grant_type") != "refresh_token":
        raise InvalidArgument(
            f"unsupported_grant_type: {call.body.get('grant_type')}. The sandbox takes refresh_token and {JWT_BEARER}."
        )
    principal = call.cloud.tokens.principal(call.body.get("refresh_token", ""))
    if principal is None:
        raise InvalidArgument("invalid_grant: the refresh token is unknown or expired.")
    lifetime = call.cloud.settings.access_token_lifetime
    audience = call.body.get("client_id", APPLICATION_DEFAULT_CLIENT)
    return {
        "access_token": call.cloud.tokens.access_token(principal, lifetime),
        "expires_in": lifetime,
        "scope": SCOPES,
        "token_type": "Bearer",
        "id_token": call.cloud.tokens.identity_token(principal, audience, lifetime),
    }


def by_key(call: Call) -> dict[str, Any]:
    """A token for an assertion: an access token, or an identity token when it names a ``target_audience``."""
    claims = key_claims(call.cloud, call.body.get("assertion", ""))
    if claims is None:
        raise InvalidArgument("invalid_grant: Invalid JWT Signature.")
    if float(claims.get("exp", 0)) <= call.cloud.clock.now().timestamp():
        raise InvalidArgument(
            "invalid_grant: Invalid JWT: Token must be a short-lived token and in a reasonable timeframe."
        )
    principal = Principal(f"serviceAccount:{claims['iss']}")
    lifetime = call.cloud.settings.access_token_lifetime
    if audience := claims.get("target_audience"):
        return {"id_token": call.cloud.tokens.identity_token(principal, audience, lifetime)}
    token = call.cloud.tokens.access_token(principal, lifetime)
    return {"access_token": token, "expires_in": lifetime, "token_type": "Bearer"}


def key_claims(cloud: Cloud, token: str) -> dict[str, Any] | None:
    """The claims of a JWT that a service account signed with a key of its own; None for any other."""
    try:
        account = str(jwt.decode(token, options={"verify_signature": False}).get("iss", ""))
        key_id = jwt.get_unverified_header(token).get("kid", "")
    except jwt.PyJWTError:
        return None
    project = account.partition("@")[2].removesuffix(".iam.gserviceaccount.com")
    name = f"projects/{project}/serviceAccounts/{account}"
    key, owner = cloud.store.get("iam.keys", f"{name}/keys/{key_id}"), cloud.store.get(ACCOUNTS, name)
    if key is None or key.get("disabled") or owner is None or owner.get("disabled"):
        return None
    public = load_pem_public_key(base64.b64decode(key["_publicKey"]))
    if not isinstance(public, RSAPublicKey):
        return None
    try:
        claims: dict[str, Any] = jwt.decode(
            token, public, ["RS256"], options={"verify_aud": False, "verify_exp": False, "verify_iat": False}
        )
    except jwt.PyJWTError:
        return None
    return claims


def tokeninfo(call: Call) -> dict[str, Any]:
    """Whose an access or identity token is, and until when.

    Raises:
        InvalidArgument: it is unknown or expired.
    """
    given = {**call.query, **{key: value for key, value in call.body.items() if isinstance(value, str)}}
    client = {"azp": APPLICATION_DEFAULT_CLIENT, "aud": APPLICATION_DEFAULT_CLIENT}
    if token := given.get("id_token"):
        claims = call.cloud.tokens.verify(token)
        if claims is None:
            raise InvalidArgument("invalid_token: Invalid Value")
        return {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in claims.items()}
    principal = call.cloud.tokens.principal(given.get("access_token", ""))
    if principal is None:
        raise InvalidArgument("invalid_token: Invalid Value")
    lifetime = call.cloud.settings.access_token_lifetime
    return {
        **client,
        "sub": subject(principal),
        "scope": SCOPES,
        "exp": str(int(call.cloud.clock.now().timestamp()) + lifetime),
        "expires_in": str(lifetime),
        "email": principal.email,
        "email_verified": "true",
        "access_type": "online",
    }


OAUTH2 = Service(
    name="oauth2",
    title="Google OAuth 2.0",
    handlers={
        "oauth2.token.exchange": exchange,
        "oauth2.tokeninfo": tokeninfo,
        "oauth2.userinfo.get": userinfo,
        "oauth2.me.get": userinfo,
    },
)
SERVICE = Service(
    name="openidconnect",
    title="OpenID Connect",
    handlers={"openidconnect.userinfo.get": userinfo},
)
