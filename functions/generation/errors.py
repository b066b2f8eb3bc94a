"""Every failure the function answers, in Google's error envelope.

GenerationError
├── InvalidRequest      class invalid    the request must change
├── Declined            class safety     the model or a filter declined; the prompt or the images must change
├── AccessDenied        class auth       an identity, an API, a perimeter or a key must be mended
├── QuotaExhausted      class quota      wait, or buy more
├── TemporaryFailure    class retryable  the same request may succeed later
└── FatalFailure        class fatal      the deployment must be mended

The family decides `class`, the reason decides the rest. Shape of the envelope:
https://docs.cloud.google.com/apis/design/errors (read 2026-08).
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from generation.usage import Usage

MOST_SAID = 50
"""Problems of a request that are told one by one."""
LONGEST_SAID = 1000
"""Characters of one of them: it may repeat what the caller sent."""


class ErrorClass(StrEnum):
    """What a caller can do about a failure."""

    RETRYABLE = "retryable"
    QUOTA = "quota"
    AUTH = "auth"
    SAFETY = "safety"
    INVALID = "invalid"
    FATAL = "fatal"


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong with a request.

    Attributes:
        field: path such as `references[1].uri`.
        reason: a reason of class invalid.
        message: what is wrong.
        hint: what would be right.
    """

    field: str
    reason: "Reason"
    message: str
    hint: str = ""


class Reason(StrEnum):
    """Why a request failed. `REASONS` says what each one means."""

    INVALID_JSON = "INVALID_JSON"
    UNKNOWN_FIELD = "UNKNOWN_FIELD"
    INVALID_FIELD = "INVALID_FIELD"
    UNSUPPORTED_BY_MODEL = "UNSUPPORTED_BY_MODEL"
    INVALID_LABEL = "INVALID_LABEL"
    REFERENCE_NOT_FOUND = "REFERENCE_NOT_FOUND"
    REQUEST_TOO_LARGE = "REQUEST_TOO_LARGE"
    MODEL_INVALID_ARGUMENT = "MODEL_INVALID_ARGUMENT"
    IMAGE_NOT_FOUND = "IMAGE_NOT_FOUND"
    ROUTE_NOT_FOUND = "ROUTE_NOT_FOUND"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    REFERENCE_NOT_ALLOWED = "REFERENCE_NOT_ALLOWED"
    RESIDENCY = "RESIDENCY"
    LABEL_VALUES_EXHAUSTED = "LABEL_VALUES_EXHAUSTED"
    REQUEST_ID_REUSED = "REQUEST_ID_REUSED"
    TEMPLATE_FAILED = "TEMPLATE_FAILED"
    ASYNC_UNAVAILABLE = "ASYNC_UNAVAILABLE"
    LANGUAGE = "LANGUAGE"
    MAX_TOKENS = "MAX_TOKENS"

    PROMPT_BLOCKED = "PROMPT_BLOCKED"
    NO_IMAGE = "NO_IMAGE"
    SAFETY = "SAFETY"
    IMAGE_SAFETY = "IMAGE_SAFETY"
    PROHIBITED_CONTENT = "PROHIBITED_CONTENT"
    IMAGE_PROHIBITED_CONTENT = "IMAGE_PROHIBITED_CONTENT"
    RECITATION = "RECITATION"
    IMAGE_RECITATION = "IMAGE_RECITATION"
    BLOCKLIST = "BLOCKLIST"
    SPII = "SPII"
    MODEL_ARMOR = "MODEL_ARMOR"

    UNAUTHENTICATED = "UNAUTHENTICATED"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    SERVICE_DISABLED = "SERVICE_DISABLED"
    BILLING_DISABLED = "BILLING_DISABLED"
    VPC_SERVICE_CONTROLS = "VPC_SERVICE_CONTROLS"
    KMS_KEY_DENIED = "KMS_KEY_DENIED"
    SIGNING_DENIED = "SIGNING_DENIED"
    CALLER_NOT_ALLOWED = "CALLER_NOT_ALLOWED"

    QUOTA_EXCEEDED = "QUOTA_EXCEEDED"
    CAPACITY_EXHAUSTED = "CAPACITY_EXHAUSTED"
    BUDGET_EXCEEDED = "BUDGET_EXCEEDED"
    RATE_EXCEEDED = "RATE_EXCEEDED"

    MODEL_UNAVAILABLE = "MODEL_UNAVAILABLE"
    MODEL_PAUSED = "MODEL_PAUSED"
    MODEL_FAILED = "MODEL_FAILED"
    STORAGE_UNAVAILABLE = "STORAGE_UNAVAILABLE"
    IDENTITY_UNAVAILABLE = "IDENTITY_UNAVAILABLE"
    QUEUE_UNAVAILABLE = "QUEUE_UNAVAILABLE"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    INSTANCE_STOPPING = "INSTANCE_STOPPING"
    IN_PROGRESS = "IN_PROGRESS"

    MODEL_NOT_FOUND = "MODEL_NOT_FOUND"
    BUCKET_NOT_FOUND = "BUCKET_NOT_FOUND"
    KMS_KEY_UNUSABLE = "KMS_KEY_UNUSABLE"
    STORAGE_REFUSED = "STORAGE_REFUSED"
    QUEUE_REFUSED = "QUEUE_REFUSED"
    INVALID_SETTINGS = "INVALID_SETTINGS"
    INTERNAL = "INTERNAL"


