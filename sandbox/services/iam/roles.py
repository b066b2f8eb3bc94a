"""Predefined and custom roles."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox.call import Call
from sandbox.enforcement import role_table
from sandbox.enforcement.permissions import ROLES
from sandbox.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound
from sandbox.etags import of_policy
from sandbox.paging import page
from sandbox.resources import Resource

if TYPE_CHECKING:
    from sandbox.description import Method, Shape

Document = dict[str, Any]

#: https://docs.cloud.google.com/iam/docs/reference/rest/v1/projects.roles/create (read 2026-11).
PERMISSIONS = "includedPermissions"
PERMISSIONS_FIELD = "permissions"
PAGE = 300
RESOURCE = re.compile(r"//([a-z0-9]+)\.googleapis\.com/\S")
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
        return of_policy(bytes.fromhex(digest))

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
            if call.name not in role_table.roles():
                raise NotFound(f"The role named {call.name} was not found.")
            return predefined(call.name, full=True)
        return self.view(call, self.read(call))

    def listing(self, call: Call) -> Document:
        """Custom roles of a parent, deleted ones on demand; at the root the predefined ones."""
        full = call.query.get("view") == "FULL"
        if call.name == "roles":
            return paged(call, [predefined(name, full=full) for name in role_table.roles()])
        kept = [
            role for role in self.stored(call) if call.query.get("showDeleted") == "true" or not role.get("deleted")
        ]
        shown = [self.view(call, role) for role in kept]
        return paged(call, shown if full else [{k: v for k, v in r.items() if k != PERMISSIONS} for r in shown])

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


def predefined(name: str, *, full: bool) -> Document:
    """A predefined role, with its permissions when they are asked for."""
    facts: Document = {"name": name, "title": role_table.title(name), "stage": "GA", "etag": "AA=="}
    return {**facts, PERMISSIONS: list(role_table.included(name))} if full else facts


def paged(call: Call, roles: list[Document]) -> Document:
    """A page of roles."""
    sizes = {key: call.query.get(key) or call.body.get(key) for key in ("pageSize", "pageToken")}
    shown, following = page(roles, {key: str(value) for key, value in sizes.items() if value}, default=PAGE)
    answer: Document = {"roles": shown} if shown else {}
    return {**answer, "nextPageToken": following} if following else answer


def resource_service(call: Call) -> str:
    """The namespace of the permissions of a ``fullResourceName``.

    Raises:
        InvalidArgument: it is none.
    """
    name = str(call.body.get("fullResourceName", ""))
    found = RESOURCE.match(name)
    if not found:
        raise InvalidArgument(f"Invalid full resource name: '{name}'.")
    return role_table.NAMESPACES.get(found[1], found[1])


def query_grantable(call: Call) -> Document:
    """``:queryGrantableRoles``: on a project, folder or organisation all, elsewhere those of the resource's service."""
    service, full = resource_service(call), call.body.get("view") == "FULL"
    names = [
        name
        for name in role_table.roles()
        if service == "resourcemanager" or (name.startswith(f"roles/{service}.") and not name.endswith("serviceAgent"))
    ]
    return paged(call, [predefined(name, full=full) for name in names])


def query_testable(call: Call) -> Document:
    """``:queryTestablePermissions``: on a project, folder or organisation all, elsewhere those of the service."""
    service = resource_service(call)
    names = [name for name in role_table.permissions() if service in {"resourcemanager", name.partition(".")[0]}]
    sizes = {key: str(call.body[key]) for key in ("pageSize", "pageToken") if call.body.get(key)}
    shown, following = page(names, sizes, default=100)
    answer: Document = {PERMISSIONS_FIELD: [{"name": name, "stage": "GA"} for name in shown]} if shown else {}
    return {**answer, "nextPageToken": following} if following else answer


HANDLERS = {
    "iam.permissions.queryTestablePermissions": query_testable,
    "iam.roles.queryGrantableRoles": query_grantable,
    "iam.roles.undelete": undelete,
}
