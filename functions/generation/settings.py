"""What the function is told by its environment, read once."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from generation.errors import FatalFailure, Reason
from generation.labels import label_problems
from generation.models import Model, table

NAMES = {
    "project": "GOOGLE_CLOUD_PROJECT",
    "location": "GOOGLE_CLOUD_LOCATION",
    "campaign": "PLANTAIN_CAMPAIGN",
    "bucket": "PLANTAIN_BUCKET",
    "model": "PLANTAIN_MODEL",
    "service_account": "PLANTAIN_SERVICE_ACCOUNT",
    "labels": "PLANTAIN_LABELS",
    "reference_buckets": "PLANTAIN_REFERENCE_BUCKETS",
    "residency": "PLANTAIN_RESIDENCY",
    "budget": "PLANTAIN_BUDGET",
    "images_per_minute": "PLANTAIN_CALLERS_PER_MINUTE",
    "callers": "PLANTAIN_CALLERS",
    "queue": "PLANTAIN_QUEUE",
    "url": "PLANTAIN_URL",
    "telemetry": "PLANTAIN_TELEMETRY",
    "bytes_in_flight": "PLANTAIN_BYTES_IN_FLIGHT",
    "calls_in_flight": "PLANTAIN_CALLS_IN_FLIGHT",
    "workers": "WORKERS",
    "endpoint": "PLANTAIN_ENDPOINT",
}
JSON_FIELDS = ("labels", "budget")
LIST_FIELDS = ("reference_buckets", "callers", "telemetry")
MOST_CALLS = 4096


class Budget(BaseModel):
    """A ceiling of what a campaign may spend.

    Attributes:
        amount: in `currency`.
        window: after which it starts anew, in UTC.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    amount: Decimal = Field(gt=0)
    currency: Literal["USD"] = "USD"
    window: Literal["day", "month"] = "month"


class Settings(BaseModel):
    """The function's settings.

    Attributes:
        project: project that pays for model requests.
        location: location of the model, `global` for most.
        campaign: name in logs and records.
        bucket: where images go.
        model: used when a request names none.
        service_account: e-mail of the identity the function runs as; signs URLs.
        labels: the campaign's mandatory labels, sent with every model request.
        reference_buckets: buckets besides the campaign's from which gs:// references may be read, comma-separated.
        residency: where requests must be processed: us, eu or a region; models served elsewhere only are refused.
        budget: what the campaign may spend, as {"amount": 500, "currency": "USD", "window": "month"}.
        images_per_minute: most images a minute of an instance, divided fairly between callers; counted by each instance
            for itself.
        callers: who may call, comma-separated e-mails or domain:example.com; whoever the platform lets through when
            unset.
        queue: Cloud Tasks queue for requests with async, projects/P/locations/L/queues/Q.
        url: the function's own address, to which the queue sends; taken from the request when unset.
        telemetry: what is sent to Google Cloud: metrics, traces, or both, comma-separated.
        bytes_in_flight: bytes of images an instance holds at once; 40 % of its memory when unset.
        calls_in_flight: most model calls of an instance at once.
        workers: server processes of an instance, one a processor; functions-framework starts so many. Each keeps to its
            part of what an instance may do.
        endpoint: origin that stands for all of Google's hosts, such as a local Google Cloud's; unset on Google Cloud.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    project: str = Field(min_length=1)
    location: str = Field(default="global", min_length=1)
    campaign: str = Field(min_length=1)
    bucket: str = Field(min_length=3)
    model: str = Field(default_factory=lambda: table().default)
    service_account: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    labels: dict[str, str] = Field(default_factory=dict)
    reference_buckets: tuple[str, ...] = ()
    residency: str | None = Field(default=None, pattern=r"^(us|eu|[a-z]+-[a-z]+[0-9]+)$")
    budget: Budget | None = None
    images_per_minute: int | None = Field(default=None, ge=1)
    callers: tuple[str, ...] = ()
    queue: str | None = Field(default=None, pattern=r"^projects/[^/]+/locations/[^/]+/queues/[^/]+$")
    url: str | None = Field(default=None, pattern=r"^https?://[^/]+$")
    telemetry: tuple[Literal["metrics", "traces"], ...] = ()
    bytes_in_flight: int | None = Field(default=None, ge=1)
    calls_in_flight: int = Field(default=MOST_CALLS, ge=1)
    workers: int = Field(default=1, ge=1)
    endpoint: str = Field(default="", pattern=r"^(https?://[^/]+/?)?$")

    @field_validator(*JSON_FIELDS, mode="before")
    @classmethod
    def _from_json(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError('not a JSON object such as {"campaign": "spring-launch"}') from None

    @field_validator(*LIST_FIELDS, mode="before")
    @classmethod
    def _from_list(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("labels")
    @classmethod
    def _are_labels(cls, labels: dict[str, str]) -> dict[str, str]:
        problems = label_problems(labels)
        if problems:
            raise ValueError("; ".join(problem for _, problem in problems))
        return labels

    @field_validator("model")
    @classmethod
    def _is_served(cls, model: str) -> str:
        if table().get(model) is None:
            raise ValueError(table().why_not(model))
        return model

    @model_validator(mode="after")
    def _can_be_served(self) -> Self:
        model = table().get(self.model)
        if self.residency is not None and model is not None and self.location_of(model) is None:
            raise ValueError(
                f"{self.model} is not served in {self.residency}; these are: "
                f"{', '.join(m.id for m in table().models if self.location_of(m)) or 'none'}"
            )
        return self

    def part(self, of_the_instance: int) -> int:
        """What one server process may take of what its instance may: processes cannot see what the others took."""
        return max(1, of_the_instance // self.workers)

    def location_of(self, model: Model) -> str | None:
        """Where a model is called: the stated location, or the place where data must stay; None if it is not served."""
        if self.residency is None:
            return self.location if self.location in model.locations else None
        within = tuple(place for place in model.locations if is_within(place, self.residency))
        return self.location if self.location in within else next(iter(within), None)


def origin_of(host: str, endpoint: str) -> str:
    """Origin of one of Google's hosts: its own, or its part of the endpoint that stands for all of them."""
    return f"{endpoint.rstrip('/')}/{host.partition('.')[0]}" if endpoint else f"https://{host}"


def is_within(location: str, residency: str) -> bool:
    """Whether what is processed at a location stays in a jurisdiction.

    `us` and `eu` hold their multi-region and its regions. Regions outside the union's member states are not `eu`:
    London (europe-west2) and Zürich (europe-west6). Source: Agent Platform documentation, data residency (read
    2026-08).
    """
    if location == residency:
        return True
    if residency == "us":
        return location.startswith("us-")
    return residency == "eu" and location.startswith("europe-") and location not in OUTSIDE_THE_UNION


OUTSIDE_THE_UNION = {"europe-west2", "europe-west6"}


def read(environment: Mapping[str, str]) -> Settings:
    """The settings of an environment.

    Raises:
        FatalFailure: INVALID_SETTINGS, naming every variable that is missing or wrong.
    """
    given = {field: environment[name] for field, name in NAMES.items() if environment.get(name)}
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        problems = [
            f"{NAMES[str(item['loc'][0])] if item['loc'] else NAMES['residency']}: {item['msg']}"
            for item in error.errors(include_url=False)
        ]
        raise FatalFailure(
            Reason.INVALID_SETTINGS,
            f"The function's environment is wrong, so it answers no request. {'; '.join(problems)}",
            hint="Set the variables and deploy again: pulumi up",
        ) from None
