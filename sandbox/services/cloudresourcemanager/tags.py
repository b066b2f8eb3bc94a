"""Tag keys, tag values, their bindings to resources, holds, and the tags a resource has in effect.

https://docs.cloud.google.com/resource-manager/docs/tags/tags-creating-and-managing (read 2026-08); errors and shapes as
recorded.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, unquote

from sandbox.call import Call
from sandbox.errors import AlreadyExists, ApiError, FailedPrecondition, InvalidArgument, PermissionDenied
from sandbox.hierarchy import RESOURCE_MANAGER
from sandbox.resources import Resource
from sandbox.services.cloudresourcemanager.operations import flat_operation

Document = dict[str, Any]

SHORT_NAME = re.compile(r"[^'\"\\/]{1,256}")
#: Purposes a key can have, and the data they need.
PURPOSES = {"GCE_FIREWALL": {"network", "organization"}, "DATA_GOVERNANCE": set()}
TYPE = "type.googleapis.com/google.cloud.resourcemanager.v3."


class Tag(Resource):
    """What keys and values share: numbered names, flat operations, one metadata type for each verb."""

    package = "google.cloud.resourcemanager.v3"

    def generate(self, call: Call) -> str:
        """Tags are numbered."""
        return call.cloud.identifiers.number(self.kind, 15)

    def identifier(self, call: Call) -> str:
        """Nobody chooses one."""
        return self.generate(call)

    def operation_name(self, call: Call, name: str) -> str:
        """Flat operation names."""
        return flat_operation(call, "rctk", name)

    def operation_metadata(self, call: Call, name: str) -> Document:
        """``CreateTagKeyMetadata`` and the like."""
        verb = {"create": "Create", "patch": "Update", "delete": "Delete"}[call.method.action]
        return {"@type": f"{TYPE}{verb}{self.message}Metadata"}

    def create(self, call: Call) -> Any:
        """A short name that is taken fails the operation, not the request."""
        try:
            return super().create(call)
        except AlreadyExists as error:
            taken = f"{call.body.get('parent', '')}/{call.body.get('shortName', '')}"
            metadata = self.operation_metadata(call, taken)
            return call.cloud.operations.failed(
                "cloudresourcemanager", self.operation_name(call, taken), error, metadata
            )

    def unique(self, call: Call, document: Document) -> None:
        """Siblings have different short names.

        Raises:
            InvalidArgument: the short name is malformed.
            AlreadyExists: it is taken.
        """
        name, parent = document.get("shortName", ""), document["parent"]
        if not SHORT_NAME.fullmatch(name):
            raise InvalidArgument("A short name has 1 to 256 characters other than quotes, slashes and backslashes.")
        for other in call.cloud.store.documents(self.kind):
            if (other["parent"], other["shortName"]) == (parent, name):
                raise AlreadyExists(f"A {self.message} with short name '{name}' already exists under parent '{parent}'")

    def delete(self, call: Call) -> Document:
        """Answers with what was deleted."""
        document = self.read(call)
        self.check_etag(call, document)
        self.deleting(call, document)
        call.cloud.store.delete(self.kind, call.name)
        call.cloud.store.delete("iam.policies", RESOURCE_MANAGER + call.name)
        return self.operation(call, call.name, {"@type": f"{TYPE}{self.message}", **self.view(call, document)})

    def select(self, call: Call, documents: list[Document]) -> list[Document]:
        """Children of the ``parent`` parameter."""
        parent = call.cloud.hierarchy.numbered(call.query.get("parent", ""))
        return [tag for tag in documents if tag["parent"] == parent]

    def missing(self, call: Call) -> ApiError:  # type: ignore[override]  # 403, as Google hides it
        """Google does not tell whether a foreign tag exists."""
        return hidden(call.name)


def hidden(name: str) -> PermissionDenied:
    """The refusal of a tag that is not there, or that the caller may not see."""
    return PermissionDenied(f"Permission denied on resource '{name}' (or it may not exist).")


class TagKey(Tag):
    """A tag key of an organisation or project."""

    kind = "cloudresourcemanager.tagKeys"
    message = "TagKey"
    immutable = ("shortName", "parent", "purpose", "purposeData")

    def prepare(self, call: Call, document: Document) -> None:
        """Namespace by the organisation's number or the project's id."""
        parent = call.cloud.hierarchy.numbered(document.get("parent", ""))
        if not parent.startswith(("organizations/", "projects/")) or not document.get("shortName"):
            raise InvalidArgument("A tag key needs a shortName and a parent, an organization or a project.")
        document["parent"] = parent
        purpose = document.get("purpose")
        if purpose and purpose not in PURPOSES:
            raise InvalidArgument(f"Unknown purpose {purpose!r} of a tag key: {', '.join(PURPOSES)}.")
        if purpose == "GCE_FIREWALL" and not PURPOSES[purpose] & set(document.get("purposeData", {})):
            raise InvalidArgument("A tag key for firewalls needs purposeData with 'network' or 'organization'.")
        self.unique(call, document)
        namespace = call.cloud.hierarchy.canonical(parent).rpartition("/")[2]
        document["namespacedName"] = f"{namespace}/{document['shortName']}"

    def deleting(self, call: Call, document: Document) -> None:
        """Its values must go first."""
        if any(v["parent"] == document["name"] for v in call.cloud.store.documents(TagValue.kind)):
            raise FailedPrecondition("Cannot delete tag key still containing tag values.")


class TagValue(Tag):
    """A value of a tag key."""

    kind = "cloudresourcemanager.tagValues"
    message = "TagValue"
    immutable = ("shortName", "parent")

    def prepare(self, call: Call, document: Document) -> None:
        """Namespace below its key."""
        key = call.cloud.store.get(TagKey.kind, document.get("parent", ""))
        if key is None or not document.get("shortName"):
            raise InvalidArgument("A tag value needs an existing tag key as parent and a shortName.")
        self.unique(call, document)
        document["namespacedName"] = f"{key['namespacedName']}/{document['shortName']}"

    def deleting(self, call: Call, document: Document) -> None:
        """Nothing may be bound to it, or hold it."""
        if any(b["tagValue"] == document["name"] for b in call.cloud.store.documents(TagBinding.kind)):
            raise FailedPrecondition("Cannot delete tag value still attached to resources.")
        if call.cloud.store.documents(TagHold.kind, f"{document['name']}/tagHolds"):
            raise FailedPrecondition("Cannot delete tag value with tag holds on it.")


class TagHold(Tag):
    """What keeps a tag value from being deleted."""

    kind = "cloudresourcemanager.tagHolds"
    message = "TagHold"

    def prepare(self, call: Call, document: Document) -> None:
        """Who holds it."""
        if call.cloud.store.get(TagValue.kind, call.name.removesuffix("/tagHolds")) is None:
            raise hidden(call.name.removesuffix("/tagHolds"))
        if not document.get("holder"):
            raise InvalidArgument("A tag hold needs a holder: the full name of the resource that uses the tag value.")

    def select(self, call: Call, documents: list[Document]) -> list[Document]:
        """Those of the value."""
        del call
        return documents


class TagBinding(Tag):
    """A tag value attached to a resource."""

    kind = "cloudresourcemanager.tagBindings"
    message = "TagBinding"

    def create(self, call: Call) -> Any:
        """The request names the value by its number or by its namespaced name."""
        values = call.cloud.store.documents(TagValue.kind)
        asked = call.body.get("tagValue"), call.body.get("tagValueNamespacedName")
        value = next((v for v in values if v["name"] == asked[0] or v["namespacedName"] == asked[1]), None)
        if value is None:
            raise InvalidArgument(f"Tag value {asked[0] or asked[1]!r} does not exist.")
        require_value(call, value, "create")
        call.body["tagValue"] = value["name"]
        call.body["tagValueNamespacedName"] = value["namespacedName"]
        parent = call.body["parent"] = numbered(call, call.body.get("parent", ""))
        if not parent.startswith("//") or "/" not in parent[2:]:
            raise InvalidArgument("The parent of a tag binding is a full resource name, //service.googleapis.com/...")
        for other in call.cloud.store.documents(self.kind):
            key = other["tagValueNamespacedName"].rpartition("/")[0]
            if other["parent"] == parent and key == value["namespacedName"].rpartition("/")[0]:
                raise AlreadyExists(f"A binding to a value of the tag key {key} already exists on {parent}.")
        return Resource.create(self, call)

    def new_name(self, call: Call) -> str:
        """The resource's full name, encoded, then the value's number."""
        return f"tagBindings/{quote(call.body['parent'], safe='')}/{call.body['tagValue']}"

    def accept(self, call: Call) -> Document:
        """The namespaced name is answered too."""
        named = {"tagValueNamespacedName": call.body["tagValueNamespacedName"]}
        return {**super().accept(call), **named}

    def read(self, call: Call) -> Document:
        """Names arrive with their slashes decoded, and with the project's id or number."""
        wanted = unquote(call.name).removeprefix("tagBindings/")
        resource, _, value = wanted.rpartition("/tagValues/")
        call.name = f"tagBindings/{quote(numbered(call, resource), safe='')}/tagValues/{value}"
        return super().read(call)

    def select(self, call: Call, documents: list[Document]) -> list[Document]:
        """Bindings of the ``parent`` parameter."""
        parent = numbered(call, call.query.get("parent", ""))
        return [b for b in call.cloud.store.documents(self.kind) if b["parent"] == parent]

    def operation(self, call: Call, name: str, response: Document) -> Document:
        """Done at once, and without a name."""
        del name
        return {"done": True, "metadata": self.operation_metadata(call, ""), "response": response}

    def delete(self, call: Call) -> Document:
        """Answers with nothing."""
        binding = self.read(call)
        if value := call.cloud.store.get(TagValue.kind, binding["tagValue"]):
            require_value(call, value, "delete")
        call.cloud.store.delete(self.kind, call.name)
        return self.operation(call, call.name, {"@type": "type.googleapis.com/google.protobuf.Empty"})


