"""Projects. One neutral document each; v1 and v3 are two views of it."""

from __future__ import annotations

import re
from typing import Any

from sandbox.call import Call
from sandbox.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from sandbox.hierarchy import NUMBERS, PROJECTS
from sandbox.paging import page
from sandbox.resources import Resource
from sandbox.services.cloudresourcemanager.operations import flat_operation
from sandbox.services.cloudresourcemanager.queries import admits
from sandbox.services.logging.settings import adopt
from sandbox.services.serviceusage.enablement import enable

Document = dict[str, Any]

ID = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
LABEL_VALUE = re.compile(r"[a-z0-9_-]{0,63}")

#: Enabled in every new project:
#: https://docs.cloud.google.com/service-usage/docs/enabled-service (read 2026-08).
DEFAULT_SERVICES = (
    "analyticshub",
    "bigquery",
    "bigqueryconnection",
    "bigquerydatapolicy",
    "bigquerymigration",
    "bigqueryreservation",
    "bigquerystorage",
    "cloudapis",
    "cloudtrace",
    "dataform",
    "dataplex",
    "datastore",
    "logging",
    "monitoring",
    "servicemanagement",
    "serviceusage",
    "sql-component",
    "storage",
    "storage-api",
    "storage-component",
)


class Project(Resource):
    """A project by id."""

    kind = PROJECTS
    package = "google.cloudresourcemanager.v1"

    def create(self, call: Call) -> Document:
        """Create below an organisation or folder; the id can never be used again."""
        body = call.body
        project_id = body.get("projectId", "")
        if not ID.fullmatch(project_id):
            raise InvalidArgument(
                f"field [project_id] has issue [project_id contains invalid characters: {project_id!r}]: 6 to 30 "
                "lower-case letters, digits and hyphens, a letter first."
            )
        parent = parent_name(call)
        if parent and not any(call.cloud.store.get(kind, parent) for kind in PARENT_KINDS):
            raise PermissionDenied("The caller does not have permission")
        if call.cloud.store.get(PROJECTS, f"projects/{project_id}"):
            raise AlreadyExists("Requested entity already exists")
        check_labels(body.get("labels", {}))
        number = call.cloud.identifiers.number("projectNumber", 12)
        document = {
            "projectId": project_id,
            "projectNumber": number,
            "displayName": body.get("displayName") or body.get("name") or project_id,
            "parent": parent,
            "labels": body.get("labels", {}),
            "state": "ACTIVE",
            "createTime": call.cloud.clock.timestamp(),
            "updateTime": call.cloud.clock.timestamp(),
        }
        call.cloud.store.put(PROJECTS, f"projects/{project_id}", document)
        call.cloud.store.put(NUMBERS, number, {"projectId": project_id})
        enable(call.cloud, project_id, [f"{name}.googleapis.com" for name in DEFAULT_SERVICES])
        grant_owner(call, project_id)
        adopt(call.cloud, f"projects/{project_id}")
        return finished(call, document, "ProjectCreationStatus", {"gettable": True, "ready": True})

    def read(self, call: Call) -> Document:
        """The project by id or number; 403 hides whether a foreign one exists."""
        document = call.cloud.hierarchy.project(call.name.split("/")[1])
        if document is None:
            raise PermissionDenied("The caller does not have permission")
        return document

    def listing(self, call: Call) -> Document:
        """Projects below a parent (v3), or all (v1)."""
        wanted = call.query.get("parent")
        query = call.query.get("filter", "")
        projects = [
            p
            for p in call.cloud.projects()
            if (not wanted or p["parent"] == wanted) and p["state"] == "ACTIVE" and admits(query, p)
        ]
        shown, following = page(projects, call.query)
        answer: Document = {"projects": [self.view(call, p) for p in shown]} if shown else {}
        return {**answer, "nextPageToken": following} if following else answer

    def update(self, call: Call) -> Document:
        """v1: replace name, labels and parent."""
        document = self.read(call)
        check_labels(call.body.get("labels", {}))
        document["displayName"] = call.body.get("name", document["displayName"])
        document["labels"] = call.body.get("labels", {})
        if call.body.get("parent"):
            document["parent"] = parent_name(call)
        return self.view(call, self.keep(call, document))

    def patch(self, call: Call) -> Document:
        """v3: change name and labels."""
        document = self.read(call)
        paths = call.query.get("updateMask", "displayName,labels")
        for field in ("displayName", "labels"):
            if field in paths or field.replace("N", "_n") in paths:
                kept = {} if "updateMask" in call.query else document[field]
                document[field] = call.body.get(field, kept)
        check_labels(document["labels"])
        return finished(call, self.keep(call, document), "UpdateProjectMetadata", {})

    def delete(self, call: Call) -> Document:
        """Request deletion: what runs in it ends; it stays readable for 30 days and its id stays taken."""
        document = self.read(call)
        number = document["projectNumber"]
        liens = call.cloud.store.documents("cloudresourcemanager.liens")
        origins = sorted({lien.get("origin", "") for lien in liens if lien["parent"] == f"projects/{number}"})
        if origins:
            raise FailedPrecondition(
                f"A lien to prevent deletion was placed on the project by [{', '.join(origins)}]. Remove the lien to "
                "allow deletion."
            )
        document["state"] = "DELETE_REQUESTED"
        self.keep(call, document)
        call.cloud.instances.stop_project(document["projectId"])
        return {} if call.method.version == "v1" else finished(call, document, "DeleteProjectMetadata", {})

    @staticmethod
    def keep(call: Call, document: Document) -> Document:
        """Store a change."""
        document["updateTime"] = call.cloud.clock.timestamp()
        call.cloud.store.put(PROJECTS, f"projects/{document['projectId']}", document)
        return document

    def view(self, call: Call, document: Document) -> Document:
        """The shape of the called version."""
        return shape(document, call.method.version)

    def missing(self, call: Call) -> NotFound:
        """Unused in v1 answers, which hide existence."""
        return NotFound(f"Project {call.name} not found.")


