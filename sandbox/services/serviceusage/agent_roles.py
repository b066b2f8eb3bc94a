"""The roles that Google gives its agents: once, when it makes one itself.

An agent that a caller asked for by ``generateServiceIdentity`` gets none, and one whose role was taken away does not
get it again: https://docs.cloud.google.com/iam/docs/service-agents and
https://docs.cloud.google.com/iam/docs/create-service-agents (read 2026-08).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.hierarchy import AGENTS, RESOURCE_MANAGER
from sandbox.services.serviceusage.agents import address, ensure

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

#: Agents whose role some service here asks for.
WITH_ROLE = frozenset(
    {
        "aiplatform",
        "artifactregistry",
        "cloudbuild",
        "cloudfunctions",
        "cloudtasks",
        "eventarc",
        "pubsub",
        "run",
    }
)


def provide(cloud: Cloud, service: str, project_id: str) -> str:
    """A service's agent in a project, made with its role unless it exists; returns its address."""
    email = address(service, cloud.hierarchy.project_number(project_id))
    if cloud.store.get(AGENTS, email) is not None:
        return email
    ensure(cloud, service, project_id)
    if service in WITH_ROLE:
        with cloud.consistency.seen(email):
            cloud.policies.grant(
                f"{RESOURCE_MANAGER}projects/{project_id}", f"roles/{service}.serviceAgent", f"serviceAccount:{email}"
            )
    return email
