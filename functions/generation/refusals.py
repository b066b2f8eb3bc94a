"""What Google's refusals mean, and what mends them: one translation for the model, Cloud Storage and IAM.

Sources: error details of https://docs.cloud.google.com/apis/design/errors; VPC Service Controls troubleshooting page
(unique identifier in the message and in a PreconditionFailure); Cloud Storage JSON API status codes, whose envelope has
`errors[].reason` instead of details (all read 2026-08).
"""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

from generation.errors import GenerationError, Reason, failure
from generation.settings import Settings

UNIQUE_ID = re.compile(r"vpcServiceControlsUniqueIdentifier:?\s*([\w-]+)", re.IGNORECASE)
PERMISSION = re.compile(r"\b([a-z]+\.[a-zA-Z]+\.[a-zA-Z]+)\b (?:access to|denied)|[Pp]ermission '([\w.]+)'")
CHECKSUM = re.compile(r"(MD5|CRC32C).*match", re.IGNORECASE)
DURATION = re.compile(r"(\d+(?:\.\d+)?)s")
MODEL = "aiplatform.googleapis.com"
STORAGE = "storage.googleapis.com"
SIGNING = "iamcredentials.googleapis.com"
TASKS = "cloudtasks.googleapis.com"
TITLES = {MODEL: "The model", STORAGE: "Cloud Storage", SIGNING: "IAM", TASKS: "Cloud Tasks"}
UNAVAILABLE = {
    MODEL: Reason.MODEL_UNAVAILABLE,
    STORAGE: Reason.STORAGE_UNAVAILABLE,
    SIGNING: Reason.IDENTITY_UNAVAILABLE,
    TASKS: Reason.QUEUE_UNAVAILABLE,
}
QUOTA_WAIT_SECONDS = 60.0
"""Quotas of the model are counted by the minute."""
FAILURE_WAIT_SECONDS = 5.0
LONGEST_WAIT_SECONDS = 86_400.0
"""What asks for more than a day does not mean it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A failed answer of a Google API.

    Attributes:
        service: host of the API.
        code: HTTP status.
        body: the JSON body, whole or its `error` part; empty where it was none.
        headers: of the answer, names in lower case.
        resource: what the call was about, such as a bucket.
    """

    service: str
    code: int
    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    resource: str = ""

    @property
    def error(self) -> Mapping[str, Any]:
        """The `error` part of the body."""
        inner = self.body.get("error", self.body)
        return inner if isinstance(inner, Mapping) else {}

    @property
    def message(self) -> str:
        """Google's words."""
        return str(self.error.get("message") or f"HTTP {self.code}").strip()

    @property
    def details(self) -> list[Mapping[str, Any]]:
        """`google.rpc` details."""
        return [item for item in self.error.get("details") or [] if isinstance(item, Mapping)]

    @property
    def reasons(self) -> set[str]:
        """Every machine-readable reason, of either kind of envelope."""
        legacy = [item.get("reason", "") for item in self.error.get("errors") or [] if isinstance(item, Mapping)]
        violations = [item.get("type", "") for detail in self.details for item in detail.get("violations") or []]
        return {str(d["reason"]) for d in self.details if d.get("reason")} | {*map(str, legacy), *map(str, violations)}

    def metadata(self, key: str) -> str:
        """A value of an ErrorInfo's metadata."""
        return next((str(d["metadata"][key]) for d in self.details if key in (d.get("metadata") or {})), "")

    def retry_after(self) -> float | None:
        """Seconds Google asks to wait, from a RetryInfo or the Retry-After header."""
        for detail in self.details:
            match = DURATION.fullmatch(str(detail.get("retryDelay", "")))
            if match:
                return min(LONGEST_WAIT_SECONDS, float(match[1]))
        asked = _seconds(self.headers.get("retry-after", ""))
        return None if asked is None else min(LONGEST_WAIT_SECONDS, asked)


def translate(refusal: Refusal, settings: Settings, *, model: str = "", location: str = "") -> GenerationError:
    """The failure of ours that stands for a refusal of Google's."""
    error = _failure_of(refusal, settings, model, location or settings.location)
    error.asked_wait = refusal.retry_after()
    return error


def _failure_of(refusal: Refusal, settings: Settings, model: str, location: str) -> GenerationError:
    code = refusal.code
    if code == 401:  # noqa: PLR2004 -- HTTP statuses read best as numbers, here and below
        return _unauthenticated(refusal, settings)
    if code == 403:  # noqa: PLR2004
        return _forbidden(refusal, settings)
    if code == 404:  # noqa: PLR2004
        return _missing(refusal, settings, model, location)
    if code == 429:  # noqa: PLR2004
        return _exhausted(refusal, settings, model)
    # A timeout of Google's own, what it aborted or cancelled, and a success without the promised contents, are as
    # temporary as a failure.
    if code in {408, 409, 499} or code >= 500 or code < 400:  # noqa: PLR2004 -- statuses
        return failure(
            UNAVAILABLE[refusal.service],
            f"{TITLES[refusal.service]} failed with HTTP {code}: {refusal.message}",
            hint=f"Try again; if it lasts, see https://status.cloud.google.com for {refusal.service}",
            retry_after=refusal.retry_after() or FAILURE_WAIT_SECONDS,
        )
    return _malformed(refusal, settings)


