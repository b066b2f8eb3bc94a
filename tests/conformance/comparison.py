"""What of an answer differs from the recorded one.

An exchange agrees when its status is the recorded one and every recorded field is there with the recorded value; times,
etags and generated ids may have any value of their kind. It is exact when, besides, no field is there that the
recording lacks. An operation may be answered already done. Errors agree on their code and canonical status; an exact
one also has the recorded message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.conformance.bindings import PLACEHOLDER, Bindings

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")

#: Fields whose values nobody can foretell.
GENERATED = frozenset(
    {
        *("clientOperationId", "crc32c", "creator", "endTime", "etag", "fingerprint", "generation", "id"),
        *("insertTime", "labelFingerprint", "lastModifier", "md5Hash", "metageneration", "oauth2ClientId"),
        *("operationType", "progress", "selfLinkWithId", "startTime", "targetId", "uid", "uniqueId", "user"),
    }
)
#: Fields that an operation gains while it goes on.
PROGRESS = frozenset(
    {"done", "endTime", "error", "metadata", "progress", "response", "startTime", "status", "statusMessage"}
)
COMPARED_PROGRESS = frozenset({"response", "metadata"})

Difference = tuple[str, str]


def is_operation(recorded: Any) -> bool:
    """Whether a recorded answer is a long-running operation."""
    if not isinstance(recorded, dict):
        return False
    return "operations/" in str(recorded.get("name", "")) or str(recorded.get("kind", "")).endswith("#operation")


class Comparison:
    """Compares one answer under the bindings of its scenario."""

    def __init__(self, bindings: Bindings, *, operation: bool) -> None:
        self._bindings = bindings
        self._operation = operation

    def differences(self, recorded: Any, got: Any, path: str = "") -> Iterator[Difference]:
        """``(kind, path)`` with kind one of missing, differs, extra."""
        if isinstance(recorded, dict):
            yield from self._fields(recorded, got, path)
        elif isinstance(recorded, list):
            if not isinstance(got, list) or len(got) != len(recorded):
                yield "differs", path
                return
            for index, item in enumerate(recorded):
                yield from self.differences(item, got[index], f"{path}[{index}]")
        elif isinstance(recorded, str):
            if not self._text(recorded, got if isinstance(got, str) else str(got)):
                yield "differs", path
        elif recorded != got:
            yield "differs", path

    def _fields(self, recorded: dict[str, Any], got: Any, path: str) -> Iterator[Difference]:
        if not isinstance(got, dict):
            yield "differs", path
            return
        filled = {self._bindings.fill(key): key for key in recorded}
        for key, written in filled.items():
            value = recorded[written]
            progress = self._operation and written in PROGRESS
            if key not in got:
                if not progress:
                    yield "missing", f"{path}.{written}"
            elif written in GENERATED and not isinstance(value, dict | list):
                if isinstance(value, str) and PLACEHOLDER.search(value):
                    self._bindings.match(value, str(got[key]), renew=False)
            elif not progress or written in COMPARED_PROGRESS:
                yield from self.differences(value, got[key], f"{path}.{written}")
        for key in got:
            if key not in filled and not (self._operation and key in PROGRESS):
                yield "extra", f"{path}.{key}"

    def _text(self, recorded: str, got: str) -> bool:
        if TIMESTAMP.fullmatch(recorded):
            return bool(TIMESTAMP.fullmatch(got))
        return self._bindings.match(recorded, got)
