"""Every failure the sandbox can answer, in Google's error envelope.

ApiError                        HTTP status, canonical status, message, details
├── InvalidArgument             400 INVALID_ARGUMENT
├── FailedPrecondition          400 FAILED_PRECONDITION
├── Unauthenticated             401 UNAUTHENTICATED
├── PermissionDenied            403 PERMISSION_DENIED
│   ├── ServiceDisabled         the API is not enabled in the consumer project
│   └── PerimeterViolation      VPC Service Controls refused the request
├── NotFound                    404 NOT_FOUND
├── AlreadyExists               409 ALREADY_EXISTS
├── Aborted                     409 ABORTED, a stale etag
├── PreconditionFailed          412, conditional request or stale fingerprint
├── RequestTooLarge             413, a body beyond the limit
├── ResourceExhausted           429 RESOURCE_EXHAUSTED
├── Internal                    500 INTERNAL
├── NotEmulated                 501 UNIMPLEMENTED, names the method
└── Unavailable                 503 UNAVAILABLE

The envelope is described at https://docs.cloud.google.com/apis/design/errors (read 2026-08).
"""

from __future__ import annotations

from typing import Any, ClassVar

Detail = dict[str, Any]

ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
HELP = "type.googleapis.com/google.rpc.Help"
PRECONDITION_FAILURE = "type.googleapis.com/google.rpc.PreconditionFailure"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"


