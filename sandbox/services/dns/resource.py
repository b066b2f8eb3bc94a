"""What the collections of Cloud DNS share: kinds, lists with a header, plain updates."""

from __future__ import annotations

from typing import Any, ClassVar

from sandbox.call import Call
from sandbox.errors import AlreadyExists, NotFound
from sandbox.fields import merge
from sandbox.paging import page
from sandbox.resources import Resource
from sandbox.services.dns import refusals

Document = dict[str, Any]

PAGE = 100


class DnsResource(Resource):
    """One collection of Cloud DNS."""

    short_name = True
    #: ``kind`` of the documents, without ``dns#``.
    noun: ClassVar[str] = ""
    #: ``kind`` of lists, without ``dns#``.
    list_noun: ClassVar[str] = ""
    #: The field that names a document.
    naming: ClassVar[str] = "name"
    #: Documents have a number.
    with_id: ClassVar[bool] = True

    def identifier(self, call: Call) -> str:
        """The body's name."""
        name = call.body.get(self.naming, "")
        if not isinstance(name, str) or not name or "/" in name:
            raise refusals.invalid(f"entity.{self.noun}.{self.naming}", name)
        return name

    def missing(self, call: Call) -> NotFound:
        """Names the resource."""
        return refusals.missing(self.noun, call.name)

    def duplicate(self, call: Call, name: str) -> AlreadyExists:
        """Names the part of the request."""
        return refusals.taken(f"entity.{self.noun}", name.rpartition("/")[2])

    def stamp(self, call: Call, document: Document, *, created: bool) -> None:
        """Kind and number."""
        if created:
            document["kind"] = f"dns#{self.noun}"
            if self.with_id:
                document["id"] = call.cloud.identifiers.number("dns.id", 19)

    def accept(self, call: Call) -> Document:
        """The body without what only the server writes, and without empty lists."""
        body = super().accept(call)
        for field in ("id", "creationTime", "nameServers"):
            body.pop(field, None)
        return {key: without_empty_lists(value) for key, value in body.items()}

    def patch(self, call: Call) -> Document:
        """Replace the fields that the body names."""
        before = self.read(call)
        body = self.accept(call)
        body.pop(self.naming, None)
        return self.replace(call, before, merge(before, {**body, **self.clearing(call)}))

    def update(self, call: Call) -> Document:
        """Replace all that a caller may write."""
        before = self.read(call)
        kept = ("id", "kind", "creationTime", "nameServers", self.naming)
        fixed = {key: value for key, value in before.items() if key in kept or key.startswith("_")}
        return self.replace(call, before, {**self.accept(call), **fixed})

    def replace(self, call: Call, before: Document, after: Document) -> Document:
        """Store an update; answers with the document below its noun."""
        self.changed(call, before, after)
        call.cloud.store.put(self.kind, call.name, after)
        return {self.noun: self.view(call, after)}

    def delete(self, call: Call) -> Document:
        """Remove the resource."""
        document = self.read(call)
        self.deleting(call, document)
        call.cloud.store.delete(self.kind, call.name)
        return {}

    def answer(self, call: Call, name: str, document: Document) -> Document:
        """The document itself: creations are not long-running."""
        del name
        return self.view(call, document)

    def listing(self, call: Call) -> Document:
        """A page with the list's header."""
        found = self.select(call, call.cloud.store.documents(self.kind, call.name))
        items, following = page(found, call.query, default=PAGE)
        return {
            "kind": f"dns#{self.list_noun}ListResponse",
            **({self.list_field(call.method): [self.view(call, item) for item in items]} if items else {}),
            **({"nextPageToken": following} if following else {}),
        }


def without_empty_lists(value: Any) -> Any:
    """An object without its empty lists, which Cloud DNS does not keep."""
    if isinstance(value, dict):
        return {key: without_empty_lists(item) for key, item in value.items() if item != []}
    return value
