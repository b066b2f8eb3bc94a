"""Predefined and custom roles."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox.call import Call
from sandbox.enforcement.permissions import ROLES, table
from sandbox.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound
from sandbox.resources import Resource

if TYPE_CHECKING:
    from sandbox.description import Method, Shape

Document = dict[str, Any]

#: https://docs.cloud.google.com/iam/docs/reference/rest/v1/projects.roles/create (read 2026-11).
IDENTIFIER = re.compile(r"[a-zA-Z0-9_.]{3,64}")


class Role(Resource):
    """A custom role of a project or organisation; deleted ones stay for undelete."""

    kind = ROLES

    def identifier(self, call: Call) -> str:
        """``roleId`` in the body."""
        role_id: str = call.body.get("roleId", "")
        if not role_id:
            raise InvalidArgument("The role id is required.")
        if not IDENTIFIER.fullmatch(role_id):
            raise InvalidArgument(
                f"The role_id specified ({role_id}) must match the pattern [a-zA-Z0-9_\\.]{{3,64}}, without a hyphen."
            )
        return role_id

    def accept(self, call: Call) -> Document:
        """The wrapped role at creation, the bare one in an update."""
        body = call.body.get("role", {}) if call.method.action == "create" else call.body
        return {k: v for k, v in body.items() if k not in {"name", "etag", "deleted"}}

    def properties(self, method: Method) -> dict[str, Shape]:
        """A role has an etag though the request that creates it shows none."""
        return {**super().properties(method), "etag": {}}

    def etag(self, digest: str) -> str:
        """In the form of allow policies."""
        return f"BwY{digest[:8]}="

    def prepare(self, call: Call, document: Document) -> None:
        """Alpha is the stage's zero value and left out."""
        if document.get("stage") == "ALPHA":
            del document["stage"]

    def duplicate(self, call: Call, name: str) -> AlreadyExists:
        """Google's wording."""
        return AlreadyExists(
            f"A role named {name.rpartition('/')[2]} in {name.rpartition('/roles/')[0]} already exists."
        )

    def get(self, call: Call) -> Document:
        """A predefined role from the table, or a custom one."""
        if call.name.startswith("roles/"):
            permissions = table()["roles"].get(call.name)
            if permissions is None:
                raise NotFound(f"The role named {call.name} was not found.")
            return {"name": call.name, "title": call.name, "includedPermissions": permissions, "stage": "GA"}
        return self.view(call, self.read(call))

    def missing(self, call: Call) -> NotFound:
        """Google's wording."""
        return NotFound(f"The role named {call.name} was not found.")

    def delete(self, call: Call) -> Document:
        """Soft: the name stays taken."""
        document = self.read(call)
        document["deleted"] = True
        self.touch(call, document)
        call.cloud.store.put(self.kind, call.name, document)
        return self.view(call, document)


def undelete(call: Call) -> Document:
    """Take a deletion back."""
    role = Role()
    document = role.read(call)
    if not document.pop("deleted", False):
        raise FailedPrecondition("The role is not deleted.")
    call.cloud.store.put(ROLES, call.name, document)
    return role.view(call, document)


HANDLERS = {"iam.roles.undelete": undelete}
