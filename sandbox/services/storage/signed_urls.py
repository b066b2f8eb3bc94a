"""V4 signed URLs: whose signature a query carries, and whether it covers the request.

Source: https://docs.cloud.google.com/storage/docs/authentication/canonical-requests (read 2026-08).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

from sandbox.call import Principal
from sandbox.errors import ApiError
from sandbox.hierarchy import ACCOUNTS, AGENTS

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

ALGORITHM = "GOOG4-RSA-SHA256"
SCOPE_END = "storage/goog4_request"
LONGEST_SECONDS = 604800
#: Clocks may differ by this much.
SKEW = timedelta(minutes=15)
REQUIRED = (
    "X-Goog-Algorithm",
    "X-Goog-Credential",
    "X-Goog-Date",
    "X-Goog-Expires",
    "X-Goog-SignedHeaders",
    "X-Goog-Signature",
)
UNSIGNED = "UNSIGNED-PAYLOAD"


class SignatureRefused(ApiError):
    """A signed request that is not accepted; ``code`` of the XML body and its elements ride along."""

    def __init__(self, http: int, name: str, message: str, **elements: str) -> None:
        super().__init__(message)
        self.http = http
        self.name = name
        self.elements = elements


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """The parts of a request that a signature covers.

    Attributes:
        verb: HTTP method.
        paths: canonical paths under which the signer may know the resource; a path prefix of this server is not his.
        query: the raw query string.
        headers: all headers, names in lower case.
    """

    verb: str
    paths: tuple[str, ...]
    query: str
    headers: Mapping[str, str]

    @property
    def parameters(self) -> dict[str, str]:
        """Decoded query parameters."""
        return dict(parse_qsl(self.query, keep_blank_values=True))


def is_signed(query: str) -> bool:
    """Whether a query string claims to be signed."""
    return "x-goog-signature=" in query.lower()


def signer(cloud: Cloud, request: SignedRequest) -> Principal:
    """Who signed a request.

    Raises:
        SignatureRefused: incomplete, expired, or a signature of something else.
    """
    given = request.parameters
    missing = [name for name in REQUIRED if not given.get(name)]
    if missing:
        raise SignatureRefused(
            400, "InvalidArgument", "Invalid argument.", Details=f"Missing query parameter: {', '.join(missing)}"
        )
    if given["X-Goog-Algorithm"] != ALGORITHM:
        raise SignatureRefused(
            400, "InvalidArgument", "Invalid argument.", Details=f"X-Goog-Algorithm must be {ALGORITHM}."
        )
    email, _, scope = given["X-Goog-Credential"].partition("/")
    check_time(cloud, given, scope)
    check_headers(request, given["X-Goog-SignedHeaders"].split(";"))
    if not exists(cloud, email):
        raise SignatureRefused(403, "InvalidSecurity", "The provided security credentials are not valid.")
    try:
        signature = bytes.fromhex(given["X-Goog-Signature"])
    except ValueError:
        signature = b""
    attempts = [canonical(request, path, given) for path in request.paths]
    for _, text in attempts:
        if cloud.tokens.verified(email, text.encode(), signature):
            return Principal(f"serviceAccount:{email}")
    shown, text = attempts[0]
    raise SignatureRefused(
        403,
        "SignatureDoesNotMatch",
        "Access denied.",
        Details="The request signature we calculated does not match the signature you provided. Check your Google "
        "secret key and signing method.",
        StringToSign=text,
        CanonicalRequest=shown,
    )


def exists(cloud: Cloud, email: str) -> bool:
    """Whether the signer is an account that is not disabled, or an agent of Google's."""
    return cloud.store.get(AGENTS, email) is not None or any(
        a["email"] == email and not a.get("disabled") for a in cloud.store.documents(ACCOUNTS)
    )


def check_time(cloud: Cloud, given: Mapping[str, str], scope: str) -> None:
    """Refuse a request outside the time that its signature grants."""
    try:
        start = datetime.strptime(given["X-Goog-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        lifetime = int(given["X-Goog-Expires"])
    except ValueError:
        raise SignatureRefused(
            400, "InvalidArgument", "Invalid argument.", Details="X-Goog-Date or X-Goog-Expires is malformed."
        ) from None
    if not 0 < lifetime <= LONGEST_SECONDS:
        raise SignatureRefused(
            400, "InvalidArgument", "Invalid argument.", Details="X-Goog-Expires must be between 1 and 604800 seconds."
        )
    day, _, rest = scope.partition("/")
    if day != given["X-Goog-Date"][:8] or rest.partition("/")[2] != SCOPE_END:
        raise SignatureRefused(
            400, "InvalidArgument", "Invalid argument.", Details=f"The credential scope {scope!r} is malformed."
        )
    now, end = cloud.clock.now(), start + timedelta(seconds=lifetime)
    if start - SKEW > now:
        raise SignatureRefused(
            403, "AccessDenied", "Access denied.", Details=f"Request signature is not valid before {start.isoformat()}"
        )
    if now > end:
        raise SignatureRefused(
            400,
            "ExpiredToken",
            "The provided token has expired.",
            Details=f"Request signature expired at: {end.isoformat()}",
        )


def check_headers(request: SignedRequest, signed: list[str]) -> None:
    """Signed headers must be there, and no ``x-goog-`` header may be unsigned."""
    absent = [name for name in signed if name not in request.headers]
    unsigned = [name for name in request.headers if name.startswith("x-goog-") and name not in signed]
    if "host" not in signed or absent or unsigned:
        header = (absent or unsigned or ["host"])[0]
        place = "signedheaders, but not in the request" if absent else "request, but not in signedheaders"
        raise SignatureRefused(
            400,
            "MalformedSecurityHeader",
            "Your request has a malformed header.",
            ParameterName=header,
            Details=f"Header was included in {place}.",
        )


def canonical(request: SignedRequest, path: str, given: Mapping[str, str]) -> tuple[str, str]:
    """The canonical request, and the string that is signed for it."""
    names = given["X-Goog-SignedHeaders"].split(";")
    lines = [
        request.verb,
        path,
        canonical_query(parse_qsl(request.query, keep_blank_values=True)),
        *(f"{name}:{re.sub(r' +', ' ', request.headers[name].strip())}" for name in names),
        "",
        given["X-Goog-SignedHeaders"],
        request.headers.get("x-goog-content-sha256", UNSIGNED),
    ]
    shown = "\n".join(lines)
    scope = given["X-Goog-Credential"].partition("/")[2]
    digest = hashlib.sha256(shown.encode()).hexdigest()
    return shown, "\n".join([ALGORITHM, given["X-Goog-Date"], scope, digest])


def canonical_query(pairs: Iterable[tuple[str, str]]) -> str:
    """All parameters but the signature, encoded and sorted."""
    encoded = [(quote(k, safe="~"), quote(v, safe="~")) for k, v in pairs if k.lower() != "x-goog-signature"]
    return "&".join(f"{key}={value}" for key, value in sorted(encoded))
