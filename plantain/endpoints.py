"""Where Google's APIs answer: hosts of services, the provider's names for them, paths as they are written in a URL."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlsplit

#: Characters of a path that are part of Google's grammar: custom verbs, wildcards, already encoded parts.
PATH_CHARACTERS = "/:@!$&'()*+,;=~%"
MULTI_REGIONS = frozenset({"us", "eu"})
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
#: Services by the provider's endpoint argument, where the two names differ.
#: Source: provider's *_custom_endpoint arguments, pulumi-gcp 10.2.0.
ENDPOINT_NAMES = {
    "access_context_manager": "accesscontextmanager",
    "artifact_registry": "artifactregistry",
    "big_query": "bigquery",
    "billing_budgets": "billingbudgets",
    "cloud_asset": "cloudasset",
    "cloud_billing": "cloudbilling",
    "cloud_build": "cloudbuild",
    "cloud_quotas": "cloudquotas",
    "cloud_run_v2": "run",
    "cloud_tasks": "cloudtasks",
    "cloudfunctions2": "cloudfunctions",
    "essential_contacts": "essentialcontacts",
    "iam_beta": "iam",
    "iam_credentials": "iamcredentials",
    "kms": "cloudkms",
    "org_policy": "orgpolicy",
    "resource_manager_v3": "cloudresourcemanager",
    "secret_manager": "secretmanager",
    "service_usage": "serviceusage",
    "vertex_ai": "aiplatform",
}


def host_of(service: str) -> str:
    """The public host of a service.

    Vertex AI's multi-regions have hosts of their own form.
    Source: https://github.com/googleapis/python-genai/issues/2498 (read 2026-11).
    """
    location, _, name = service.rpartition("-")
    if name == "aiplatform" and location in MULTI_REGIONS:
        return f"{name}.{location}.rep.googleapis.com"
    return f"{service}.googleapis.com"


def encoded(path: str) -> str:
    """A path as it stands in a URL, without its leading slash."""
    return quote(path.lstrip("/"), safe=PATH_CHARACTERS)


def loopback_origin(endpoints: Mapping[str, str]) -> str | None:
    """The origin that a stack's endpoints share when they all lie on this machine."""
    found = {urlsplit(url).netloc: urlsplit(url) for url in endpoints.values()}
    if len(found) != 1:
        return None
    (only,) = found.values()
    return f"{only.scheme}://{only.netloc}" if only.hostname in LOOPBACK else None
