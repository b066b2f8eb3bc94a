"""What things are called: pure functions from a campaign's or project's name to Google Cloud's.

Project ids carry a random suffix that the provider draws once and the state keeps (see `project`), so every name
that has to be unique in the world is made from the project id and is unique with it. Names that need be unique
only inside a project are plain words.
"""

import hashlib
import re
from collections.abc import Mapping

CAMPAIGN_MAX = 22
"""A project id has at most 30 characters, eight of which are the hyphen and the suffix."""

CAMPAIGN_PATTERN = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
RESERVED_WORDS = ("google", "null", "ssl", "undefined")
"""Strings a project id may not contain (cloud.google.com/resource-manager/docs/creating-managing-projects, 2026-11)."""

LABEL_VALUE_PATTERN = r"^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$"

FUNCTION = "images"
REPOSITORY = "functions"
KEYS = ("function", "images", "logs")
RUNTIME_ACCOUNT = "image-runtime"
BUILD_ACCOUNT = "image-build"
NETWORK = "campaign"
LOG_BUCKET = "campaign"
QUEUE = "images"
WORKER_POOL = "builds"
PACKAGES = "packages"


def images_bucket(project_id: str) -> str:
    """Name of the bucket that holds a campaign's images, at most 37 of 63 characters."""
    return f"{project_id}-images"


def source_bucket(project_id: str) -> str:
    """Name of the bucket that holds the function's source archives."""
    return f"{project_id}-source"


def references_bucket(project_id: str) -> str:
    """Name of the bucket that holds reference pictures."""
    return f"{project_id}-references"


def access_logs_bucket(project_id: str) -> str:
    """Name of the bucket that usage logs of the other buckets go to."""
    return f"{project_id}-access-logs"


def monitoring_agent(number: str) -> str:
    """The identity that Cloud Monitoring publishes to topics as (cloud.google.com/iam/docs/service-agents, 2026-11)."""
    return service_account_member(f"service-{number}@gcp-sa-monitoring-notification.iam.gserviceaccount.com")


def quota(quota_id: str, dimensions: Mapping[str, str]) -> str:
    """Name of a quota preference: lower-case letters, digits and hyphens, at most 63."""
    words = [quota_id, *(value for _, value in sorted(dimensions.items()))]
    return re.sub(r"[^a-z0-9-]+", "-", "-".join(words).lower()).strip("-")[-63:].lstrip("-0123456789")


def key_ring(project_id: str, *, suffix: str | None = None) -> str:
    """Name of the key ring. A ring can never be deleted: with the project id in it, a new project starts clean."""
    return f"{project_id}-{suffix}" if suffix else project_id


def shared_key(project_id: str, *, key: str) -> str:
    """Name of a key in a ring that other projects use as well."""
    return f"{project_id}-{key}"


def project_member(number: str) -> str:
    """A project the way Access Context Manager wants it: by number, because it refuses ids."""
    return f"projects/{number}"


def service_account_member(email: str) -> str:
    """A service account the way IAM wants it."""
    return f"serviceAccount:{email}"


def access_context_name(title: str) -> str:
    """A title as the short name of a perimeter or level: a letter, then letters, digits, underscores; at most 50."""
    name = re.sub(r"[^A-Za-z0-9]+", "_", title).strip("_")[:50].rstrip("_")
    return name if name[:1].isalpha() else f"p_{name}"[:50]


def dns_zone(domain: str) -> str:
    """Name of the private zone for a domain: `pkg.dev` becomes `pkg-dev`."""
    return domain.rstrip(".").replace(".", "-")


def label_value(text: str) -> str:
    """Any text as a label value: lower case, hyphens for what is not allowed, at most 63 characters, never empty."""
    return re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-_")[:63].rstrip("-_") or "none"


def source_object(digest: str, key: str) -> str:
    """Name of a source archive: its content decides it, so the same source is never deployed twice.

    And its key: what was encrypted with one that was given up can be read by nobody soon, not even its checksum.
    """
    return f"function-{digest[:16]}-{hashlib.sha256(key.encode()).hexdigest()[:8]}.zip"