def _unauthenticated(refusal: Refusal, settings: Settings) -> GenerationError:
    return failure(
        Reason.UNAUTHENTICATED,
        f"{TITLES[refusal.service]} did not accept the function's credentials: {refusal.message}",
        hint=f"Check that the identity exists and is enabled: gcloud iam service-accounts describe "
        f"{settings.service_account} --project={settings.project}",
    )


def _forbidden(refusal: Refusal, settings: Settings) -> GenerationError:
    reasons, message = refusal.reasons, refusal.message
    identifier = refusal.metadata("uid") or _found(UNIQUE_ID, message)
    if identifier or reasons & {"VPC_SERVICE_CONTROLS", "vpcServiceControls", "SECURITY_POLICY_VIOLATED"}:
        return _perimeter(refusal, settings, identifier)
    if reasons & {"SERVICE_DISABLED", "accessNotConfigured"}:
        service = refusal.metadata("service") or refusal.service
        return failure(
            Reason.SERVICE_DISABLED,
            f"{service} is not enabled in project {settings.project}: {message}",
            hint=f"gcloud services enable {service} --project={settings.project}",
        )
    if "BILLING_DISABLED" in reasons:
        return failure(
            Reason.BILLING_DISABLED,
            f"Project {settings.project} has no open billing account: {message}",
            hint=f"gcloud billing projects link {settings.project} --billing-account=ACCOUNT_ID",
        )
    if "Cloud KMS key" in message:
        return failure(
            Reason.KMS_KEY_DENIED,
            f"Cloud Storage may not use the key of gs://{refusal.resource}, so nothing can be stored: {message}",
            hint=f"gcloud kms keys add-iam-policy-binding KEY --member=serviceAccount:$(gcloud storage service-agent "
            f"--project={settings.project}) --role=roles/cloudkms.cryptoKeyEncrypterDecrypter; KEY is what `gcloud "
            f"storage buckets describe gs://{refusal.resource} --format='value(default_kms_key)'` prints",
        )
    return _missing_role(refusal, settings)


def _missing_role(refusal: Refusal, settings: Settings) -> GenerationError:
    permission = refusal.metadata("permission") or _found(PERMISSION, refusal.message)
    member = f"--member=serviceAccount:{settings.service_account}"
    lacks = f"{settings.service_account} lacks {permission or 'a permission'}: {refusal.message}"
    if refusal.service == SIGNING:
        return failure(
            Reason.SIGNING_DENIED,
            f"No signed URL could be made. {lacks}",
            hint=f"gcloud iam service-accounts add-iam-policy-binding {settings.service_account} {member} "
            f"--role=roles/iam.serviceAccountTokenCreator --project={settings.project}",
        )
    if refusal.service == TASKS:
        hint = (
            f"gcloud tasks queues add-iam-policy-binding {refusal.resource} {member} --role=roles/cloudtasks.enqueuer; "
            f"the identity must also be allowed to act as itself: gcloud iam service-accounts add-iam-policy-binding "
            f"{settings.service_account} {member} --role=roles/iam.serviceAccountUser --project={settings.project}"
        )
    elif refusal.service == STORAGE:
        role = "roles/storage.objectCreator" if permission.endswith(".create") else "roles/storage.objectViewer"
        hint = f"gcloud storage buckets add-iam-policy-binding gs://{refusal.resource} {member} --role={role}"
    else:
        hint = f"gcloud projects add-iam-policy-binding {settings.project} {member} --role=roles/aiplatform.user"
    return failure(Reason.PERMISSION_DENIED, lacks, hint=hint)


def _perimeter(refusal: Refusal, settings: Settings, identifier: str) -> GenerationError:
    named = f" vpcServiceControlsUniqueIdentifier: {identifier}." if identifier else ""
    query = f'protoPayload.metadata.vpcServiceControlsUniqueId="{identifier}"'
    return failure(
        Reason.VPC_SERVICE_CONTROLS,
        f"A service perimeter stopped the call to {refusal.service}.{named}",
        hint=f"Read which rule is missing (ingress, egress or membership): gcloud logging read '{query}' "
        f"--project={settings.project}. A project outside the perimeter joins it with: gcloud access-context-manager "
        f"perimeters update PERIMETER --policy=POLICY --add-resources=projects/PROJECT_NUMBER. A call that crosses it "
        f"needs a rule for {refusal.service}: gcloud access-context-manager perimeters update PERIMETER "
        f"--policy=POLICY --set-egress-policies=RULES.yaml (or --set-ingress-policies)",
        unique_id=identifier,
    )


