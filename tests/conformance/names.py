"""The ids that a caller of the recorded requests knew where the recording has a placeholder that no answer shows.

The recorder replaced some ids in addresses only: a request makes ``exclusion-1`` and the next asks for
``exclusions/${exclusionID}``. The caller behind it asked for what it had made, so a replay does the same.
"""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Any
from urllib.parse import urlsplit

from tests.conformance.comparison import is_operation

IN_PATH = re.compile(r"/(?P<collection>\w+)/\$\{(?P<placeholder>\w+)\}")
IN_QUERY = re.compile(r"(?P<parameter>\w+Id)=\$\{(?P<placeholder>\w+)\}")


def last(name: Any) -> str:
    """The id in a resource's name."""
    return str(name or "").rpartition("/")[2]


class Names:
    """The latest id of each collection that the scenario has made something in."""

    def __init__(self) -> None:
        self._made: dict[str, str] = {}

    def note(self, verb: str, url: str, body: Any, answer: Any) -> None:
        """Remember what a request made."""
        collection = last(urlsplit(url).path)
        if verb != "POST" or not isinstance(answer, dict):
            return
        reference = answer.get(f"{collection.removesuffix('s')}Reference") or {}
        identity = reference.get(f"{collection.removesuffix('s')}Id") or (
            "" if is_operation(answer) else answer.get("id")
        )
        for document in (answer, body):
            if isinstance(document, dict) and f"/{collection}/" in str(document.get("name", "")):
                identity = last(document["name"])
                break
        if identity:
            self._made[collection] = str(identity)

    def fill(self, url: str, body: Any, bound: Container[str]) -> str:
        """An address with the known id in the place of each unbound placeholder; unknown ones stay."""
        named = last(body.get("name")) if isinstance(body, dict) else ""

        def in_query(found: re.Match[str]) -> str:
            return f"{found['parameter']}={named}" if named and found["placeholder"] not in bound else found[0]

        def in_path(found: re.Match[str]) -> str:
            known = self._made.get(found["collection"])
            return f"/{found['collection']}/{known}" if known and found["placeholder"] not in bound else found[0]

        return IN_PATH.sub(in_path, IN_QUERY.sub(in_query, url))
