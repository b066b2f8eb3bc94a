"""Folders."""

from __future__ import annotations

import re
from typing import Any

from sandbox.call import Call
from sandbox.errors import FailedPrecondition, InvalidArgument, PermissionDenied
from sandbox.hierarchy import FOLDERS
from sandbox.resources import Resource
from sandbox.services.cloudresourcemanager.operations import flat_operation

Document = dict[str, Any]
PARENTS = ("cloudresourcemanager.organizations", FOLDERS)


class Folder(Resource):
    """A folder below the organisation or another folder."""

    kind = FOLDERS
    package = "google.cloud.resourcemanager.v3"

    def generate(self, call: Call) -> str:
        """Folders are numbered."""
        return call.cloud.identifiers.number("folders", 12)

    def prepare(self, call: Call, document: Document) -> None:
        """The parent must be there, the name free among its siblings."""
        parent = document.get("parent", "")
        if not any(call.cloud.store.get(kind, parent) for kind in PARENTS):
            raise PermissionDenied("The caller does not have permission")
        if not document.get("displayName"):
            raise InvalidArgument("Folder display name must not be empty.")
        self.unique(call, document)
        document["state"] = "ACTIVE"

    def unique(self, call: Call, document: Document) -> None:
        """Siblings have different display names."""
        for other in call.cloud.store.documents(FOLDERS):
            same = other["parent"] == document["parent"] and other["displayName"] == document["displayName"]
            if same and other["name"] != document["name"] and other["state"] == "ACTIVE":
                raise FailedPrecondition("Folder display name must be unique among its siblings.")

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """Renamed folders stay unique."""
        after["parent"] = before["parent"]
        self.unique(call, after)

    def select(self, call: Call, documents: list[Document]) -> list[Document]:
        """Children of the ``parent`` parameter."""
        del documents
        return [f for f in call.cloud.store.documents(FOLDERS) if f["parent"] == call.query.get("parent")]

    def delete(self, call: Call) -> Document:
        """Only an empty folder can go."""
        document = self.read(call)
        children = [
            f for f in call.cloud.store.documents(FOLDERS) if f["parent"] == call.name and f["state"] == "ACTIVE"
        ]
        children += [p for p in call.cloud.projects() if p["parent"] == call.name and p["state"] == "ACTIVE"]
        if children:
            raise FailedPrecondition(
                "Folder is not empty: it holds active folders or projects. Move or delete them first."
            )
        document["state"] = "DELETE_REQUESTED"
        self.stamp(call, document, created=False)
        call.cloud.store.put(FOLDERS, call.name, document)
        return self.operation(
            call, call.name, {"@type": "type.googleapis.com/google.cloud.resourcemanager.v3.Folder", **document}
        )

    def operation_name(self, call: Call, name: str) -> str:
        """Folder operations have a flat name."""
        return flat_operation(call, "fc", name)

    def missing(self, call: Call) -> PermissionDenied:  # type: ignore[override]  # 403, as Google hides it
        """Google does not tell whether a foreign folder exists."""
        return PermissionDenied("The caller does not have permission")


def search(call: Call) -> Document:
    """``query`` terms: ``state``, ``parent``, ``displayName``."""
    terms = {
        key: value.strip('"') for key, value in re.findall(r'(\w+)\s*=\s*("[^"]*"|\S+)', call.query.get("query", ""))
    }
    found = [f for f in call.cloud.store.documents(FOLDERS) if all(f.get(key) == value for key, value in terms.items())]
    return {"folders": found} if found else {}


def move(call: Call) -> Document:
    """Give a folder another parent."""
    folder = Folder()
    document = folder.read(call)
    document["parent"] = call.body.get("destinationParent", "")
    folder.prepare(call, document)
    call.cloud.store.put(FOLDERS, call.name, document)
    return folder.operation(
        call, call.name, {"@type": "type.googleapis.com/google.cloud.resourcemanager.v3.Folder", **document}
    )


def undelete(call: Call) -> Document:
    """Take back a deletion request; the name must still be free."""
    folder = Folder()
    document = folder.read(call)
    if document["state"] != "DELETE_REQUESTED":
        raise FailedPrecondition("Folder is not in the DELETE_REQUESTED state.")
    folder.prepare(call, document)
    call.cloud.store.put(FOLDERS, call.name, document)
    return folder.operation(
        call, call.name, {"@type": "type.googleapis.com/google.cloud.resourcemanager.v3.Folder", **document}
    )


def to_parent(call: Call) -> tuple[str, str]:
    """Creating needs a permission on the parent."""
    return "cloudresourcemanager", call.body.get("parent") or call.query.get("parent", "")


HANDLERS = {
    "cloudresourcemanager.folders.search": search,
    "cloudresourcemanager.folders.move": move,
    "cloudresourcemanager.folders.undelete": undelete,
}
TARGETS = {"cloudresourcemanager.folders.create": to_parent, "cloudresourcemanager.folders.list": to_parent}
