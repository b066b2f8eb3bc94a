"""Canonical JSON (RFC 8785) and digests of it: the same document has the same bytes everywhere.

``rfc8785`` is right for every document and slow for many. Where a document holds nothing on which it and the standard
library differ (other characters than ASCII, fractions, integers beyond 15 digits), the library's C encoder writes the
same bytes; the tests compare the two.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import rfc8785

from plantain.audit.errors import SourceError

#: A number that ECMAScript may write otherwise than Python. Also found inside strings, which only costs time.
#: It begins with a set of characters, which the regular expression engine skips to.
UNUSUAL_NUMBER = re.compile(r"[:\[,]-?(?:[0-9]{16}|[0-9]+[.eE])")
LARGEST_EXACT = 2**53 - 1
BLOCK = 1 << 20

_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def canonical(document: Any) -> bytes:
    """The bytes of a JSON document in canonical form.

    Raises:
        SourceError: it holds what JSON cannot: NaN, half a surrogate pair, a value of another type.
    """
    try:
        text = _encode(document)
        if not isinstance(document, int | float) and text.isascii() and not UNUSUAL_NUMBER.search(text):
            return text.encode()
        return rfc8785.dumps(_doubles(document))
    except (ValueError, TypeError, RecursionError) as error:
        raise SourceError(f"A document has no canonical form, so it cannot become evidence: {error}") from None


def line(document: Any) -> bytes:
    """One line of a file with one document a line."""
    return canonical(document) + b"\n"


def sha256(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def sha256_of_file(path: Path) -> str:
    """SHA-256 of a file, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _doubles(value: Any) -> Any:
    """Integers beyond 53 bits as the doubles that RFC 8785 knows only."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > LARGEST_EXACT:
        return float(value)
    if isinstance(value, dict):
        return {key: _doubles(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_doubles(item) for item in value]
    return value
