"""Metrics scopes: which projects' series a project sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.errors import AlreadyExists, NotFound, PermissionDenied

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]

KIND = "monitoring.monitoredProjects"
PREFIX = "locations/global/metricsScopes/"
PACKAGE = "type.googleapis.com/google.monitoring.metricsscope.v1."


def project_of(call: Call, identity: str) -> Document:
    """The project of an id or number.

    Raises:
        PermissionDenied: there is none.
    """
    project = call.cloud.hierarchy.project(identity)
    if project is None or project["state"] != "ACTIVE":
        raise PermissionDenied(f"Permission denied on resource project {identity} (or it may not exist).")
    return project


def scope_project(call: Call) -> Document:
    """The project that a call's scope belongs to."""
    return project_of(call, call.name.removeprefix(PREFIX).split("/")[0])


def get(call: Call) -> Document:
    """A scope with its projects, its own first."""
    own = scope_project(call)
    name = f"{PREFIX}{own['projectNumber']}"
    others = call.cloud.store.documents(KIND, f"{name}/projects")
    return {
        "name": name,
        "createTime": own["createTime"],
        "updateTime": others[-1]["createTime"] if others else own["createTime"],
        "monitoredProjects": [
            {"name": f"{name}/projects/{own['projectNumber']}", "createTime": own["createTime"]},
            *others,
        ],
    }


def by_monitored(call: Call) -> Document:
    """The scopes that see a project."""
    asked = call.query.get("monitoredResourceContainer", "").removeprefix("projects/")
    number = str(project_of(call, asked)["projectNumber"])
    found = [number] + [
        name.removeprefix(PREFIX).split("/")[0]
        for name, _ in call.cloud.store.items(KIND)
        if name.endswith(f"/projects/{number}")
    ]
    return {"metricsScopes": [{"name": f"{PREFIX}{scope}"} for scope in found]}


def add(call: Call) -> Document:
    """Let a scope see another project."""
    scope = scope_project(call)
    number = project_of(call, str(call.body.get("name", "")).rpartition("/")[2])["projectNumber"]
    name = f"{PREFIX}{scope['projectNumber']}/projects/{number}"
    if call.cloud.store.get(KIND, name) or number == scope["projectNumber"]:
        raise AlreadyExists(f"{name} already exists.")
    document = {"name": name, "createTime": call.cloud.clock.timestamp()}
    call.cloud.store.put(KIND, name, document)
    return finished(call, name, {"@type": f"{PACKAGE}MonitoredProject", **document})


def remove(call: Call) -> Document:
    """Let a scope no longer see a project."""
    scope = scope_project(call)
    number = project_of(call, call.name.rpartition("/")[2])["projectNumber"]
    name = f"{PREFIX}{scope['projectNumber']}/projects/{number}"
    if not call.cloud.store.delete(KIND, name):
        raise NotFound(f"{name} was not found.")
    return finished(call, name, {"@type": "type.googleapis.com/google.protobuf.Empty"})


def finished(call: Call, name: str, response: Document) -> Document:
    """A finished operation."""
    now = call.cloud.clock.timestamp()
    metadata = {"@type": f"{PACKAGE}OperationMetadata", "createTime": now, "updateTime": now, "state": "DONE"}
    make = call.cloud.identifiers.uuid
    number = call.cloud.operations.slots.claim("monitoring", name, lambda: make("operations"))
    return call.cloud.operations.finished("monitoring", f"operations/{number}", response, metadata)


def target(call: Call) -> tuple[str, str]:
    """The scope's project's policy governs it."""
    identity = call.name.removeprefix(PREFIX).split("/")[0]
    return "cloudresourcemanager", call.cloud.hierarchy.canonical(f"projects/{identity}")


def by_monitored_target(call: Call) -> tuple[str, str]:
    """The monitored project's policy governs the question for its scopes."""
    asked = call.query.get("monitoredResourceContainer", "")
    return "cloudresourcemanager", call.cloud.hierarchy.canonical(asked)


HANDLERS = {
    "monitoring.metricsScopes.get": get,
    "monitoring.metricsScopes.listMetricsScopesByMonitoredProject": by_monitored,
    "monitoring.projects.create": add,
    "monitoring.projects.delete": remove,
}
TARGETS = {
    "monitoring.metricsScopes.get": target,
    "monitoring.metricsScopes.listMetricsScopesByMonitoredProject": by_monitored_target,
    "monitoring.projects": target,
}
