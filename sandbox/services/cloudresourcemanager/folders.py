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
#: What the older version shows besides names, and how it calls it.
OLDER = ("displayName", "state", "createTime")
OLDER_FIELDS = {"state": "lifecycleState"}
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

    def accept(self, call: Call) -> Document:
        """In the older version the parent is a parameter."""
        body: Document = super().accept(call)
        if older(call) and call.method.action == "create":
            body["parent"] = call.query.get("parent", "")
        return body

    def view(self, call: Call, document: Document) -> Document:
        """In the shape of the called version."""
        shown = super().view(call, document)
        if older(call):
            shown = {OLDER_FIELDS.get(key, key): shown[key] for key in ("name", "parent", *OLDER) if key in shown}
        return shown

    def stamp(self, call: Call, document: Document, *, created: bool) -> None:
        """The older version shows fewer times; all are kept."""
        super().stamp(call, document, created=created)
        document["updateTime"] = call.cloud.clock.timestamp()

    def answer(self, call: Call, name: str, document: Document) -> Any:
        """The folder, or the operation that holds it, in the called version."""
        if not call.method.long_running:
            return self.view(call, document)
        version = "v2" if older(call) else "v3"
        kind = f"type.googleapis.com/google.cloud.resourcemanager.{version}.Folder"
        return self.operation(call, name, {"@type": kind, **self.view(call, document)})

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
        found = [f for f in call.cloud.store.documents(FOLDERS) if f["parent"] == call.query.get("parent")]
        return [f for f in found if f["state"] == "ACTIVE" or call.query.get("showDeleted") == "true"]

    def delete(self, call: Call) -> Any:
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
        return self.answer(call, call.name, document)

    def operation_name(self, call: Call, name: str) -> str:
        """Folder operations have a flat name."""
        return flat_operation(call, "fc", name)

    def missing(self, call: Call) -> PermissionDenied:  # type: ignore[override]  # 403, as Google hides it
        """Google does not tell whether a foreign folder exists."""
        return PermissionDenied("The caller does not have permission")


def older(call: Call) -> bool:
    """Whether the call is one of ``v2``, which gcloud speaks."""
    return call.method.version.startswith("v2")


def search(call: Call) -> Document:
    """``query`` terms: ``state``, ``parent``, ``displayName``."""
    query = str(call.body.get("query") or call.query.get("query", ""))
    terms = {
        {"lifecycleState": "state"}.get(key, key): value.strip('"')
        for key, value in re.findall(r'(\w+)\s*=\s*("[^"]*"|\S+)', query)
    }
    found = [f for f in call.cloud.store.documents(FOLDERS) if all(f.get(key) == value for key, value in terms.items())]
    return {"folders": [Folder().view(call, folder) for folder in found]} if found else {}


def move(call: Call) -> Any:
    """Give a folder another parent."""
    folder = Folder()
    document = folder.read(call)
    document["parent"] = call.body.get("destinationParent", "")
    folder.prepare(call, document)
    call.cloud.store.put(FOLDERS, call.name, document)
    return folder.answer(call, call.name, document)


def undelete(call: Call) -> Any:
    """Take back a deletion request; the name must still be free."""
    folder = Folder()
    document = folder.read(call)
    if document["state"] != "DELETE_REQUESTED":
        raise FailedPrecondition("Folder is not in the DELETE_REQUESTED state.")
    folder.prepare(call, document)
    call.cloud.store.put(FOLDERS, call.name, document)
    return folder.answer(call, call.name, document)


def to_parent(call: Call) -> tuple[str, str]:
    """Creating needs a permission on the parent."""
    return "cloudresourcemanager", call.body.get("parent") or call.query.get("parent", "")


HANDLERS = {
    "cloudresourcemanager.folders.search": search,
    "cloudresourcemanager.folders.move": move,
    "cloudresourcemanager.folders.undelete": undelete,
}
TARGETS = {"cloudresourcemanager.folders.create": to_parent, "cloudresourcemanager.folders.list": to_parent}
