"""Everything the command line can fail with. Each class has an exit code of its own; docs/cli.md lists them.

PlantainError           1   message says cause and consequence, cure the way out
├── InputError          2   a prompt file, an option, a setting is wrong
├── SandboxError        3   the local Google Cloud cannot start, or is not there
├── EngineError         4   pulumi or its plugin is not to be had (plantain/engine/errors.py)
├── StackError          5   pulumi refused or failed
├── GenerationError     6   the function refused or failed
├── GoogleCloudError    7   a Google API refused, or does not answer
├── CredentialsError    8   there is nobody to call Google's APIs as
├── WarningFound       10   a check found something to mend soon
├── ErrorFound         11   a check found something that stops the work
└── (Ctrl-C)          130
"""

from __future__ import annotations


class PlantainError(Exception):
    """A failure that its message explains in full.

    Args:
        message: cause, then consequence.
        cure: what to do, as a command where one exists.
    """

    exit_code: int = 1

    def __init__(self, message: str, *, cure: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure


class InputError(PlantainError):
    """What the user gave is wrong."""

    exit_code = 2


class SandboxError(PlantainError):
    """The sandbox cannot start, stop, or be reached."""

    exit_code = 3


class StackError(PlantainError):
    """Pulumi refused or failed."""

    exit_code = 5


class GenerationError(PlantainError):
    """The function refused a prompt or could not be reached."""

    exit_code = 6


class GoogleCloudError(PlantainError):
    """A Google API refused, or does not answer.

    Attributes:
        status: HTTP status; 0 when there was no answer.
        reason: Google's machine-readable reason, such as SERVICE_DISABLED, VPC_SERVICE_CONTROLS or PERMISSION_DENIED.
        explanation: Google's own message.
        service: first label of the API's host.
        path: what was called.
    """

    exit_code = 7

    def __init__(self, status: int, reason: str, message: str, service: str, path: str) -> None:
        name = f"HTTP {status} {reason}".strip() if status else reason
        super().__init__(f"{service}.googleapis.com {path}: {name}: {message}", cure=_google_cure(reason, service))
        self.status = status
        self.reason = reason
        self.explanation = message
        self.service = service
        self.path = path


def _google_cure(reason: str, service: str) -> str | None:
    cures = {
        "SERVICE_DISABLED": f"gcloud services enable {service}.googleapis.com --project PROJECT",
        "UNAUTHENTICATED": "gcloud auth application-default login",
        "PERMISSION_DENIED": "have somebody grant you the permission that the message names",
        "IAM_PERMISSION_DENIED": "have somebody grant you the permission that the message names",
        "VPC_SERVICE_CONTROLS": "call from inside the perimeter, or have an ingress rule admit you: plantain perimeter",
        "UNREACHABLE": "plantain sandbox status, or look at the network",
    }
    return cures.get(reason)


class CredentialsError(PlantainError):
    """There are no credentials for Google's APIs, or they are not accepted."""

    exit_code = 8


class WarningFound(PlantainError):
    """A check ran to its end, and the worst it found is a warning."""

    exit_code = 10


class ErrorFound(PlantainError):
    """A check ran to its end and found something that would stop the work."""

    exit_code = 11
