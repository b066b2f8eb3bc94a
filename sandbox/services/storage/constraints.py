"""Organisation policies on buckets.

Source: https://docs.cloud.google.com/storage/docs/org-policy-constraints (read 2026-08).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.enforcement.constraints import violated
from sandbox.errors import PreconditionFailed
from sandbox.services.orgpolicy import effective
from sandbox.services.storage.encryption import default_key

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]

UNIFORM = "storage.uniformBucketLevelAccess"
PREVENTION = "storage.publicAccessPrevention"


def check(cloud: Cloud, bucket: Document) -> None:
    """Refuse a new or changed bucket that a policy forbids.

    Raises:
        PreconditionFailed: naming the constraint.
    """
    project = bucket["_project"]
    keys = [key] if (key := default_key(bucket)) else []
    constraint = violated(cloud, project, "storage.googleapis.com", place=bucket["location"], keys=keys)
    uniform = bucket["iamConfiguration"]["uniformBucketLevelAccess"]["enabled"]
    if not uniform and effective.enforced(cloud, f"projects/{project}", UNIFORM):
        constraint = UNIFORM
    if constraint:
        raise PreconditionFailed(f"Request violates constraint 'constraints/{constraint}'")


def prevents_public_access(cloud: Cloud, bucket: Document) -> bool:
    """Whether the bucket or a policy above it keeps everybody out."""
    own = bucket["iamConfiguration"]["publicAccessPrevention"] == "enforced"
    return own or effective.enforced(cloud, f"projects/{bucket['_project']}", PREVENTION)