class GenerationError(Exception):
    """A failure with everything its answer needs.

    Args:
        reason: why; one of this family's reasons.
        message: cause and consequence, for the caller. It may repeat what the caller sent, so it is never logged.
        hint: the cure, as a command where one exists; holds nothing the caller sent, so it may be logged.
        retry_after: seconds after which another try makes sense.
        violations: what is wrong with the request, each a detail of its own.
        unique_id: identifier under which Google logged its refusal.

    Attributes:
        asked_wait: seconds that Google itself asked to wait; None where it did not say.
        attempts: model calls made so far.
        usage: tokens used in spite of the failure.
        drawn: whether images came and could not be kept: another model would be paid for in vain.
        unanswered: whether a model was asked and its answer not waited for, so that it may be billed all the same.
    """

    error_class: ClassVar[ErrorClass] = ErrorClass.FATAL

    def __init__(
        self,
        reason: Reason,
        message: str,
        *,
        hint: str = "",
        retry_after: float | None = None,
        violations: tuple[Violation, ...] = (),
        unique_id: str = "",
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.hint = hint
        self.retry_after = retry_after
        self.violations = violations
        self.unique_id = unique_id
        self.asked_wait: float | None = None
        self.attempts = 0
        self.usage: Usage | None = None
        self.drawn = False
        self.unanswered = False

    @property
    def code(self) -> int:
        """HTTP status of the answer."""
        return REASONS[self.reason].code

    @property
    def status(self) -> str:
        """Canonical status of the answer."""
        return REASONS[self.reason].status

    @property
    def may_succeed_later(self) -> bool:
        """Whether the very same call is worth another try."""
        return self.error_class in {ErrorClass.RETRYABLE, ErrorClass.QUOTA}

    def envelope(self) -> dict[str, Any]:
        """The JSON body of the answer."""
        if self.violations:
            details = [self._detail(v.reason, v.hint) | {"field": v.field} for v in self.violations]
        else:
            details = [self._detail(self.reason, self.hint)]
        return {
            "error": {"code": self.code, "status": self.status, "message": self.message, "details": details},
        }

    def _detail(self, reason: Reason, hint: str) -> dict[str, Any]:
        seconds = None if self.retry_after is None else max(1, round(self.retry_after))
        return {"reason": reason.value, "class": self.error_class.value, "hint": hint, "retryAfterSeconds": seconds}


class InvalidRequest(GenerationError):
    """The request must change."""

    error_class = ErrorClass.INVALID


class Declined(GenerationError):
    """The model, or a filter before or behind it, declined."""

    error_class = ErrorClass.SAFETY


class AccessDenied(GenerationError):
    """The function's identity may not do what the request needs."""

    error_class = ErrorClass.AUTH


class QuotaExhausted(GenerationError):
    """A quota or the model's capacity is used up."""

    error_class = ErrorClass.QUOTA


class TemporaryFailure(GenerationError):
    """Something failed that usually works."""

    error_class = ErrorClass.RETRYABLE


class FatalFailure(GenerationError):
    """Something is wrong that no request can mend."""

    error_class = ErrorClass.FATAL


@dataclass(frozen=True, slots=True)
class ReasonFacts:
    """What a reason stands for.

    Attributes:
        family: exception that carries it.
        code: HTTP status.
        status: canonical status.
        meaning: one clause for the documentation.
    """

    family: type[GenerationError]
    code: int
    status: str
    meaning: str = field(compare=False)


BAD, PRECONDITION, DENIED = "INVALID_ARGUMENT", "FAILED_PRECONDITION", "PERMISSION_DENIED"
REASONS: dict[Reason, ReasonFacts] = {
    Reason.INVALID_JSON: ReasonFacts(InvalidRequest, 400, BAD, "the body is not a JSON object"),
    Reason.UNKNOWN_FIELD: ReasonFacts(InvalidRequest, 400, BAD, "a field this version does not know"),
    Reason.INVALID_FIELD: ReasonFacts(InvalidRequest, 400, BAD, "a field is missing or has a wrong value"),
    Reason.UNSUPPORTED_BY_MODEL: ReasonFacts(InvalidRequest, 400, BAD, "the model does not take the field's value"),
    Reason.INVALID_LABEL: ReasonFacts(InvalidRequest, 400, BAD, "a label breaks Google's rules or a mandatory label"),
    Reason.REFERENCE_NOT_FOUND: ReasonFacts(InvalidRequest, 400, BAD, "a reference, mask or previous image is missing"),
    Reason.REQUEST_TOO_LARGE: ReasonFacts(InvalidRequest, 413, BAD, "the body is larger than Cloud Run accepts"),
    Reason.MODEL_INVALID_ARGUMENT: ReasonFacts(InvalidRequest, 400, BAD, "the model refused the request as malformed"),
    Reason.IMAGE_NOT_FOUND: ReasonFacts(InvalidRequest, 404, "NOT_FOUND", "no image has this id"),
    Reason.ROUTE_NOT_FOUND: ReasonFacts(InvalidRequest, 404, "NOT_FOUND", "no such path"),
    Reason.METHOD_NOT_ALLOWED: ReasonFacts(InvalidRequest, 405, "UNIMPLEMENTED", "the path has no such method"),
    Reason.REFERENCE_NOT_ALLOWED: ReasonFacts(InvalidRequest, 400, BAD, "a reference lies in a bucket not allowed"),
    Reason.RESIDENCY: ReasonFacts(InvalidRequest, 400, PRECONDITION, "the model is not served where data must stay"),
    Reason.LABEL_VALUES_EXHAUSTED: ReasonFacts(InvalidRequest, 400, BAD, "a label key has had all its 1,000 values"),
    Reason.REQUEST_ID_REUSED: ReasonFacts(
        InvalidRequest, 409, "ALREADY_EXISTS", "the requestId stands for another request"
    ),
    Reason.TEMPLATE_FAILED: ReasonFacts(InvalidRequest, 400, BAD, "the template does not fit its data, or is refused"),
    Reason.ASYNC_UNAVAILABLE: ReasonFacts(InvalidRequest, 400, PRECONDITION, "the campaign has no queue"),
    Reason.LANGUAGE: ReasonFacts(InvalidRequest, 400, PRECONDITION, "the prompt's language is not supported"),
    Reason.MAX_TOKENS: ReasonFacts(InvalidRequest, 400, PRECONDITION, "the answer ran out of tokens before an image"),
    Reason.PROMPT_BLOCKED: ReasonFacts(Declined, 400, PRECONDITION, "a filter blocked the prompt or its images"),
    Reason.NO_IMAGE: ReasonFacts(Declined, 400, PRECONDITION, "the model answered without an image, often with text"),
    Reason.SAFETY: ReasonFacts(Declined, 400, PRECONDITION, "the answer broke a safety threshold"),
    Reason.IMAGE_SAFETY: ReasonFacts(Declined, 400, PRECONDITION, "the generated image broke a safety rule"),
    Reason.PROHIBITED_CONTENT: ReasonFacts(Declined, 400, PRECONDITION, "the request asks for prohibited content"),
    Reason.IMAGE_PROHIBITED_CONTENT: ReasonFacts(Declined, 400, PRECONDITION, "the image showed prohibited content"),
    Reason.RECITATION: ReasonFacts(Declined, 400, PRECONDITION, "the answer repeated a source"),
    Reason.IMAGE_RECITATION: ReasonFacts(Declined, 400, PRECONDITION, "the image came too close to a source"),
    Reason.BLOCKLIST: ReasonFacts(Declined, 400, PRECONDITION, "a forbidden term"),
    Reason.SPII: ReasonFacts(Declined, 400, PRECONDITION, "sensitive personal information"),
    Reason.MODEL_ARMOR: ReasonFacts(Declined, 400, PRECONDITION, "Model Armor stopped the answer"),
    Reason.UNAUTHENTICATED: ReasonFacts(AccessDenied, 401, "UNAUTHENTICATED", "the function has no valid credentials"),
    Reason.PERMISSION_DENIED: ReasonFacts(AccessDenied, 403, DENIED, "the function's identity lacks a role"),
    Reason.SERVICE_DISABLED: ReasonFacts(AccessDenied, 403, DENIED, "an API is not enabled in the project"),
    Reason.BILLING_DISABLED: ReasonFacts(AccessDenied, 403, DENIED, "the project has no open billing account"),
    Reason.VPC_SERVICE_CONTROLS: ReasonFacts(AccessDenied, 403, DENIED, "a service perimeter stopped the call"),
    Reason.KMS_KEY_DENIED: ReasonFacts(AccessDenied, 403, DENIED, "Cloud Storage may not use the bucket's key"),
    Reason.SIGNING_DENIED: ReasonFacts(AccessDenied, 403, DENIED, "the function's identity may not sign as itself"),
    Reason.CALLER_NOT_ALLOWED: ReasonFacts(AccessDenied, 403, DENIED, "the caller is none of the campaign's"),
    Reason.QUOTA_EXCEEDED: ReasonFacts(QuotaExhausted, 429, "RESOURCE_EXHAUSTED", "a quota of the project is used up"),
    Reason.CAPACITY_EXHAUSTED: ReasonFacts(QuotaExhausted, 429, "RESOURCE_EXHAUSTED", "no capacity at the moment"),
    Reason.BUDGET_EXCEEDED: ReasonFacts(
        QuotaExhausted, 429, "RESOURCE_EXHAUSTED", "the campaign's budget would be exceeded; the model was not asked"
    ),
    Reason.RATE_EXCEEDED: ReasonFacts(
        QuotaExhausted, 429, "RESOURCE_EXHAUSTED", "the campaign's ceiling of images a minute is reached"
    ),
    Reason.MODEL_UNAVAILABLE: ReasonFacts(TemporaryFailure, 503, "UNAVAILABLE", "the model's API failed"),
    Reason.MODEL_PAUSED: ReasonFacts(TemporaryFailure, 503, "UNAVAILABLE", "the model failed so often that it rests"),
    Reason.MODEL_FAILED: ReasonFacts(TemporaryFailure, 503, "UNAVAILABLE", "the model's answer is unusable"),
    Reason.STORAGE_UNAVAILABLE: ReasonFacts(TemporaryFailure, 503, "UNAVAILABLE", "Cloud Storage failed"),
    Reason.IDENTITY_UNAVAILABLE: ReasonFacts(TemporaryFailure, 503, "UNAVAILABLE", "tokens or signatures failed"),
    Reason.QUEUE_UNAVAILABLE: ReasonFacts(TemporaryFailure, 503, "UNAVAILABLE", "Cloud Tasks failed"),
    Reason.DEADLINE_EXCEEDED: ReasonFacts(TemporaryFailure, 504, "DEADLINE_EXCEEDED", "timeoutSeconds have passed"),
    Reason.INSTANCE_STOPPING: ReasonFacts(TemporaryFailure, 503, "UNAVAILABLE", "the instance is being shut down"),
    Reason.IN_PROGRESS: ReasonFacts(TemporaryFailure, 409, "ABORTED", "the same request is still worked on elsewhere"),
    Reason.MODEL_NOT_FOUND: ReasonFacts(FatalFailure, 404, "NOT_FOUND", "the model is not served at the location"),
    Reason.BUCKET_NOT_FOUND: ReasonFacts(FatalFailure, 500, PRECONDITION, "the campaign's bucket does not exist"),
    Reason.KMS_KEY_UNUSABLE: ReasonFacts(FatalFailure, 500, PRECONDITION, "the bucket's key is disabled or destroyed"),
    Reason.STORAGE_REFUSED: ReasonFacts(FatalFailure, 500, "INTERNAL", "Cloud Storage refused a request as malformed"),
    Reason.QUEUE_REFUSED: ReasonFacts(FatalFailure, 500, "INTERNAL", "Cloud Tasks refused a task"),
    Reason.INVALID_SETTINGS: ReasonFacts(FatalFailure, 500, PRECONDITION, "the function's environment is wrong"),
    Reason.INTERNAL: ReasonFacts(FatalFailure, 500, "INTERNAL", "a defect of the function"),
}


def failure(
    reason: Reason,
    message: str,
    *,
    hint: str = "",
    retry_after: float | None = None,
    unique_id: str = "",
) -> GenerationError:
    """The exception of a reason's family."""
    return REASONS[reason].family(reason, message, hint=hint, retry_after=retry_after, unique_id=unique_id)


def invalid(violations: list[Violation]) -> InvalidRequest:
    """One exception for everything that is wrong with a request; at least one violation."""
    count = f"{len(violations)} fields are wrong" if len(violations) > 1 else "1 field is wrong"
    said = [
        Violation(v.field[:LONGEST_SAID], v.reason, v.message[:LONGEST_SAID], v.hint) for v in violations[:MOST_SAID]
    ]
    text = "; ".join(f"{v.field}: {v.message}" for v in said)
    more = f"; and {len(violations) - len(said)} more" if len(said) < len(violations) else ""
    return InvalidRequest(said[0].reason, f"{count}. {text}{more}", violations=tuple(said))
