"""The exchange of a workload's own token for a federated access token.

Protocol: https://docs.cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token (read 2026-08), RFC 8693.

The sandbox reaches no issuer. A provider with a key set of its own (``jwksJson``) is verified against that; for any
other, the sandbox plays the issuer: ``POST /_sandbox/issuers`` signs tokens in its name.
"""

from __future__ import annotations

import json
import re
from typing import Any

import jwt

from sandbox.call import Call, Principal
from sandbox.enforcement.expressions import ExpressionError, evaluate
from sandbox.errors import InvalidArgument, NotEmulated
from sandbox.fields import camel
from sandbox.services.iam.workload_identity import POOLS, PROVIDERS

Document = dict[str, Any]

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 -- the name of a type
OIDC_TYPES = {"urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"}
AUDIENCE = re.compile(
    r"//iam\.googleapis\.com/(?P<pool>projects/(?P<project>[^/]+)/locations/global/workloadIdentityPools/[^/]+)"
    r"/providers/[^/]+"
)
LONGEST_SUBJECT = 127
LIFETIME = 3600


class ExchangeRefused(InvalidArgument):
    """An OAuth failure; ``reason`` is its error code, as ``invalid_grant``."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description, reason=code)


INVALID_TARGET = (
    'The target service indicated by the "audience" parameters is invalid. This might either be because the pool or '
    "provider is disabled or deleted or because it doesn't exist."
)


def consumer(call: Call) -> str | None:
    """The project of the pool that the audience names."""
    found = AUDIENCE.fullmatch(fields(call).get("audience", ""))
    project = call.cloud.hierarchy.project(found["project"]) if found else None
    return str(project["projectId"]) if project else None


def fields(call: Call) -> dict[str, str]:
    """The request's fields: a form has ``subject_token``, JSON ``subjectToken``."""
    return {camel(key): value for key, value in call.body.items() if isinstance(value, str)}


def token(call: Call) -> Document:
    """Exchange.

    Raises:
        ExchangeRefused: as OAuth words it.
        NotEmulated: AWS, SAML and X.509 credentials, and access boundaries.
    """
    asked = fields(call)
    if asked.get("grantType") != EXCHANGE:
        raise ExchangeRefused("unsupported_grant_type", f"Invalid grant type: the only one is {EXCHANGE}.")
    if asked.get("requestedTokenType") != ACCESS_TOKEN:
        raise ExchangeRefused("invalid_request", f"Invalid value for requested_token_type: only {ACCESS_TOKEN}.")
    if asked.get("subjectTokenType") not in OIDC_TYPES:
        raise NotEmulated(
            f"The sandbox does not emulate the exchange of {asked.get('subjectTokenType')}: OpenID Connect tokens only."
        )
    provider, pool = trusted(call, asked.get("audience", ""))
    claims = verified(call, provider, asked.get("subjectToken", ""))
    principal = federated(provider, pool, claims)
    return {
        "access_token": call.cloud.tokens.access_token(principal, LIFETIME),
        "issued_token_type": ACCESS_TOKEN,
        "token_type": "Bearer",
        "expires_in": LIFETIME,
    }


def trusted(call: Call, audience: str) -> tuple[Document, str]:
    """The provider that the audience names, and its pool's name with the project's number."""
    found = AUDIENCE.fullmatch(audience)
    if found is None:
        raise ExchangeRefused("invalid_request", f'Invalid value for "audience": {audience}.')
    name = call.cloud.hierarchy.canonical(audience.removeprefix("//iam.googleapis.com/"))
    provider = call.cloud.store.get(PROVIDERS, name)
    pool = call.cloud.store.get(POOLS, name.rpartition("/providers/")[0])
    for document in (provider, pool):
        if document is None or document["state"] != "ACTIVE" or document.get("disabled"):
            raise ExchangeRefused("invalid_target", INVALID_TARGET)
    if provider is None or "oidc" not in provider:
        raise ExchangeRefused("invalid_request", "The provider takes no OpenID Connect tokens.")
    return provider, call.cloud.hierarchy.numbered(found["pool"])


