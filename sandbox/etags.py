"""Whether the etag of a write shows that the writer had seen another state.

An etag that this server may have given out must be the current one. One that cannot come from here, because its form is
another service's (recordings and golden files whose etags were replaced by a fixed one), says nothing about what its
writer had read, and is taken for a write without an etag.
"""

from __future__ import annotations

import base64
import binascii
import re

HEXADECIMAL = re.compile(r"[0-9a-f]+")
SHORTEST = 8
EMPTY_POLICY = "ACAB"


def stale(given: str, current: str) -> bool:
    """Whether a write that names ``given`` must be refused."""
    return given != current and not (opaque(given) and form(given) != form(current))


def form(etag: str) -> str:
    """The family of an etag: those of allow policies, quoted ones, plain hexadecimal, any other."""
    if etag == EMPTY_POLICY or etag.startswith("Bw"):
        return "policy"
    if etag.startswith(('"', 'W/"')):
        return "quoted"
    return "hexadecimal" if HEXADECIMAL.fullmatch(etag) else "other"


def opaque(etag: str) -> bool:
    """Whether an etag is base64 of at least eight bytes, as most services write theirs."""
    try:
        return len(base64.b64decode(etag, altchars=b"-_", validate=True)) >= SHORTEST
    except (binascii.Error, ValueError):
        return False
