# ruff: noqa: E501 -- a table reads best with one row a line
"""Every answer of Google's that is no image, with what the function makes of it. docs/errors.md is written from this.

python -m tests.functions.error_table
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from generation.errors import REASONS, Reason
from generation.outcome import REFUSALS
from tests.functions.fake_google import AIPLATFORM, IAM, STORAGE, TASKS

Json = dict[str, Any]
PAGE = Path(__file__).parents[2] / "docs" / "errors.md"
INFO = "type.googleapis.com/google.rpc.ErrorInfo"
UPLOAD, READ, GENERATE, SIGN = "/upload/", "/download/", ":generateContent", ":signBlob"


@dataclass(frozen=True)
class Row:
    """One answer of a service.

    Attributes:
        host: the service.
        part: what the path of the call contains.
        said: what the answer is, for the page.
        code: HTTP status.
        body: JSON or text.
        reason: what the function answers.
        hint: part of its hint.
        tried: calls it makes until it gives up.
    """

    host: str
    part: str
    said: str
    code: int
    reason: Reason
    body: Json | str = ""
    hint: str = ""
    tried: int = 1
    headers: dict[str, str] = field(default_factory=dict)


def envelope(code: int, status: str, message: str = "No.", *details: Json) -> Json:
    return {"error": {"code": code, "status": status, "message": message, "details": list(details)}}


def info(reason: str, **metadata: str) -> Json:
    return {"@type": INFO, "reason": reason, "metadata": metadata}


def storage(code: int, reason: str, message: str = "No.") -> Json:
    return {"error": {"code": code, "message": message, "errors": [{"reason": reason, "message": message}]}}


PERIMETER = "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: Zk3vQ"
DENIED = "PERMISSION_DENIED"
MODEL_ROWS = [
    Row(AIPLATFORM, GENERATE, "400 INVALID_ARGUMENT", 400, Reason.MODEL_INVALID_ARGUMENT, envelope(400, "INVALID_ARGUMENT")),
    Row(AIPLATFORM, GENERATE, "400 FAILED_PRECONDITION", 400, Reason.MODEL_INVALID_ARGUMENT, envelope(400, "FAILED_PRECONDITION")),
    Row(AIPLATFORM, GENERATE, "400 OUT_OF_RANGE", 400, Reason.MODEL_INVALID_ARGUMENT, envelope(400, "OUT_OF_RANGE")),
    Row(AIPLATFORM, GENERATE, "401 UNAUTHENTICATED", 401, Reason.UNAUTHENTICATED, envelope(401, "UNAUTHENTICATED"), "gcloud iam service-accounts describe"),
    Row(AIPLATFORM, GENERATE, "403 PERMISSION_DENIED, IAM_PERMISSION_DENIED", 403, Reason.PERMISSION_DENIED, envelope(403, DENIED, "No.", info("IAM_PERMISSION_DENIED", permission="aiplatform.endpoints.predict")), "--role=roles/aiplatform.user"),
    Row(AIPLATFORM, GENERATE, "403 SERVICE_DISABLED", 403, Reason.SERVICE_DISABLED, envelope(403, DENIED, "No.", info("SERVICE_DISABLED", service=AIPLATFORM)), "gcloud services enable"),
    Row(AIPLATFORM, GENERATE, "403 BILLING_DISABLED", 403, Reason.BILLING_DISABLED, envelope(403, DENIED, "No.", info("BILLING_DISABLED")), "gcloud billing projects link"),
    Row(AIPLATFORM, GENERATE, "403 SECURITY_POLICY_VIOLATED, VPC_SERVICE_CONTROLS", 403, Reason.VPC_SERVICE_CONTROLS, envelope(403, DENIED, PERIMETER, info("SECURITY_POLICY_VIOLATED", uid="Zk3vQ")), "Zk3vQ"),
    Row(AIPLATFORM, GENERATE, "404 NOT_FOUND", 404, Reason.MODEL_NOT_FOUND, envelope(404, "NOT_FOUND"), "GOOGLE_CLOUD_LOCATION"),
    Row(AIPLATFORM, GENERATE, "408", 408, Reason.MODEL_UNAVAILABLE, "", "status.cloud.google.com", 4),
    Row(AIPLATFORM, GENERATE, "409 ABORTED", 409, Reason.MODEL_UNAVAILABLE, envelope(409, "ABORTED"), "", 4),
    Row(AIPLATFORM, GENERATE, "413", 413, Reason.MODEL_INVALID_ARGUMENT, "<html>too large</html>"),
    Row(AIPLATFORM, GENERATE, "429 RESOURCE_EXHAUSTED without a quota", 429, Reason.CAPACITY_EXHAUSTED, envelope(429, "RESOURCE_EXHAUSTED", "Resource exhausted."), "fallback", 4),
    Row(AIPLATFORM, GENERATE, "429 RATE_LIMIT_EXCEEDED with quota_metric", 429, Reason.QUOTA_EXCEEDED, envelope(429, "RESOURCE_EXHAUSTED", "No.", info("RATE_LIMIT_EXCEEDED", quota_metric="m")), "gcloud beta quotas info list", 4),
    Row(AIPLATFORM, GENERATE, "499 CANCELLED", 499, Reason.MODEL_UNAVAILABLE, envelope(499, "CANCELLED"), "", 4),
    Row(AIPLATFORM, GENERATE, "500 INTERNAL", 500, Reason.MODEL_UNAVAILABLE, envelope(500, "INTERNAL"), "status.cloud.google.com", 4),
    Row(AIPLATFORM, GENERATE, "501 UNIMPLEMENTED", 501, Reason.MODEL_UNAVAILABLE, envelope(501, "UNIMPLEMENTED"), "", 4),
    Row(AIPLATFORM, GENERATE, "502", 502, Reason.MODEL_UNAVAILABLE, "<html>bad gateway</html>", "", 4),
    Row(AIPLATFORM, GENERATE, "503 UNAVAILABLE", 503, Reason.MODEL_UNAVAILABLE, envelope(503, "UNAVAILABLE"), "", 4),
    Row(AIPLATFORM, GENERATE, "504 DEADLINE_EXCEEDED", 504, Reason.MODEL_UNAVAILABLE, envelope(504, "DEADLINE_EXCEEDED"), "", 4),
    Row(AIPLATFORM, GENERATE, "200 that is no JSON", 200, Reason.MODEL_FAILED, "not json"),
]  # fmt: skip
OTHER_ROWS = [
    Row(STORAGE, UPLOAD, "400 invalid", 400, Reason.STORAGE_REFUSED, storage(400, "invalid"), "gcloud storage buckets describe"),
    Row(STORAGE, UPLOAD, "400 with a checksum that does not match", 400, Reason.STORAGE_UNAVAILABLE, storage(400, "invalid", 'Provided CRC32C "a" doesn\'t match calculated CRC32C "b".'), "Try again", 4),
    Row(STORAGE, UPLOAD, "400 of a key that is disabled or destroyed", 400, Reason.KMS_KEY_UNUSABLE, storage(400, "keyDisabled", "Cloud KMS key version cannot be used"), "gcloud kms keys versions enable"),
    Row(STORAGE, UPLOAD, "401", 401, Reason.UNAUTHENTICATED, storage(401, "authError")),
    Row(STORAGE, UPLOAD, "403 forbidden, storage.objects.create", 403, Reason.PERMISSION_DENIED, storage(403, "forbidden", "x does not have storage.objects.create access to the object."), "roles/storage.objectCreator"),
    Row(STORAGE, READ, "403 forbidden, storage.objects.get", 403, Reason.PERMISSION_DENIED, storage(403, "forbidden", "x does not have storage.objects.get access to the object."), "roles/storage.objectViewer"),
    Row(STORAGE, UPLOAD, "403 of a key without grant", 403, Reason.KMS_KEY_DENIED, storage(403, "forbidden", "Permission denied on Cloud KMS key."), "gcloud kms keys add-iam-policy-binding"),
    Row(STORAGE, READ, "403 vpcServiceControls", 403, Reason.VPC_SERVICE_CONTROLS, storage(403, "vpcServiceControls", PERIMETER), "Zk3vQ"),
    Row(STORAGE, READ, "403 accessNotConfigured", 403, Reason.SERVICE_DISABLED, storage(403, "accessNotConfigured"), "gcloud services enable"),
    Row(STORAGE, READ, "404 of a bucket", 404, Reason.BUCKET_NOT_FOUND, storage(404, "notFound", "The specified bucket does not exist."), "pulumi up"),
    Row(STORAGE, UPLOAD, "429 rateLimitExceeded", 429, Reason.STORAGE_UNAVAILABLE, storage(429, "rateLimitExceeded"), "gcloud beta quotas info list", 4),
    Row(STORAGE, UPLOAD, "500 backendError", 500, Reason.STORAGE_UNAVAILABLE, storage(500, "backendError"), "status.cloud.google.com", 4),
    Row(STORAGE, UPLOAD, "503 without JSON", 503, Reason.STORAGE_UNAVAILABLE, "busy", "status.cloud.google.com", 4),
    Row(IAM, SIGN, "403 iam.serviceAccounts.signBlob", 403, Reason.SIGNING_DENIED, envelope(403, DENIED), "roles/iam.serviceAccountTokenCreator"),
    Row(IAM, SIGN, "404 of the identity", 404, Reason.SIGNING_DENIED, envelope(404, "NOT_FOUND"), "PLANTAIN_SERVICE_ACCOUNT"),
    Row(IAM, SIGN, "429 RESOURCE_EXHAUSTED", 429, Reason.IDENTITY_UNAVAILABLE, envelope(429, "RESOURCE_EXHAUSTED"), "gcloud beta quotas info list"),
    Row(IAM, SIGN, "429 RATE_LIMIT_EXCEEDED with quota_metric", 429, Reason.QUOTA_EXCEEDED, envelope(429, "RESOURCE_EXHAUSTED", "No.", info("RATE_LIMIT_EXCEEDED", quota_metric="m")), "--filter=metric=m"),
    Row(IAM, SIGN, "400 INVALID_ARGUMENT", 400, Reason.SIGNING_DENIED, envelope(400, "INVALID_ARGUMENT"), "PLANTAIN_SERVICE_ACCOUNT"),
    Row(IAM, SIGN, "401 UNAUTHENTICATED", 401, Reason.UNAUTHENTICATED, envelope(401, "UNAUTHENTICATED"), "gcloud iam service-accounts describe"),
    Row(IAM, SIGN, "503", 503, Reason.IDENTITY_UNAVAILABLE, envelope(503, "UNAVAILABLE"), "status.cloud.google.com"),
    Row(IAM, SIGN, "200 without a signature", 200, Reason.IDENTITY_UNAVAILABLE, "{}"),
    Row(TASKS, "/tasks", "400", 400, Reason.QUEUE_REFUSED, envelope(400, "INVALID_ARGUMENT"), "gcloud tasks queues describe"),
    Row(TASKS, "/tasks", "403", 403, Reason.PERMISSION_DENIED, envelope(403, DENIED), "roles/cloudtasks.enqueuer"),
    Row(TASKS, "/tasks", "404 of the queue", 404, Reason.QUEUE_REFUSED, envelope(404, "NOT_FOUND"), "pulumi up"),
    Row(TASKS, "/tasks", "429", 429, Reason.QUEUE_UNAVAILABLE, envelope(429, "RESOURCE_EXHAUSTED"), "gcloud beta quotas info list"),
    Row(TASKS, "/tasks", "503", 503, Reason.QUEUE_UNAVAILABLE, envelope(503, "UNAVAILABLE")),
]  # fmt: skip
ROWS = (*MODEL_ROWS, *OTHER_ROWS)
BLOCKS = ("SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY", "MODEL_ARMOR", "JAILBREAK")
"""`promptFeedback.blockReason` of google-genai 2.34, without the unspecified one."""
FAILED = (
    "OTHER", "IMAGE_OTHER", "MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS",
    "MISSING_THOUGHT_SIGNATURE", "ESCALATION", "PUP_LIMITED_DISABLED", "CONTINUATION",
)  # fmt: skip
FINISHES: dict[str, Reason] = {**REFUSALS, **dict.fromkeys(FAILED, Reason.MODEL_FAILED)}
"""`finishReason` of google-genai 2.34 and 3.4, when the answer holds no image."""


def page() -> str:
    """docs/errors.md."""
    parts = [
        "# Errors",
        (
            "What the function answers for each answer of Google's that is no image. Written by\n"
            "`python -m tests.functions.error_table`; a test sends every row through the function. What each reason means is in\n"
            "[the function's reference](function.md#reasons)."
        ),
        "## Refusals of Google's APIs",
        table(
            ("service", "answer", "reason", "class", "HTTP", "tried again"),
            (
                (row.host, row.said, f"`{row.reason}`", *facts(row.reason), "yes" if row.tried > 1 else "no")
                for row in ROWS
            ),
        ),
        (
            "A refusal of the signature is not tried again within a request: the image is kept, and asking again answers it.\n"
            "`Retry-After`, in seconds or as a date, and `RetryInfo` are waited for, unless that would pass the deadline."
        ),
        "## Block reasons",
        "`promptFeedback.blockReason`, when a filter stopped the prompt. A value that is not listed is treated alike.",
        table(
            ("block reason", "reason", "class", "HTTP"),
            ((f"`{name}`", "`PROMPT_BLOCKED`", *facts(Reason.PROMPT_BLOCKED)) for name in BLOCKS),
        ),
        "## Finish reasons",
        (
            "`finishReason` of an answer without an image. With an image it is answered, and `finishReason` says the rest. A value\n"
            "that is not listed is `MODEL_FAILED`."
        ),
        table(
            ("finish reason", "reason", "class", "HTTP"),
            ((f"`{name}`", f"`{reason}`", *facts(reason)) for name, reason in FINISHES.items()),
        ),
    ]
    return "\n\n".join(parts) + "\n"


def facts(reason: Reason) -> tuple[str, str]:
    known = REASONS[reason]
    return known.family.error_class.value, str(known.code)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *lines])


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