class ApiError(Exception):
    """A failure with everything its answer needs.

    Args:
        message: what the caller reads.
        details: ``google.rpc`` detail messages in JSON form.
        reason: the legacy ``errors[].reason``; a default fits each class.
    """

    code: ClassVar[int] = 500
    status: ClassVar[str] = "UNKNOWN"
    legacy_reason: ClassVar[str] = "backendError"

    def __init__(self, message: str, *, details: list[Detail] | None = None, reason: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details or []
        self.reason = reason or self.legacy_reason
        #: ``permission`` and ``resource`` of a refusal whose answer does not name them in its details.
        self.facts: dict[str, str] = {}

    def denied_permission(self) -> dict[str, Any] | None:
        """``permission``, ``resource`` and perhaps ``member`` of a refused permission; None for other failures."""
        for found in self.details:
            if "permission" in found.get("metadata", {}):
                facts: dict[str, Any] = found["metadata"]
                return facts
        return self.facts or None

    def envelope(self) -> dict[str, Any]:
        """The JSON body of the answer."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        error["errors"] = [{"message": self.message, "domain": "global", "reason": self.reason}]
        error["status"] = self.status
        if self.details:
            error["details"] = self.details
        return {"error": error}


class InvalidArgument(ApiError):
    """The request is wrong whatever the state of the server."""

    code, status, legacy_reason = 400, "INVALID_ARGUMENT", "badRequest"


class FailedPrecondition(ApiError):
    """The state of the resource forbids the request."""

    code, status, legacy_reason = 400, "FAILED_PRECONDITION", "failedPrecondition"


class Unauthenticated(ApiError):
    """No credential, or one that means nothing here."""

    code, status, legacy_reason = 401, "UNAUTHENTICATED", "authError"


class PermissionDenied(ApiError):
    """The caller is known and may not do this."""

    code, status, legacy_reason = 403, "PERMISSION_DENIED", "forbidden"


class ServiceDisabled(PermissionDenied):
    """The API is not enabled in the consumer project; the provider matches ``accessNotConfigured``."""

    legacy_reason = "accessNotConfigured"

    def __init__(self, title: str, service: str, project_number: str) -> None:
        link = f"https://console.developers.google.com/apis/api/{service}/overview?project={project_number}"
        super().__init__(
            f"{title} has not been used in project {project_number} before or it is disabled. Enable it by visiting "
            f"{link} then retry. If you enabled this API recently, wait a few minutes for the action to propagate to "
            "our systems and retry.",
            details=[
                {
                    "@type": ERROR_INFO,
                    "reason": "SERVICE_DISABLED",
                    "domain": "googleapis.com",
                    "metadata": {
                        "service": service,
                        "serviceTitle": title,
                        "consumer": f"projects/{project_number}",
                        "containerInfo": project_number,
                        "activationUrl": link,
                    },
                },
                {"@type": HELP, "links": [{"description": "Google developers console API activation", "url": link}]},
            ],
        )


class UserProjectDenied(PermissionDenied):
    """The caller may not charge the project that it names as the one to charge."""

    def __init__(self, project: str, service: str) -> None:
        role = "roles/serviceusage.serviceUsageConsumer"
        link = f"https://console.developers.google.com/iam-admin/iam/project?project={project}"
        super().__init__(
            f"Caller does not have required permission to use project {project}. Grant the caller the {role} role, or "
            f"a custom role with the serviceusage.services.use permission, by visiting {link} and then retry. "
            "Propagation of the new permission may take a few minutes.",
            details=[
                {"@type": HELP, "links": [{"description": "Google developer console IAM admin", "url": link}]},
                {
                    "@type": ERROR_INFO,
                    "reason": "USER_PROJECT_DENIED",
                    "domain": "googleapis.com",
                    "metadata": {"consumer": f"projects/{project}", "service": service},
                },
            ],
        )


class PerimeterViolation(PermissionDenied):
    """Refused by VPC Service Controls.

    Shape: https://docs.cloud.google.com/vpc-service-controls/docs/troubleshooting (read 2026-08): a PreconditionFailure
    with the unique identifier by which the audit log entry is found.
    """

    legacy_reason = "vpcServiceControls"

    def __init__(self, identifier: str, service: str) -> None:
        self.identifier = identifier
        super().__init__(
            f"Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: {identifier}",
            details=[
                {
                    "@type": PRECONDITION_FAILURE,
                    "violations": [{"type": "VPC_SERVICE_CONTROLS", "description": identifier}],
                },
                {
                    "@type": ERROR_INFO,
                    "reason": "SECURITY_POLICY_VIOLATED",
                    "domain": "googleapis.com",
                    "metadata": {"uid": identifier, "service": service},
                },
            ],
        )


class NotFound(ApiError):
    """The resource does not exist, or the caller may not know that it does."""

    code, status, legacy_reason = 404, "NOT_FOUND", "notFound"


class AlreadyExists(ApiError):
    """A resource of that name exists."""

    code, status, legacy_reason = 409, "ALREADY_EXISTS", "alreadyExists"


class Aborted(ApiError):
    """A concurrent change won: read again, then retry."""

    code, status, legacy_reason = 409, "ABORTED", "aborted"


class Conflict(ApiError):
    """The resource's contents forbid the change, as a bucket that is not empty."""

    code, status, legacy_reason = 409, "FAILED_PRECONDITION", "conflict"


class PreconditionFailed(ApiError):
    """A conditional request whose condition does not hold."""

    code, status, legacy_reason = 412, "FAILED_PRECONDITION", "conditionNotMet"


class RequestTooLarge(ApiError):
    """The body is larger than the sandbox takes."""

    code, status, legacy_reason = 413, "INVALID_ARGUMENT", "uploadTooLarge"


class ResourceExhausted(ApiError):
    """A quota or a rate limit is used up."""

    code, status, legacy_reason = 429, "RESOURCE_EXHAUSTED", "rateLimitExceeded"


class Internal(ApiError):
    """A defect of the sandbox, or an injected fault."""

    code, status, legacy_reason = 500, "INTERNAL", "backendError"


class NotEmulated(ApiError):
    """Google has the method, the sandbox has not: 501 is the one answer no client retries."""

    code, status, legacy_reason = 501, "UNIMPLEMENTED", "notImplemented"


class Unavailable(ApiError):
    """An injected fault."""

    code, status, legacy_reason = 503, "UNAVAILABLE", "backendError"


BY_CODE: dict[int, type[ApiError]] = {
    kind.code: kind
    for kind in (
        InvalidArgument,
        Unauthenticated,
        PermissionDenied,
        NotFound,
        AlreadyExists,
        PreconditionFailed,
        ResourceExhausted,
        Internal,
        NotEmulated,
        Unavailable,
    )
}