def _missing(refusal: Refusal, settings: Settings, model: str, location: str) -> GenerationError:
    if refusal.service == MODEL:
        return failure(
            Reason.MODEL_NOT_FOUND,
            f"{model} is not served at location {location!r}, or is retired: {refusal.message}",
            hint="Set GOOGLE_CLOUD_LOCATION to global, where gemini-3-pro-image is served; see `plantain models`",
        )
    if refusal.service == TASKS:
        return failure(
            Reason.QUEUE_REFUSED,
            f"Queue {refusal.resource} does not exist: {refusal.message}",
            hint=f"pulumi up makes it; gcloud tasks queues describe {refusal.resource} shows whether it is there",
        )
    if refusal.service == SIGNING:
        return failure(
            Reason.SIGNING_DENIED,
            f"{settings.service_account} does not exist, so no signed URL could be made: {refusal.message}",
            hint="Set PLANTAIN_SERVICE_ACCOUNT to the identity the function runs as: pulumi up",
        )
    return failure(
        Reason.BUCKET_NOT_FOUND,
        f"gs://{refusal.resource} does not exist: {refusal.message}",
        hint=f"pulumi up makes it; gcloud storage buckets describe gs://{refusal.resource} shows whether it is there",
    )


def _exhausted(refusal: Refusal, settings: Settings, model: str) -> GenerationError:
    wait = refusal.retry_after() or QUOTA_WAIT_SECONDS
    quota = refusal.metadata("quota_metric") or refusal.metadata("quotaMetric")
    if quota or refusal.reasons & {"RATE_LIMIT_EXCEEDED", "QUOTA_EXCEEDED"} or "quota" in refusal.message.lower():
        return failure(
            Reason.QUOTA_EXCEEDED,
            f"A quota of project {settings.project} is used up: {refusal.message}",
            hint=f"gcloud beta quotas info list --service={refusal.service} --project={settings.project}"
            + (f" --filter=metric={quota}" if quota else "")
            + " shows it and whether it can be raised",
            retry_after=wait,
        )
    if refusal.service != MODEL:
        return failure(
            UNAVAILABLE[refusal.service],
            f"{TITLES[refusal.service]} takes no more requests at the moment: {refusal.message}",
            hint=f"Try again; if it lasts, see the quotas: gcloud beta quotas info list --service={refusal.service} "
            f"--project={settings.project}",
            retry_after=refusal.retry_after() or FAILURE_WAIT_SECONDS,
        )
    return failure(
        Reason.CAPACITY_EXHAUSTED,
        f"{model} has no capacity at the moment: {refusal.message}",
        hint="Wait, name a model in fallback, use capacity flex, or buy Provisioned Throughput",
        retry_after=wait,
    )


def _malformed(refusal: Refusal, settings: Settings) -> GenerationError:
    if refusal.service == MODEL:
        return failure(
            Reason.MODEL_INVALID_ARGUMENT,
            f"The model refused the request: {refusal.message}",
            hint="Change what the message names; references must be readable images",
        )
    if refusal.service == SIGNING:
        return failure(
            Reason.SIGNING_DENIED,
            f"IAM refused to sign as {settings.service_account} with HTTP {refusal.code}: {refusal.message}",
            hint="Set PLANTAIN_SERVICE_ACCOUNT to the identity the function runs as: pulumi up",
        )
    if refusal.service == TASKS:
        return failure(
            Reason.QUEUE_REFUSED,
            f"Cloud Tasks refused the task with HTTP {refusal.code}: {refusal.message}",
            hint=f"gcloud tasks queues describe {refusal.resource}",
        )
    if refusal.service == STORAGE and "KMS key" in refusal.message:
        return failure(
            Reason.KMS_KEY_UNUSABLE,
            f"The key of gs://{refusal.resource} cannot be used, so nothing can be stored or read: {refusal.message}",
            hint="gcloud kms keys versions list --key=KEY --keyring=RING --location=LOCATION, then: "
            "gcloud kms keys versions enable (or restore) VERSION --key=KEY --keyring=RING --location=LOCATION",
        )
    if refusal.service == STORAGE and CHECKSUM.search(refusal.message):
        return failure(
            Reason.STORAGE_UNAVAILABLE,
            f"An object arrived damaged at gs://{refusal.resource} and was not kept: {refusal.message}",
            hint="Try again",
            retry_after=1.0,
        )
    return failure(
        Reason.STORAGE_REFUSED,
        f"{TITLES[refusal.service]} refused the request with HTTP {refusal.code}: {refusal.message}",
        hint=f"gcloud storage buckets describe gs://{refusal.resource or settings.bucket}",
    )


def _seconds(header: str) -> float | None:
    # RFC 9110: seconds, or a date.
    if header.isascii() and header.isdigit():
        return float(header)
    try:
        at = parsedate_to_datetime(header)
    except (ValueError, OverflowError, TypeError, IndexError):  # as its parts may be of any kind
        return None
    if at.tzinfo is None:
        return None
    return max(0.0, (at - dt.datetime.now(dt.UTC)).total_seconds())


def _found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return next((group for group in match.groups() if group), "") if match else ""
