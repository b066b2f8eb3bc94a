"""Failures in the words of Cloud Storage, whose envelope has no canonical status.

Source: https://docs.cloud.google.com/storage/docs/json_api/v1/status-codes and recorded answers (read 2026-08).
"""

from __future__ import annotations

from typing import Any

from sandbox.call import Principal
from sandbox.errors import (
    AlreadyExists,
    ApiError,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    PreconditionFailed,
    Unauthenticated,
)

Document = dict[str, Any]

#: What a permission is about, in the words of its denial.
SUBJECTS = {
    "storage.buckets.create": "project",
    "storage.buckets.list": "project",
    "resourcemanager.projects.get": "project",
    "storage.objects.list": "bucket",
    "storage.managedFolders.list": "bucket",
}


class NotModified(ApiError):
    """304: a conditional read of what the caller has already."""

    code, status, legacy_reason = 304, "NOT_MODIFIED", "notModified"


class RangeNotSatisfiable(ApiError):
    """416: the range starts behind the object's end."""

    code, status, legacy_reason = 416, "OUT_OF_RANGE", "requestedRangeNotSatisfiable"


class NoSuchObject(NotFound):
    """An object, or one of its generations, that is not there."""

    def __init__(self, bucket: str, name: str, generation: str = "") -> None:
        suffix = f"#{generation}" if generation else ""
        super().__init__(f"No such object: {bucket}/{name}{suffix}")


def no_bucket() -> NotFound:
    """404 for a bucket, alike for every caller: the names are public."""
    return NotFound("The specified bucket does not exist.")


def bucket_taken(name: str, *, own: bool) -> AlreadyExists:
    """409: bucket names are unique in all of Google Cloud."""
    if own:
        return AlreadyExists(
            f"Your previous request to create the named bucket succeeded and you already own it: {name}",
            reason="conflict",
        )
    return AlreadyExists(
        "The requested bucket name is not available. The bucket namespace is shared by all users of the system. "
        "Please select a different name and try again.",
        reason="conflict",
    )


def unmet(kind: str = "conditionNotMet") -> PreconditionFailed:
    """412 for a generation or metageneration that is another one."""
    return PreconditionFailed("At least one of the pre-conditions you specified did not hold.", reason=kind)


def invalid(message: str, reason: str = "invalid") -> InvalidArgument:
    """400."""
    return InvalidArgument(message, reason=reason)


def denied(principal: Principal, permission: str, name: str) -> ApiError:
    """403 for a known caller, 401 for an anonymous one."""
    subject = SUBJECTS.get(permission) or ("object" if "/o/" in name or ".objects." in permission else "bucket")
    if permission.startswith("storage.managedFolders.") and permission not in SUBJECTS:
        subject = "managed folder"
    noun = "Cloud project" if subject == "project" else f"Cloud Storage {subject}"
    anonymous = principal.member == "allUsers"
    caller = "Anonymous caller" if anonymous else principal.email
    message = (
        f"{caller} does not have {permission} access to the Google {noun}. "
        f"Permission '{permission}' denied on resource (or it may not exist)."
    )
    if anonymous:
        return Unauthenticated(message, reason="required")
    return PermissionDenied(message)


def denied_by_lock(name: str) -> PermissionDenied:
    """403 for a shorter or absent retention policy where a locked one was."""
    return PermissionDenied(f"Cannot reduce retention duration of a locked Retention Policy for bucket '{name}'.")


def held(message: str, reason: str = "objectUnderActiveHold") -> PermissionDenied:
    """403 for an object that may not be touched yet."""
    return PermissionDenied(message, reason=reason)


def key_denied() -> PermissionDenied:
    """403 when the project's storage agent may not use a key."""
    return PermissionDenied(
        "Permission denied on Cloud KMS key. Please ensure that your Cloud Storage service account has been "
        "authorized to use this key."
    )


def key_missing(name: str) -> InvalidArgument:
    """400 for a key that does not exist."""
    return invalid(f"Cloud KMS key not found: {name}.")


def key_unusable(message: str) -> FailedPrecondition:
    """400 for a version that is disabled or destroyed."""
    return FailedPrecondition(f"Cloud KMS key version cannot be used: {message}", reason="keyDisabled")


def envelope(error: ApiError) -> Document:
    """The JSON body of a failed call; only a missing object's has a status."""
    body: Document = error.envelope()
    if not isinstance(error, NoSuchObject):
        body["error"].pop("status", None)
    return body
