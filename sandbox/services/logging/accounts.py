"""Google's service accounts by which Logging writes and encrypts.

Addresses: https://docs.cloud.google.com/logging/docs/routing/managed-encryption and recorded answers (2026-08).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.errors import InvalidArgument
from sandbox.hierarchy import AGENTS
from sandbox.services.serviceusage import agents

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

DOMAIN = "gcp-sa-logging.iam.gserviceaccount.com"
KEY_PREFIXES = {"projects": "p", "folders": "f", "organizations": "o", "billingAccounts": "b"}
WRITER_PREFIXES = {"folders": "folder-", "organizations": "org-", "billingAccounts": "billing-"}


def parts(cloud: Cloud, parent: str) -> tuple[str, str]:
    """Collection and number of a project, folder, organisation or billing account.

    Raises:
        InvalidArgument: it is none of these.
    """
    collection, _, identity = cloud.hierarchy.numbered(parent).partition("/")
    if collection not in KEY_PREFIXES:
        raise InvalidArgument(f"Invalid resource name '{parent}': it starts with one of {', '.join(KEY_PREFIXES)}.")
    return collection, identity


def key_account(cloud: Cloud, parent: str) -> str:
    """The account that must be granted the customer's key; it exists from the first question for it."""
    collection, identity = parts(cloud, parent)
    if collection == "projects":
        return agents.ensure_logging(cloud, parent.split("/")[1])
    return remember(cloud, f"cmek-{KEY_PREFIXES[collection]}{identity}@{DOMAIN}")


def writer(cloud: Cloud, parent: str) -> str:
    """The account by which sinks write elsewhere."""
    collection, identity = parts(cloud, parent)
    if collection == "projects":
        return agents.ensure(cloud, "logging", parent.split("/")[1])
    return remember(cloud, f"service-{WRITER_PREFIXES[collection]}{identity}@{DOMAIN}")


def remember(cloud: Cloud, email: str) -> str:
    """Store an account so that policies may name it."""
    if cloud.store.get(AGENTS, email) is None:
        cloud.store.put(AGENTS, email, {"email": email})
    return email
