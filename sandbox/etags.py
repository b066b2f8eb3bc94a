"""Whether the etag of a write shows that the writer had seen another state.

Only the current etag lets a write through. A sandbox for replayed recordings (``Settings.replaying``) also takes one
that no service would write for this resource: recorders put one fixed text in the place of every etag, and such a text
says nothing about what its writer had read.
"""

from __future__ import annotations

import base64
import binascii
import re

HEXADECIMAL = re.compile(r"[0-9a-f]+")
SHORTEST = 8
EMPTY_POLICY = "ACAB"


def stale(given: str, current: str, *, replaying: bool) -> bool:
    """Whether a write that names ``given`` must be refused."""
    if given == current:
        return False
    return not (replaying and opaque(given) and form(given) != form(current))


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
