"""Essential contacts of projects, folders and the organisation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox.errors import AlreadyExists, InvalidArgument, NotFound
from sandbox.resources import Resource
from sandbox.services.registry import Service

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]

ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class Contact(Resource):
    """An address that Google writes to."""

    kind = "essentialcontacts.contacts"
    package = "google.cloud.essentialcontacts.v1"

    def identifier(self, call: Call) -> str:
        """Small numbers."""
        return str(call.cloud.store.next(f"essentialcontacts/{call.name}"))

    def prepare(self, call: Call, document: Document) -> None:
        """An address, a language, at least one category."""
        if not ADDRESS.fullmatch(document.get("email", "")):
            raise InvalidArgument(f"Invalid email address {document.get('email', '')!r}.")
        if not document.get("notificationCategorySubscriptions"):
            raise InvalidArgument("At least one notification category must be given.")
        if not document.get("languageTag"):
            raise InvalidArgument("A language tag must be given.")
        for other in call.cloud.store.documents(self.kind, call.name):
            if other["email"] == document["email"]:
                raise AlreadyExists(f"contact {document['email']} already exists on the resource")
        document["validationState"] = "VALID"
        document["validateTime"] = call.cloud.clock.timestamp()

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """The address is fixed: a change of it is ignored."""
        del call
        after["email"] = before["email"]

    def view(self, call: Call, document: Document) -> Document:
        """Named below the project's number."""
        return super().view(call, {**document, "name": call.cloud.hierarchy.numbered(document["name"])})

    def missing(self, call: Call) -> NotFound:
        """Does not name what is missing."""
        del call
        return NotFound("Requested entity was not found.")


def compute(call: Call) -> Document:
    """The contacts that a message of some categories reaches: the resource's own and those above it."""
    resource = call.name.removesuffix("/contacts")
    asked = call.query.get("notificationCategories", "")
    wanted = {asked} if asked else set()
    found = [
        Contact().view(call, contact)
        for ancestor in call.cloud.hierarchy.ancestors(resource)
        for contact in call.cloud.store.documents(Contact.kind, f"{ancestor}/contacts")
        if not wanted
        or wanted & {"ALL", *contact["notificationCategorySubscriptions"]}
        or "ALL" in wanted
        or "ALL" in contact["notificationCategorySubscriptions"]
    ]
    return {"contacts": found} if found else {}


def send_test(call: Call) -> Document:
    """Nothing is sent; unknown contacts are refused."""
    for name in call.body.get("contacts", []):
        if call.cloud.store.get(Contact.kind, call.cloud.hierarchy.canonical(name)) is None:
            raise NotFound("Requested entity was not found.")
    return {}


SERVICE = Service(
    name="essentialcontacts",
    title="Essential Contacts API",
    resources=(Contact,),
    handlers={
        "essentialcontacts.contacts.compute": compute,
        "essentialcontacts.contacts.sendTestMessage": send_test,
    },
)
