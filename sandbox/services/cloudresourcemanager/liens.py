"""Liens: a project with one cannot be deleted."""

from __future__ import annotations

from typing import Any

from sandbox.call import Call
from sandbox.errors import InvalidArgument
from sandbox.resources import Resource


class Lien(Resource):
    """A lien on a project, named by a generated id."""

    kind = "cloudresourcemanager.liens"

    def generate(self, call: Call) -> str:
        """As ``p123-l0a1b...``."""
        number = call.body.get("parent", "").rpartition("/")[2]
        return f"p{number}-l{call.cloud.identifiers.hexadecimal('liens', 26)}"

    def prepare(self, call: Call, document: dict[str, Any]) -> None:
        """The parent is a project, by number in the answer."""
        parent = call.cloud.hierarchy.numbered(document.get("parent", ""))
        if call.cloud.hierarchy.project(parent.rpartition("/")[2]) is None:
            raise InvalidArgument("Invalid parent: a lien needs an existing project, as projects/1234567890.")
        document["parent"] = parent

    def select(self, call: Call, documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Liens of the ``parent`` parameter."""
        parent = call.cloud.hierarchy.numbered(call.query.get("parent", ""))
        return [lien for lien in documents if lien["parent"] == parent]


def to_project(call: Call) -> tuple[str, str]:
    """The project's policy governs its liens."""
    lien = call.cloud.store.get(Lien.kind, call.name) or {}
    parent = call.body.get("parent") or call.query.get("parent") or lien.get("parent", "")
    return "cloudresourcemanager", call.cloud.hierarchy.canonical(parent)


TARGETS = {"cloudresourcemanager.liens": to_project}
