"""Etags and fingerprints: which ones this sandbox may have written, and which writes they refuse.

A write that names an etag from here must name the current one, as with Google. An etag that no service of this sandbox
writes tells nothing about what its caller has read here: it comes from another place, as from recorded traffic, whose
recorders put one fixed text for every etag. Such a write passes, unless the sandbox is strict (``Settings.strict``);
Google refuses it.

To tell the two apart nothing is remembered: every etag that is base64 of eight bytes carries a stamp, and all other
forms that are written here (quoted, hexadecimal, printable, those of allow policies) are compared whatever they say.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

HEXADECIMAL = re.compile(r"[0-9a-f]+")
SIZE = 8
STAMP = 2
EMPTY_POLICY = "ACAB"
POLICY = "Bw"


def stamped(digest: bytes) -> str:
    """An etag of eight bytes in URL-safe base64: six of a digest, two that show that it was written here."""
    body = digest[: SIZE - STAMP]
    return base64.urlsafe_b64encode(body + stamp(body)).decode()


def stamp(body: bytes) -> bytes:
    """What an etag of ours ends in."""
    return hashlib.sha256(b"etag:" + body).digest()[:STAMP]


def stale(given: str, current: str, *, strict: bool) -> bool:
    """Whether a write that names ``given`` must be refused.

    Bytes are compared, not their spelling: gcloud and gRPC decode an etag and encode it anew, in the other alphabet.
    """
    return content(given) != content(current) and (strict or not foreign(given))


def content(etag: str) -> bytes:
    """The bytes that an etag spells; its text, where it spells none."""
    standard = etag.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        return etag.encode()


def of_policy(digest: bytes) -> str:
    """The etag of an allow policy or a role: eight bytes, as Google's begin."""
    return base64.b64encode(b"\x07\x06" + digest[:6]).decode()


def foreign(etag: str) -> bool:
    """Whether an etag cannot come from this sandbox though it is one: opaque bytes without the stamp."""
    if etag.startswith(POLICY) or HEXADECIMAL.fullmatch(etag):
        return False
    try:
        content = base64.b64decode(etag.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        return False
    if len(content) < SIZE or content.isascii() or len(set(content)) <= STAMP:
        return False
    body = content[: SIZE - STAMP]
    return content != body + stamp(body)
