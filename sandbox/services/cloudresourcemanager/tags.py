"""Tag keys, tag values and their bindings."""

from __future__ import annotations

from typing import Any

from sandbox.call import Call
from sandbox.errors import FailedPrecondition, InvalidArgument
from sandbox.resources import Resource
from sandbox.services.cloudresourcemanager.operations import flat_operation

Document = dict[str, Any]


class Tag(Resource):
    """What keys and values share: numbered names, flat operations, one metadata type for each verb."""

    package = "google.cloud.resourcemanager.v3"

    def generate(self, call: Call) -> str:
        """Tags are numbered."""
        return call.cloud.identifiers.number(self.kind, 15)

    def operation_name(self, call: Call, name: str) -> str:
        """Flat operation names."""
        return flat_operation(call, "rctk", name)

    def operation_metadata(self, call: Call, name: str) -> Document:
        """``CreateTagKeyMetadata`` and the like."""
        verb = {"create": "Create", "patch": "Update", "delete": "Delete"}[call.method.action]
        return {"@type": f"type.googleapis.com/{self.package}.{verb}{self.message}Metadata"}

    def delete(self, call: Call) -> Document:
        """Answers with what was deleted."""
        document = self.read(call)
        self.deleting(call, document)
        call.cloud.store.delete(self.kind, call.name)
        return self.operation(
            call,
            call.name,
            {"@type": f"type.googleapis.com/{self.package}.{self.message}", **self.view(call, document)},
        )

    def select(self, call: Call, documents: list[Document]) -> list[Document]:
        """Children of the ``parent`` parameter."""
        parent = call.cloud.hierarchy.numbered(call.query.get("parent", ""))
        return [tag for tag in documents if tag["parent"] == parent]


class TagKey(Tag):
    """A tag key of an organisation or project."""

    kind = "cloudresourcemanager.tagKeys"
    message = "TagKey"

    def prepare(self, call: Call, document: Document) -> None:
        """Namespace by the organisation's number or the project's id."""
        parent = document.get("parent", "")
        if not parent or not document.get("shortName"):
            raise InvalidArgument("A tag key needs a parent and a shortName.")
        namespace = call.cloud.hierarchy.canonical(parent).rpartition("/")[2]
        document["parent"] = call.cloud.hierarchy.numbered(parent)
        document["namespacedName"] = f"{namespace}/{document['shortName']}"

    def deleting(self, call: Call, document: Document) -> None:
        """Its values must go first."""
        if any(v["parent"] == document["name"] for v in call.cloud.store.documents(TagValue.kind)):
            raise FailedPrecondition("Cannot delete tag key still containing tag values.")


class TagValue(Tag):
    """A value of a tag key."""

    kind = "cloudresourcemanager.tagValues"
    message = "TagValue"

    def prepare(self, call: Call, document: Document) -> None:
        """Namespace below its key."""
        key = call.cloud.store.get(TagKey.kind, document.get("parent", ""))
        if key is None or not document.get("shortName"):
            raise InvalidArgument("A tag value needs an existing tag key as parent and a shortName.")
        document["namespacedName"] = f"{key['namespacedName']}/{document['shortName']}"

    def deleting(self, call: Call, document: Document) -> None:
        """Nothing may be bound to it."""
        if any(b["tagValue"] == document["name"] for b in call.cloud.store.documents(TagBinding.kind)):
            raise FailedPrecondition("Cannot delete tag value still attached to resources.")


class TagBinding(Tag):
    """A tag value attached to a resource."""

    kind = "cloudresourcemanager.tagBindings"
    message = "TagBinding"

    def new_name(self, call: Call) -> str:
        """The resource's full name, encoded, then the value's number."""
        encoded = call.body.get("parent", "").replace("/", "%2F")
        return f"tagBindings/{encoded}/{call.body.get('tagValue', '')}"

    def prepare(self, call: Call, document: Document) -> None:
        """The value must exist."""
        value = call.cloud.store.get(TagValue.kind, document.get("tagValue", ""))
        if value is None:
            raise InvalidArgument(f"Tag value {document.get('tagValue')!r} does not exist.")
        document["tagValueNamespacedName"] = value["namespacedName"]

    def read(self, call: Call) -> Document:
        """Names arrive with their slashes decoded."""
        for name, document in call.cloud.store.items(self.kind):
            if name.replace("%2F", "/") == call.name.replace("%2F", "/"):
                call.name = name
                return document
        raise self.missing(call)

    def select(self, call: Call, documents: list[Document]) -> list[Document]:
        """Bindings of the ``parent`` parameter."""
        return [b for b in call.cloud.store.documents(self.kind) if b["parent"] == call.query.get("parent")]


def to_organization(call: Call) -> tuple[str, str]:
    """The parent's policy governs tags; without one, the organisation's."""
    parent = call.body.get("parent") or call.query.get("parent") or ""
    parent = parent if parent.startswith(("projects/", "organizations/")) else ""
    return "cloudresourcemanager", call.cloud.hierarchy.canonical(parent) or call.cloud.hierarchy.organization


TARGETS = {
    "cloudresourcemanager.tagKeys": to_organization,
    "cloudresourcemanager.tagValues": to_organization,
    "cloudresourcemanager.tagBindings": to_organization,
}
