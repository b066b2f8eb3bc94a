"""Customer-managed keys of buckets and objects, used by the project's storage agent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.enforcement.encryption import key_name, require_key
from sandbox.errors import FailedPrecondition, NotFound, PermissionDenied
from sandbox.services.serviceusage.agents import ensure
from sandbox.services.storage import refusals

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]


def use(cloud: Cloud, bucket: Document, reference: str, *, decrypt: bool = False) -> str:
    """Let the bucket's agent use a key; returns the version's name.

    Raises:
        PermissionDenied: the agent lacks the grant.
        InvalidArgument: the key does not exist, or lies elsewhere than the bucket.
        FailedPrecondition: the version is disabled or destroyed.
    """
    check_location(bucket, reference)
    agent = ensure(cloud, "storage", bucket["_project"])
    try:
        return require_key(cloud, reference, agent, decrypt=decrypt)
    except PermissionDenied:
        raise refusals.key_denied() from None
    except NotFound:
        raise refusals.key_missing(key_name(reference)) from None
    except FailedPrecondition as error:
        raise refusals.key_unusable(error.message) from None


def check_location(bucket: Document, reference: str) -> None:
    """A key must lie where the bucket lies; a dual-region's key lies in its continent's multi-region."""
    parts = reference.split("/")
    if parts[:1] != ["projects"] or parts[2:3] != ["locations"] or "cryptoKeys" not in parts:
        raise refusals.invalid(f"Malformed Cloud KMS crypto key: {reference}")
    key, place = parts[3].lower(), bucket["location"].lower()
    fits = key == place or (bucket["locationType"] != "region" and place[:2] == key[:2])
    if not fits:
        raise refusals.invalid(
            f"Invalid location '{key}' of the Cloud KMS key: it must match the bucket's location '{place}'."
        )


def check_default_key(cloud: Cloud, bucket: Document) -> None:
    """A bucket's default key must be usable when it is set."""
    if key := default_key(bucket):
        use(cloud, bucket, key)


def default_key(bucket: Document) -> str:
    """The bucket's default key, empty without one."""
    return str(bucket.get("encryption", {}).get("defaultKmsKeyName", ""))


def encrypting_version(cloud: Cloud, bucket: Document, wanted: str) -> str:
    """The key version that encrypts a new object, empty for Google's own keys."""
    key = wanted or default_key(bucket)
    return use(cloud, bucket, key) if key else ""


def require_readable(cloud: Cloud, bucket: Document, document: Document) -> None:
    """Refuse to read an object whose key version does not decrypt any more."""
    if reference := document.get("kmsKeyName"):
        use(cloud, bucket, reference, decrypt=True)
