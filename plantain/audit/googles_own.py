"""What Google makes by itself in a project: nobody declares it, and it is no finding.

Sources, all read 2026-11: https://cloud.google.com/iam/docs/service-agents,
https://cloud.google.com/logging/docs/routing/overview, https://cloud.google.com/functions/docs/concepts/execution-environment,
https://cloud.google.com/storage/docs/access-control/iam-roles (legacy roles of projects).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from plantain.audit.grants import Grant
from policies.catalogue import Resource

SERVICE = "gcp:projects/service:Service"
#: Projects in which Google keeps its agents' accounts; nobody else can have an account there.
AGENTS_PROJECTS = (
    r"gcp-sa-[\w-]+|gs-project-accounts|gcf-admin-robot|serverless-robot-prod|compute-system|container-engine-robot"
    r"|containerregistry|cloudcomposer-accounts|dataflow-service-producer-prod|dataproc-accounts|bigquery-encryption"
    r"|cloud-redis|cloud-filer|cloud-ml|firebase-rules|gae-api-prod|service-networking|sourcerepo-service-accounts"
)
AGENT = re.compile(
    rf"^serviceAccount:([\w-]+@({AGENTS_PROJECTS})\.iam\.gserviceaccount\.com"
    r"|\d+@(cloudservices|cloudbuild)\.gserviceaccount\.com)$"
)
AGENT_ROLE = re.compile(r"roles/[\w.]*([sS]erviceAgent|serviceAgent)$|roles/cloudbuild\.builds\.builder$")
CONVENIENCE = re.compile(r"project(Owner|Editor|Viewer):")
DEFAULT_ACCOUNT = re.compile(r"(\d+-compute@developer|@appspot)\.gserviceaccount\.com")

_RULES: dict[str, tuple[re.Pattern[str], str]] = {
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": (
        re.compile(r"/buckets/_(Default|Required)$"),
        "Logging's own",
    ),
    "gcp:logging/projectSink:ProjectSink": (re.compile(r"/sinks/_(Default|Required)$"), "Logging's own"),
    "gcp:artifactregistry/repository:Repository": (re.compile(r"/repositories/gcf-artifacts$"), "Cloud Functions' own"),
    "gcp:storage/bucket:Bucket": (re.compile(r"^(gcf-v2-(sources|uploads)-|run-sources-)"), "Cloud Functions' own"),
    "gcp:serviceaccount/account:Account": (DEFAULT_ACCOUNT, "a default account of Google's"),
    "gcp:compute/route:Route": (re.compile(r"/routes/(default-route|peering-route)-"), "the network's own"),
    "gcp:dns/recordSet:RecordSet": (re.compile(r"/(NS|SOA)$"), "the zone's own"),
}


def made_by_google(resource: Resource) -> str | None:
    """Why a resource that nobody declared is there by itself; None when somebody made it."""
    name = str(resource.properties.get("id", ""))
    rule = _RULES.get(resource.type)
    if rule and rule[0].search(name):
        return f"is {rule[1]}"
    special = _SPECIAL.get(resource.type)
    return special(resource) if special else None


def born_enabled(resource: Resource) -> str | None:
    """Why an enabled API is nobody's decision; None for every other resource."""
    if resource.type == SERVICE and resource.properties.get("service") in BORN_ENABLED:
        return "is enabled in every new project"
    return None


def _run_service(resource: Resource) -> str | None:
    labels = resource.properties.get("labels")
    if isinstance(labels, dict) and labels.get("goog-managed-by") == "cloudfunctions":
        return "belongs to a function"
    return None


def _first_image_policy(resource: Resource) -> str | None:
    return None if resource.properties.get("updateTime") else "is what every project has until somebody writes one"


#: APIs that Google enables in a new project, or together with another one.
#: Source: https://cloud.google.com/service-usage/docs/enabled-service (read 2026-11).
BORN_ENABLED = frozenset(
    f"{name}.googleapis.com"
    for name in (
        "analyticshub", "bigquery", "bigqueryconnection", "bigquerydatapolicy", "bigquerydatatransfer",
        "bigquerymigration", "bigqueryreservation", "bigquerystorage", "cloudapis", "cloudtrace", "dataform",
        "dataplex", "datastore", "logging", "monitoring", "oslogin", "servicemanagement", "serviceusage",
        "source", "sql-component", "storage", "storage-api", "storage-component", "containerregistry", "pubsub",
    )
)  # fmt: skip

_SPECIAL: dict[str, Callable[[Resource], str | None]] = {
    SERVICE: born_enabled,
    "gcp:binaryauthorization/policy:Policy": _first_image_policy,
    "gcp:cloudrunv2/service:Service": _run_service,
}


def service_agents_grant(grant: Grant) -> bool:
    """Whether Google itself gave a grant: an agent's own role, or a project's legacy roles on its buckets."""
    if CONVENIENCE.match(grant.member):
        return grant.scope.startswith("buckets/") and grant.role.startswith("roles/storage.legacy")
    return bool(AGENT.match(grant.member)) and bool(AGENT_ROLE.search(grant.role))
