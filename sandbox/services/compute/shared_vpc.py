"""Shared VPC: host projects, and the service projects that use their networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.services.compute import operations
from sandbox.services.compute.failures import Invalid
from sandbox.services.compute.regions import SETTINGS, change_project, project_view

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]

KIND = "compute.sharedVpcAttachments"


def enable_host(call: Call) -> Document:
    """Make the project a Shared VPC host."""
    return change_project(call, {"xpnProjectStatus": "HOST"})


def disable_host(call: Call) -> Document:
    """Make the project an ordinary one again.

    Raises:
        Invalid: service projects are still attached.
    """
    for attachment in attached(call):
        raise Invalid(f"The host project {call.project} still has the service project {attachment['service']}.")
    return change_project(call, {"xpnProjectStatus": "UNSPECIFIED_XPN_PROJECT_STATUS"})


def attached(call: Call) -> list[Document]:
    """Attachments to the called project."""
    return [a for a in call.cloud.store.documents(KIND) if a["host"] == call.project]


def service_project(call: Call) -> str:
    """The id of the service project that a request names.

    Raises:
        Invalid: it names none that exists.
    """
    resource = call.body.get("xpnResource", {})
    found = call.cloud.hierarchy.project(resource.get("id", ""))
    if resource.get("type", "PROJECT") != "PROJECT" or found is None:
        raise Invalid.value("xpnResource.id", resource.get("id", ""), "The referenced project cannot be found.")
    return str(found["projectId"])


def attach(call: Call) -> Document:
    """Let a service project use the host's networks.

    Raises:
        Invalid: the called project is no host, or the service project has another one.
    """
    settings = call.cloud.store.get(SETTINGS, f"projects/{call.project}") or {}
    if settings.get("xpnProjectStatus") != "HOST":
        raise Invalid(f"The project {call.project} is not a shared VPC host project: enable it as a host first.")
    service = service_project(call)
    current = call.cloud.store.get(KIND, f"projects/{service}")
    if current and current["host"] != call.project:
        raise Invalid(f"The project {service} is already attached to the host project {current['host']}.")
    call.cloud.store.put(KIND, f"projects/{service}", {"service": service, "host": call.project})
    return finished(call)


def detach(call: Call) -> Document:
    """End an attachment.

    Raises:
        Invalid: there is none.
    """
    service = service_project(call)
    current = call.cloud.store.get(KIND, f"projects/{service}")
    if current is None or current["host"] != call.project:
        message = f"The resource projects/{service} is not attached to the host project."
        raise Invalid(message, reason="invalidResourceUsage")
    call.cloud.store.delete(KIND, f"projects/{service}")
    return finished(call)


def finished(call: Call) -> Document:
    """The operation of a change of the called project."""
    return operations.finished(
        call, f"projects/{call.project}", call.cloud.hierarchy.project_number(call.project or "")
    )


def host(call: Call) -> Document:
    """The host of a service project; an empty answer when it has none."""
    attachment = call.cloud.store.get(KIND, f"projects/{call.project}")
    return project_view(call, attachment["host"]) if attachment else {}


def resources(call: Call) -> Document:
    """Service projects of a host."""
    found = [{"id": a["service"], "type": "PROJECT"} for a in attached(call)]
    return {"kind": "compute#projectsGetXpnResources", **({"resources": found} if found else {})}


def hosts(call: Call) -> Document:
    """Host projects of the organisation."""
    found = [
        project_view(call, project["projectId"])
        for project in call.cloud.projects()
        if (call.cloud.store.get(SETTINGS, f"projects/{project['projectId']}") or {}).get("xpnProjectStatus") == "HOST"
    ]
    return {"kind": "compute#xpnHostList", **({"items": found} if found else {})}


HANDLERS = {
    "compute.projects.enableXpnHost": enable_host,
    "compute.projects.disableXpnHost": disable_host,
    "compute.projects.enableXpnResource": attach,
    "compute.projects.disableXpnResource": detach,
    "compute.projects.getXpnHost": host,
    "compute.projects.getXpnResources": resources,
    "compute.projects.listXpnHosts": hosts,
}
