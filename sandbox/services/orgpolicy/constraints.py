"""Constraints that Google defines, and those that an organisation defines itself."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from sandbox.errors import InvalidArgument
from sandbox.paging import page
from sandbox.resources import Resource

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]


@cache
def table() -> dict[str, Document]:
    """Google's constraints that the sandbox knows, by name without ``constraints/``."""
    text = resources.files("sandbox.services.orgpolicy").joinpath("constraints.json").read_text()
    constraints: dict[str, Document] = json.loads(text)["constraints"]
    return constraints


class CustomConstraint(Resource):
    """A condition on resources, in the Common Expression Language."""

    kind = "orgpolicy.customConstraints"
    unnamed = True
    package = "google.cloud.orgpolicy.v2"
    immutable = ("resourceTypes",)

    def identifier(self, call: Call) -> str:
        """From the body's name, which starts with ``custom.``.

        Raises:
            InvalidArgument: it does not.
        """
        name = str(call.body.get("name", "")).rpartition("/")[2]
        if not name.startswith("custom."):
            raise InvalidArgument("The id of a custom constraint starts with 'custom.'.")
        return name

    def prepare(self, call: Call, document: Document) -> None:
        """Everything that decides is there."""
        del call
        for field in ("resourceTypes", "methodTypes", "condition", "actionType"):
            if not document.get(field):
                raise InvalidArgument(f"A custom constraint needs {field}.")


def listing(call: Call) -> Document:
    """Google's constraints, as they may be set on the parent."""
    found = [
        {
            "name": f"{call.name}/{name}",
            "displayName": facts["title"],
            "constraintDefault": facts.get("default", "ALLOW"),
            f"{facts['type']}Constraint": {},
            **({"supportsDryRun": True} if facts.get("dryRun") else {}),
        }
        for name, facts in sorted(table().items())
    ]
    items, following = page(found, call.query)
    return {"constraints": items, **({"nextPageToken": following} if following else {})}


HANDLERS = {"orgpolicy.constraints.list": listing}
