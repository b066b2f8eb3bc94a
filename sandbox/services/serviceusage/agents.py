"""Google-managed service agents: their addresses, and when they come into being.

Source: https://docs.cloud.google.com/iam/docs/service-agents (read 2026-08). ``N`` is the project's number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.hierarchy import AGENTS

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

#: Addresses that do not follow ``service-N@gcp-sa-<service>.iam.gserviceaccount.com``.
IRREGULAR = {
    "bigquery": "bq-{}@bigquery-encryption.iam.gserviceaccount.com",
    "cloudfunctions": "service-{}@gcf-admin-robot.iam.gserviceaccount.com",
    "compute": "service-{}@compute-system.iam.gserviceaccount.com",
    "container": "service-{}@container-engine-robot.iam.gserviceaccount.com",
    "containerregistry": "service-{}@containerregistry.iam.gserviceaccount.com",
    "dataflow": "service-{}@dataflow-service-producer-prod.iam.gserviceaccount.com",
    "dataproc": "service-{}@dataproc-accounts.iam.gserviceaccount.com",
    "run": "service-{}@serverless-robot-prod.iam.gserviceaccount.com",
    "sqladmin": "service-{}@gcp-sa-cloud-sql.iam.gserviceaccount.com",
    "storage": "service-{}@gs-project-accounts.iam.gserviceaccount.com",
}

#: Created when the API is enabled, not only on demand.
ON_ENABLEMENT = {
    "artifactregistry": ("artifactregistry",),
    "cloudbuild": ("cloudbuild",),
    "cloudfunctions": ("cloudfunctions",),
    "compute": ("compute",),
    "container": ("container",),
    "monitoring": ("monitoring-notification",),
    "pubsub": ("pubsub",),
    "run": ("run",),
}

#: For these, generateServiceIdentity answers without an address.
WITHOUT_IDENTITY = {"storage", "logging", "monitoring"}


def address(service: str, number: str) -> str:
    """E-mail of a service's agent in a project; ``service`` is the API's name without its domain."""
    pattern = IRREGULAR.get(service, f"service-{{}}@gcp-sa-{service}.iam.gserviceaccount.com")
    return pattern.format(number)


def ensure(cloud: Cloud, service: str, project_id: str) -> str:
    """Create an agent unless it exists; returns its address."""
    email = address(service, cloud.hierarchy.project_number(project_id))
    if cloud.store.get(AGENTS, email) is None:
        identity = {"email": email, "uniqueId": cloud.identifiers.number("uniqueId", 21), "project": project_id}
        cloud.store.put(AGENTS, email, identity)
        cloud.consistency.made_identity(email)
    return email


def ensure_logging(cloud: Cloud, project_id: str) -> str:
    """The agent by which Logging uses a customer's key."""
    email = f"cmek-p{cloud.hierarchy.project_number(project_id)}@gcp-sa-logging.iam.gserviceaccount.com"
    if cloud.store.get(AGENTS, email) is None:
        cloud.store.put(AGENTS, email, {"email": email, "project": project_id})
    return email