def require_value(call: Call, value: Document, verb: str) -> None:
    """Attaching a value, and taking it away, needs a permission on the value besides the one on the resource.

    https://docs.cloud.google.com/resource-manager/docs/tags/tags-creating-and-managing (read 2026-08).
    """
    key = call.cloud.store.get(TagKey.kind, value["parent"]) or {}
    holder = call.cloud.hierarchy.canonical(key.get("parent", "")) or call.cloud.hierarchy.organization
    needed = f"resourcemanager.tagValueBindings.{verb}"
    call.cloud.permissions.require(call.principal, needed, "cloudresourcemanager", holder)


def numbered(call: Call, resource: str) -> str:
    """A full resource name with its project's number for the id."""
    host, slash, name = resource.removeprefix("//").partition("/")
    return f"//{host}{slash}{call.cloud.hierarchy.numbered(name)}" if resource.startswith("//") else resource


def by_namespace(resource: Tag, call: Call) -> Document:
    """A key or value by its namespaced name.

    Raises:
        PermissionDenied: there is none.
    """
    wanted = call.query.get("name", "")
    namespace, slash, rest = wanted.partition("/")
    project = call.cloud.hierarchy.project(namespace)
    by_id = f"{project['projectId']}{slash}{rest}" if project else wanted
    for document in call.cloud.store.documents(resource.kind):
        if document["namespacedName"] in {wanted, by_id}:
            return resource.view(call, document)
    raise hidden(wanted)


