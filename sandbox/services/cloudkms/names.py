"""What the resources of Cloud KMS have in common: ids, parents, wording."""

from __future__ import annotations

import re
from typing import Any

from sandbox.call import Call
from sandbox.errors import AlreadyExists, InvalidArgument, NotFound
from sandbox.resources import Resource

Document = dict[str, Any]

ID = re.compile(r"[a-zA-Z0-9_-]{1,63}")
NOUNS = {
    "keyRings": "KeyRing",
    "cryptoKeys": "CryptoKey",
    "cryptoKeyVersions": "CryptoKeyVersion",
    "importJobs": "ImportJob",
    "keyHandles": "KeyHandle",
}


class Entity(Resource):
    """A resource below a location of Cloud KMS."""

    package = "google.cloud.kms.v1"

    def missing(self, call: Call) -> NotFound:
        """Names the kind and the whole resource."""
        return not_found(call.cloud.hierarchy.canonical(call.parameters.get("name", call.name)))

    def duplicate(self, call: Call, name: str) -> AlreadyExists:
        """Names the kind and the whole resource."""
        return AlreadyExists(f"{noun(name)} {name} already exists.")

    def identifier(self, call: Call) -> str:
        """The id, which must be given.

        Raises:
            InvalidArgument: it is missing or malformed.
            NotFound: the parent does not exist.
        """
        given = super().identifier(call)
        if not ID.fullmatch(given):
            raise InvalidArgument(f"The resource ID {given!r} is invalid: it must match the pattern ^{ID.pattern}$.")
        parent = call.name.rpartition("/")[0]
        collection = parent.split("/")[-2]
        if collection in NOUNS and call.cloud.store.get(f"cloudkms.{collection}", parent) is None:
            raise not_found(parent)
        return given

    def generate(self, call: Call) -> str:
        """No id of its own: it must be given."""
        return ""

    def listing(self, call: Call) -> Document:
        """A page, with the size of the whole."""
        answer = super().listing(call)
        size = len(self.found(call))
        return {**answer, "totalSize": size} if isinstance(answer, dict) and size else {}


def noun(name: str) -> str:
    """``CryptoKey`` for a key's name."""
    parts = name.split("/")
    return NOUNS.get(parts[-2] if len(parts) > 1 else "", "Resource")


def not_found(name: str) -> NotFound:
    """404 in Cloud KMS's words."""
    return NotFound(f"{noun(name)} {name} not found.")


def seconds(duration: str) -> float:
    """A ``google-duration``, as ``2592000s``.

    Raises:
        InvalidArgument: it is none.
    """
    try:
        return float(duration.removesuffix("s"))
    except ValueError:
        raise InvalidArgument(f"Invalid duration {duration!r}: expected seconds, for example 86400s.") from None
