"""IAM Service Account Credentials: tokens and signatures in the name of a service account."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

from sandbox.call import Call, Principal
from sandbox.enforcement.delegation import last_delegate
from sandbox.errors import FailedPrecondition, InvalidArgument, NotFound
from sandbox.hierarchy import ACCOUNTS
from sandbox.services.registry import Service

Document = dict[str, Any]
LONGEST_SECONDS = 43200
DEFAULT_SECONDS = 3600


def account(call: Call) -> str:
    """E-mail of the account that the call names.

    Raises:
        NotFound: there is none.
        FailedPrecondition: it is disabled.
    """
    document = call.cloud.store.get(ACCOUNTS, call.name)
    if document is None:
        raise NotFound("Not found; Gaia id not found for email " + call.name.rpartition("/")[2])
    if document.get("disabled"):
        raise FailedPrecondition(f"Service account {document['email']} is disabled.")
    return str(document["email"])


def payload(call: Call, field: str) -> bytes:
    """A base64 field of the body."""
    try:
        return base64.b64decode(call.body.get(field, ""), validate=True)
    except ValueError:
        raise InvalidArgument(f"Invalid value at '{field}' (TYPE_BYTES): not base64.") from None


def sign_blob(call: Call) -> Document:
    """RSA-SHA256 over the payload with the account's Google-managed key."""
    email = account(call)
    signature = call.cloud.tokens.sign(email, payload(call, "payload"))
    return {"keyId": call.cloud.tokens.key_id(email), "signedBlob": base64.b64encode(signature).decode()}


def sign_jwt(call: Call) -> Document:
    """A JWT of the given claims."""
    email = account(call)
    try:
        claims = json.loads(call.body.get("payload", ""))
    except ValueError:
        raise InvalidArgument("The payload must be a JSON object of claims.") from None
    return {"keyId": call.cloud.tokens.key_id(email), "signedJwt": call.cloud.tokens.jwt(email, claims)}


def access_token(call: Call) -> Document:
    """An access token of the account, remembering who asked."""
    email = account(call)
    text = call.body.get("lifetime", f"{DEFAULT_SECONDS}s")
    try:
        lifetime = int(float(text.removesuffix("s")))
    except ValueError:
        raise InvalidArgument(f"Invalid lifetime {text!r}: seconds, as 3600s.") from None
    if not 0 < lifetime <= LONGEST_SECONDS:
        raise InvalidArgument(f"The token lifetime must be between 1 and {LONGEST_SECONDS} seconds.")
    asking = last_delegate(call)
    principal = Principal(f"serviceAccount:{email}", (*asking.delegates, asking.member))
    expiry = call.cloud.clock.now() + timedelta(seconds=lifetime)
    token = call.cloud.tokens.access_token(principal, lifetime)
    return {"accessToken": token, "expireTime": expiry.strftime("%Y-%m-%dT%H:%M:%SZ")}


def identity_token(call: Call) -> Document:
    """An identity token of the account for an audience."""
    email = account(call)
    audience = call.body.get("audience", "")
    if not audience:
        raise InvalidArgument("Audience is required.")
    return {"token": call.cloud.tokens.identity_token(Principal(f"serviceAccount:{email}"), audience, DEFAULT_SECONDS)}


def allowed_locations(call: Call) -> Document:
    """Where the account may be used: anywhere, in the encoding that Google's auth libraries expect."""
    account(call)
    return {"locations": [], "encodedLocations": "0x0"}


def to_account(call: Call) -> tuple[str, str]:
    """The account's own policy decides who may act for it."""
    return "iam", call.name


SERVICE = Service(
    name="iamcredentials",
    title="IAM Service Account Credentials API",
    handlers={
        "iamcredentials.serviceAccounts.getAllowedLocations": allowed_locations,
        "iamcredentials.serviceAccounts.signBlob": sign_blob,
        "iamcredentials.serviceAccounts.signJwt": sign_jwt,
        "iamcredentials.serviceAccounts.generateAccessToken": access_token,
        "iamcredentials.serviceAccounts.generateIdToken": identity_token,
    },
    targets={"iamcredentials.serviceAccounts": to_account},
)
