"""Enabled APIs of a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.hierarchy import AGENTS
from sandbox.services.serviceusage.agent_roles import provide
from sandbox.services.serviceusage.agents import ON_ENABLEMENT

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

KIND = "serviceusage.services"

#: Enabled along with the key: https://docs.cloud.google.com/service-usage/docs/enable-disable (read 2026-08).
DEPENDENCIES = {
    "cloudfunctions": ("cloudbuild", "logging", "pubsub", "source", "storage-api", "storage-component"),
    "compute": ("oslogin",),
    "run": ("artifactregistry",),
}

#: Enabling one of these creates the Compute Engine default service account:
#: https://docs.cloud.google.com/run/docs/securing/service-identity (read 2026-08).
WITH_DEFAULT_ACCOUNT = {"compute", "container", "run"}


def enable(cloud: Cloud, project_id: str, hosts: list[str]) -> None:
    """Enable APIs, those they need, and create the agents that come with them."""
    waiting = list(hosts)
    while waiting:
        host = waiting.pop()
        name = f"projects/{project_id}/services/{host}"
        if cloud.store.get(KIND, name):
            continue
        cloud.store.put(KIND, name, {"name": host})
        cloud.consistency.made_service(name)
        label = host.removesuffix(".googleapis.com")
        waiting += [f"{other}.googleapis.com" for other in DEPENDENCIES.get(label, ())]
        for agent in ON_ENABLEMENT.get(label, ()):
            provide(cloud, agent, project_id)
        if label in WITH_DEFAULT_ACCOUNT:
            create_default_account(cloud, project_id)


def create_default_account(cloud: Cloud, project_id: str) -> None:
    """The Compute Engine default service account."""
    number = cloud.hierarchy.project_number(project_id)
    email = f"{number}-compute@developer.gserviceaccount.com"
    if cloud.store.get(AGENTS, email):
        return
    cloud.store.put(AGENTS, email, {"email": email, "project": project_id})
    name = f"projects/{project_id}/serviceAccounts/{email}"
    cloud.store.put(
        "iam.serviceAccounts",
        name,
        {
            "name": name,
            "projectId": project_id,
            "uniqueId": cloud.identifiers.number("uniqueId", 21),
            "email": email,
            "displayName": "Compute Engine default service account",
            "etag": "MDEwMjE5MjA=",
            "oauth2ClientId": cloud.identifiers.number("uniqueId", 21),
        },
    )


def dependents(cloud: Cloud, project_id: str, host: str) -> list[str]:
    """Enabled APIs that need another one, those first that nothing needs."""
    label, found = host.removesuffix(".googleapis.com"), []
    for other, needed in DEPENDENCIES.items():
        name = f"{other}.googleapis.com"
        if label in needed and cloud.store.get(KIND, f"projects/{project_id}/services/{name}"):
            found += [*dependents(cloud, project_id, name), name]
    return found


def disable(cloud: Cloud, project_id: str, host: str) -> None:
    """Disable one API."""
    cloud.store.delete(KIND, f"projects/{project_id}/services/{host}")
