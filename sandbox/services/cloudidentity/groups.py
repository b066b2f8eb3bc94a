"""Google groups."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox.enforcement.expressions import ExpressionError, evaluate
from sandbox.enforcement.principals import GROUPS, MEMBERSHIPS
from sandbox.errors import AlreadyExists, InvalidArgument, NotFound, PermissionDenied
from sandbox.resources import Resource
from sandbox.services.cloudidentity import directory

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]

ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
TYPE = "type.googleapis.com/google.apps.cloudidentity.groups.v1.{message}"
LONGEST_DESCRIPTION = 4096


def done(message: str, response: Document) -> Document:
    """Changes are finished at once; the operation has no name and cannot be asked for."""
    stamp = TYPE.format(message=message) if message else "type.googleapis.com/google.protobuf.Empty"
    return {"done": True, "response": {"@type": stamp, **response}}


class Group(Resource):
    """A group, named by a generated id and found by its address."""

    kind = GROUPS
    package = "google.apps.cloudidentity.groups.v1"
    immutable = ("groupKey", "parent")

    def create(self, call: Call) -> Document:
        """A group of the organisation's domain."""
        from sandbox.cloud import CUSTOMER  # noqa: PLC0415 -- as in directory

        body = self.accept(call)
        address = (body.get("groupKey") or {}).get("id", "")
        if not directory.administers(call):
            raise PermissionDenied("Error(2015): Caller is not authorized to create groups.")
        if body.get("parent") != f"customers/{CUSTOMER}":
            raise InvalidArgument(f"parent must be the organization's directory customer: customers/{CUSTOMER}.")
        if not ADDRESS.fullmatch(address) or address.partition("@")[2] != call.cloud.settings.domain:
            raise InvalidArgument(f"groupKey.id must be an address of the domain {call.cloud.settings.domain}.")
        if directory.FORUM not in body.get("labels", {}):
            raise InvalidArgument(f"labels must hold {directory.FORUM} with an empty value.")
        if directory.by_address(call.cloud, address):
            raise AlreadyExists(f"Error(3002): Group {address} already exists.")
        document = {**directory.new_group(call.cloud, address), **body}
        self.check(document)
        call.cloud.store.put(self.kind, document["name"], document)
        if call.query.get("initialGroupConfig") == "WITH_INITIAL_OWNER":
            self.own(call, document["name"])
        return done("Group", self.view(call, document))

    def own(self, call: Call, group: str) -> None:
        """The creator owns what it asked to own."""
        name = f"{group}/memberships/{call.cloud.identifiers.number(MEMBERSHIPS, 21)}"
        now = call.cloud.clock.timestamp()
        document = {
            "name": name,
            "preferredMemberKey": {"id": call.principal.email},
            "roles": [{"name": "MEMBER"}, {"name": "OWNER"}],
            "type": "USER" if call.principal.member.startswith("user:") else "SERVICE_ACCOUNT",
            "createTime": now,
            "updateTime": now,
        }
        call.cloud.store.put(MEMBERSHIPS, name, document)

    def check(self, document: Document) -> None:
        """What the text of a group may be."""
        if len(document.get("description", "")) > LONGEST_DESCRIPTION:
            raise InvalidArgument(f"description must not be longer than {LONGEST_DESCRIPTION} characters.")
        if any(document.get("labels", {}).values()):
            raise InvalidArgument("labels of groups have empty values.")

    def get(self, call: Call) -> Document:
        """One group."""
        directory.require_view(call, call.name)
        return self.view(call, self.read(call))

    def listing(self, call: Call) -> Any:
        """The groups of the organisation."""
        from sandbox.cloud import CUSTOMER  # noqa: PLC0415 -- as in directory

        if not directory.reads_all(call):
            raise directory.hidden(call.query.get("parent", ""))
        if call.query.get("parent") != f"customers/{CUSTOMER}":
            raise InvalidArgument(f"parent must be the organization's directory customer: customers/{CUSTOMER}.")
        return super().listing(call)

    def patch(self, call: Call) -> Any:
        """Change name, description or labels; what makes a group one for security stays."""
        directory.require_change(call, call.name)
        super().patch(call)
        return done("Group", self.view(call, self.read(call)))

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """A label of security cannot be taken away."""
        del call
        security = "cloudidentity.googleapis.com/groups.security"
        if security in before["labels"] and security not in after["labels"]:
            raise InvalidArgument(f"the label {security} cannot be removed once added.")
        self.check(after)

    def answer(self, call: Call, name: str, document: Document) -> Document:
        """As it is shown; the operation around it is the caller's."""
        del name
        return self.view(call, document)

    def delete(self, call: Call) -> Document:
        """The group, its memberships, and its own places in other groups."""
        directory.require_change(call, call.name)
        group = self.read(call)
        call.cloud.store.delete(self.kind, call.name)
        call.cloud.store.delete_below(call.name)
        for name, membership in call.cloud.store.items(MEMBERSHIPS):
            if membership["preferredMemberKey"]["id"] == group["groupKey"]["id"]:
                call.cloud.store.delete(MEMBERSHIPS, name)
        return done("", {})

    def missing(self, call: Call) -> NotFound:
        """Google's words."""
        return NotFound(f"Error(4002): Resource {call.name} was not found.")


def lookup(call: Call) -> Document:
    """The name of the group that has an address."""
    address = call.query.get("groupKey.id", "")
    if not address:
        raise InvalidArgument("groupKey.id must be given.")
    found = directory.by_address(call.cloud, address)
    if found is None:
        raise directory.hidden(address)
    directory.require_view(call, found["name"])
    return {"name": found["name"]}


def search(call: Call) -> Document:
    """The groups for which an expression holds, as ``parent == 'customers/C01' && 'a/label' in labels``."""
    found = []
    for group in call.cloud.store.documents(GROUPS):
        known = {
            "parent": group["parent"],
            "labels": group["labels"],
            "display_name": group.get("displayName", ""),
            "group_key": group["groupKey"]["id"],
        }
        try:
            holds = evaluate(call.query.get("query", ""), known)
        except ExpressionError as error:
            raise InvalidArgument(f"Error(2001): The query is invalid: {error}") from None
        if holds is True and visible(call, group["name"]):
            found.append(Group().view(call, group))
    return {"groups": found} if found else {}


def visible(call: Call, group: str) -> bool:
    """Whether the caller may see a group."""
    try:
        directory.require_view(call, group)
    except PermissionDenied:
        return False
    return True


HANDLERS = {"cloudidentity.groups.lookup": lookup, "cloudidentity.groups.search": search}
