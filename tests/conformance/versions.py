"""The etags that a caller of the recorded requests would have sent here.

The recorder put one fixed text in the place of every etag and fingerprint, in requests and in answers. The caller
behind a recording sent what it had read last, so a replay does the same.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

FIXED = "abcdef0123A="
FIELDS = ("etag", "fingerprint", "labelFingerprint")
POLICY_VERBS = {"getIamPolicy", "setIamPolicy"}


def subject(url: str) -> str:
    """What a request is about: the resource, or its allow policy."""
    name, _, verb = urlsplit(url).path.removesuffix("/setLabels").partition(":")
    return f"{name} policy" if verb in POLICY_VERBS else name


class Versions:
    """The versions that the answers of one scenario have shown, by resource and field."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], str] = {}

    def note(self, url: str, answer: Any) -> None:
        """Remember what an answer shows."""
        if isinstance(answer, dict):
            self._seen |= {(subject(url), key): answer[key] for key in FIELDS if isinstance(answer.get(key), str)}

    def fill(self, url: str, body: Any) -> Any:
        """A body with the version that was read last in the place of each fixed one; unread ones stay."""
        if not isinstance(body, dict):
            return body
        return {
            key: self._seen.get((subject(url), key), value) if value == FIXED else self.fill(url, value)
            for key, value in body.items()
        }