def verified(call: Call, provider: Document, subject_token: str) -> Document:
    """The claims of a token that the provider's issuer signed for this provider, and that is still good."""
    oidc, tokens = provider["oidc"], call.cloud.tokens
    issuer = oidc["issuerUri"]
    claims = (
        by_key_set(subject_token, oidc["jwksJson"]) if oidc.get("jwksJson") else tokens.verify(subject_token, issuer)
    )
    if claims is None:
        raise ExchangeRefused("invalid_grant", "Unable to verify the ID Token signature.")
    if claims.get("iss") != issuer:
        text = f"The issuer in ID Token {claims.get('iss')} does not match the expected ones: {issuer}."
        raise ExchangeRefused("invalid_grant", text)
    own = f"https://iam.googleapis.com/{call.cloud.hierarchy.numbered(provider['name'])}"
    admitted = set(oidc.get("allowedAudiences", [])) or {own, own.removeprefix("https:")}
    given = claims.get("aud", [])
    if admitted.isdisjoint([given] if isinstance(given, str) else given):
        raise ExchangeRefused(
            "invalid_grant", f"The audience in ID Token {given} does not match the expected audience."
        )
    now = call.cloud.clock.now().timestamp()
    if float(claims.get("exp", 0)) <= now:
        raise ExchangeRefused("invalid_grant", f"ID Token issued at {claims.get('iat')} is stale to sign-in.")
    return claims


def by_key_set(subject_token: str, keys: str) -> Document | None:
    """The claims of a token signed by one of a JSON Web Key Set; time and audience are checked elsewhere."""
    try:
        header = jwt.get_unverified_header(subject_token)
        for key in jwt.PyJWKSet.from_dict(json.loads(keys)).keys:
            if header.get("kid") in {None, key.key_id}:
                claims: Document = jwt.decode(
                    subject_token,
                    key,
                    ["RS256", "ES256"],
                    options={"verify_exp": False, "verify_aud": False, "verify_iat": False, "verify_nbf": False},
                )
                return claims
    except (jwt.PyJWTError, ValueError):
        return None
    return None


def federated(provider: Document, pool: str, claims: Document) -> Principal:
    """Who the claims mean, after the provider's mapping and condition."""
    mapped: Document = {}
    for name, expression in provider["attributeMapping"].items():
        try:
            mapped[name] = evaluate(expression, {"assertion": claims})
        except ExpressionError as error:
            if name == "google.subject":
                text = f"Could not obtain a value for google.subject from the given attribute mapping: {error}"
                raise ExchangeRefused("invalid_grant", text) from None
    attributes = {key.partition(".")[2]: value for key, value in mapped.items() if key.startswith("attribute.")}
    google = {key.partition(".")[2]: value for key, value in mapped.items() if key.startswith("google.")}
    if condition := provider.get("attributeCondition"):
        try:
            met = evaluate(condition, {"assertion": claims, "google": google, "attribute": attributes}) is True
        except ExpressionError:
            met = False
        if not met:
            raise ExchangeRefused("unauthorized_client", "The given credential is rejected by the attribute condition.")
    subject = str(google.get("subject", ""))
    if not 0 < len(subject.encode()) <= LONGEST_SUBJECT:
        raise ExchangeRefused("invalid_grant", f"The mapped google.subject must be 1 to {LONGEST_SUBJECT} bytes long.")
    base = f"iam.googleapis.com/{pool}"
    groups = google.get("groups", [])
    identities = [f"principalSet://{base}/*"]
    identities += [f"principalSet://{base}/group/{group}" for group in (groups if isinstance(groups, list) else [])]
    for key, value in attributes.items():
        values = value if isinstance(value, list) else [value]
        identities += [f"principalSet://{base}/attribute.{key}/{spelled(one)}" for one in values]
    return Principal(f"principal://{base}/subject/{subject}", identities=tuple(identities))


def spelled(value: Any) -> str:
    """A mapped value as member strings spell it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
