"""What a campaign file says of limits: of capacity, of money, and of how good the service shall be.

Nothing here is a quota of Google's: on pay-as-you-go the image models have none that is published. These are the
ceilings a campaign sets itself, so that "85 % of capacity" means something.
"""

from typing import Annotated

from pydantic import Field

from infra.model import Model


class Capacity(Model):
    """What a campaign may use of the model."""

    images_per_minute: int = Field(
        default=60,
        ge=1,
        le=10_000,
        description="most images a minute the campaign may ask the model for, 1 to 10000; the function refuses more, "
        "the queue sends no more, and an alert watches 85 % of it",
        examples=["60"],
    )
    provisioned_units: int = Field(
        default=0,
        ge=0,
        le=10_000,
        description="generative AI scale units of provisioned throughput bought for the model in this project, 0 for "
        "pay-as-you-go; an alert watches 85 % of them",
        examples=["0"],
    )
    quota_adjuster: bool = Field(
        default=False,
        description="true: Google raises quotas of the project by itself when their use comes near them; false: only "
        "what quotas asks for",
        examples=["true"],
    )


class Queue(Model):
    """The queue of requests that may wait."""

    enabled: bool = Field(
        default=True,
        description="true: the campaign has a Cloud Tasks queue for requests that may wait; false: it has none",
        examples=["true"],
    )
    max_attempts: int = Field(
        default=5, ge=1, le=100, description="how often a task is tried before it is dropped, 1 to 100", examples=["5"]
    )
    retry_hours: int = Field(
        default=6, ge=1, le=168, description="hours after which a task is no longer retried, 1 to 168", examples=["6"]
    )


class Budget(Model):
    """The campaign's monthly budget. It tells, it does not stop: see docs/capacity.md."""

    amount: int = Field(
        default=1000,
        ge=1,
        description="money a month in whole units of the currency; e-mail goes out at 50, 85 and 100 % of it, and "
        "when the forecast passes 85 and 100 %",
        examples=["1000"],
    )
    currency: str | None = Field(
        default=None,
        pattern=r"^[A-Z]{3}$",
        description="currency of the amount, which must be that of the billing account, such as EUR; without it the "
        "billing account's",
        examples=["EUR"],
    )
    topic: str | None = Field(
        default=None,
        pattern=r"^projects/[a-z][a-z0-9-]{4,28}[a-z0-9]/topics/[A-Za-z][A-Za-z0-9.~+%_-]+$",
        description="Pub/Sub topic of another project that is told of the spend several times a day, such as "
        "projects/plantain-seed/topics/budgets",
        examples=["projects/plantain-seed/topics/budgets"],
    )


class Objectives(Model):
    """How good the service shall be; alerts and service level objectives follow from it."""

    success_rate: float = Field(
        default=0.99,
        gt=0.5,
        le=0.9999,
        description="share of valid requests that shall be answered within 28 days, such as 0.99",
        examples=["0.99"],
    )
    latency_seconds: int = Field(
        default=60,
        ge=1,
        le=3600,
        description="seconds within which 95 % of images shall be made, 1 to 3600",
        examples=["60"],
    )
    rejection_rate: float = Field(
        default=0.2,
        gt=0,
        le=1,
        description="share of requests refused for safety beyond which the campaign is told, such as 0.2",
        examples=["0.2"],
    )
    cost_per_image: float = Field(
        default=0.5,
        gt=0,
        description="US dollars an accepted image may cost on average, refused and retried ones included, such as 0.5",
        examples=["0.5"],
    )


class Quota(Model):
    """A quota the campaign's project asks Google for."""

    service: str = Field(
        pattern=r"^[a-z0-9-]+\.googleapis\.com$",
        description="an API's host name, such as aiplatform.googleapis.com",
        examples=["aiplatform.googleapis.com"],
    )
    quota_id: str = Field(
        min_length=1,
        description="id of the quota as Cloud Quotas lists it, such as "
        "GenerateContentImageGenPerProjectPerBaseModelGlobal",
        examples=["GenerateContentImageGenPerProjectPerBaseModelGlobal"],
    )
    value: int = Field(ge=0, description="the value to ask for, such as 60", examples=["60"])
    dimensions: dict[str, str] = Field(
        default_factory=dict,
        description="map that narrows the quota, such as base_model: gemini-3-pro-image; empty for all of it",
        examples=["{}"],
    )


Quotas = Annotated[tuple[Quota, ...], Field(max_length=20)]