MOVE = "resourcemanager.projects.move"
PARENT_KINDS = ("cloudresourcemanager.organizations", "cloudresourcemanager.folders")


def shape(document: Document, version: str) -> Document:
    """A project in the shape of v1 or v3."""
    parent = document["parent"]
    labels = {"labels": document["labels"]} if document["labels"] else {}
    if version == "v3":
        return {
            "name": f"projects/{document['projectNumber']}",
            **({"parent": parent} if parent else {}),
            "projectId": document["projectId"],
            "state": document["state"],
            "displayName": document["displayName"],
            "createTime": document["createTime"],
            "updateTime": document["updateTime"],
            "etag": f'W/"{document["updateTime"][-10:-1]}"',
            **labels,
        }
    kind, _, number = parent.partition("/")
    return {
        "projectNumber": document["projectNumber"],
        "projectId": document["projectId"],
        "lifecycleState": document["state"],
        "name": document["displayName"],
        "createTime": document["createTime"],
        **labels,
        **({"parent": {"type": kind.removesuffix("s"), "id": number}} if parent else {}),
    }


def parent_name(call: Call) -> str:
    """``organizations/N`` or ``folders/N`` from either version's body; empty when there is none."""
    parent = call.body.get("parent", "")
    if isinstance(parent, dict):
        return f"{parent.get('type', '')}s/{parent.get('id', '')}" if parent.get("id") else ""
    return str(parent)


def check_labels(labels: dict[str, str]) -> None:
    """Refuse labels that break Google's rules."""
    for key, value in labels.items():
        if not LABEL_KEY.fullmatch(key) or not LABEL_VALUE.fullmatch(value):
            raise InvalidArgument(
                f"field [labels] has issue [invalid label: {key}={value}]: lower-case letters, digits, underscores and "
                "hyphens, at most 63, a letter first in the key."
            )


def grant_owner(call: Call, project_id: str) -> None:
    """The creator owns the new project."""
    resource = f"//cloudresourcemanager.googleapis.com/projects/{project_id}"
    call.cloud.policies.replace(resource, {"bindings": [{"role": "roles/owner", "members": [call.principal.member]}]})


def finished(call: Call, document: Document, metadata: str, status: Document) -> Document:
    """A finished operation of either version."""
    version = call.method.version
    package = "google.cloudresourcemanager.v1" if version == "v1" else "google.cloud.resourcemanager.v3"
    name = flat_operation(call, "cp", f"projects/{document['projectId']}")
    response = {"@type": f"type.googleapis.com/{package}.Project", **shape(document, version)}
    return call.cloud.operations.finished(
        "cloudresourcemanager", name, response, {"@type": f"type.googleapis.com/{package}.{metadata}", **status}
    )


def search(call: Call) -> Document:
    """v3 search: projects that the query admits."""
    query = call.query.get("query", "")
    shown, following = page([p for p in call.cloud.projects() if admits(query, p)], call.query)
    answer: Document = {"projects": [shape(p, "v3") for p in shown]} if shown else {}
    return {**answer, "nextPageToken": following} if following else answer


def undelete(call: Call) -> Document:
    """Take back a deletion request."""
    project = Project()
    document = project.read(call)
    if document["state"] != "DELETE_REQUESTED":
        raise FailedPrecondition("Precondition check failed.")
    document["state"] = "ACTIVE"
    project.keep(call, document)
    return {} if call.method.version == "v1" else finished(call, document, "UndeleteProjectMetadata", {})


def move(call: Call) -> Document:
    """v3: give the project another parent, where the caller may move things to and from.

    Raises:
        PermissionDenied: he may not, on the parent it has or the one it is to have.
        InvalidArgument: that is no folder and no organisation, or the one it has.
    """
    project = Project()
    document = project.read(call)
    wanted = str(call.body.get("destinationParent", ""))
    kind = f"cloudresourcemanager.{wanted.partition('/')[0]}"
    if kind not in PARENT_KINDS or call.cloud.store.get(kind, wanted) is None or wanted == document["parent"]:
        raise InvalidArgument(f"Request contains an invalid argument: destinationParent {wanted!r}.")
    for parent in (document["parent"], wanted):
        call.cloud.permissions.require(call.principal, MOVE, "cloudresourcemanager", parent)
    document["parent"] = wanted
    return finished(call, project.keep(call, document), "MoveProjectMetadata", {})


def ancestry(call: Call) -> Document:
    """The project and everything above it."""
    Project().read(call)
    names = [name.split("/") for name in call.cloud.hierarchy.ancestors(call.name)]
    return {"ancestor": [{"resourceId": {"type": kind.removesuffix("s"), "id": number}} for kind, number in names]}


def to_parent(call: Call) -> tuple[str, str]:
    """Creating needs a permission on the parent."""
    return "cloudresourcemanager", parent_name(call) or call.query.get("parent", "")


HANDLERS = {
    "cloudresourcemanager.projects.search": search,
    "cloudresourcemanager.projects.undelete": undelete,
    "cloudresourcemanager.projects.getAncestry": ancestry,
    "cloudresourcemanager.projects.move": move,
}
TARGETS = {"cloudresourcemanager.projects.create": to_parent, "cloudresourcemanager.projects.list": to_parent}