def effective(call: Call) -> Document:
    """The tags of a resource: its own, and those inherited from its project, folders and organisation."""
    parent = numbered(call, call.query.get("parent", ""))
    name = parent.removeprefix(RESOURCE_MANAGER)
    chain = [parent]
    if parent.startswith("//"):
        root = "/".join(parent[2:].partition("/")[2].split("/")[:2]) if name == parent else name
        ancestors = call.cloud.hierarchy.ancestors(call.cloud.hierarchy.canonical(root))
        chain += [RESOURCE_MANAGER + call.cloud.hierarchy.numbered(a) for a in ancestors]
    found: dict[str, Document] = {}
    for place in dict.fromkeys(chain):
        for binding in call.cloud.store.documents(TagBinding.kind):
            if binding["parent"] != place:
                continue
            value = call.cloud.store.get(TagValue.kind, binding["tagValue"]) or {}
            key = call.cloud.store.get(TagKey.kind, value.get("parent", "")) or {}
            tag = {
                "tagValue": binding["tagValue"],
                "namespacedTagValue": binding["tagValueNamespacedName"],
                "tagKey": value.get("parent", ""),
                "namespacedTagKey": key.get("namespacedName", ""),
                "tagKeyParentName": key.get("parent", ""),
            }
            if place != parent:
                tag["inherited"] = True
            found.setdefault(tag["tagKey"], tag)  # nearest wins
    return {"effectiveTags": list(found.values())} if found else {}


def to_organization(call: Call) -> tuple[str, str]:
    """The parent's policy governs tags; without one, the organisation's. A binding's name begins with its parent's."""
    parent = call.body.get("parent") or call.query.get("parent") or ""
    if call.name.startswith("tagBindings/"):
        parent = unquote(call.name).removeprefix("tagBindings/").rpartition("/tagValues/")[0]
    if parent.startswith(RESOURCE_MANAGER):
        parent = parent.removeprefix(RESOURCE_MANAGER)
    parent = parent if parent.startswith(("projects/", "organizations/", "folders/")) else ""
    return "cloudresourcemanager", call.cloud.hierarchy.canonical(parent) or call.cloud.hierarchy.organization


HANDLERS = {
    "cloudresourcemanager.effectiveTags.list": effective,
    "cloudresourcemanager.tagKeys.getNamespaced": lambda call: by_namespace(TagKey(), call),
    "cloudresourcemanager.tagValues.getNamespaced": lambda call: by_namespace(TagValue(), call),
}
TARGETS = {
    "cloudresourcemanager.effectiveTags": to_organization,
    "cloudresourcemanager.tagBindings": to_organization,
    "cloudresourcemanager.tagHolds": to_organization,
    "cloudresourcemanager.tagKeys": to_organization,
    "cloudresourcemanager.tagValues": to_organization,
}
