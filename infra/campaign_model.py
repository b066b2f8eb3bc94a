"""What a campaign file says. An editor checks it by `campaigns/campaign.schema.json`, which is made from this.

The labels are mandatory because everything else hangs on them: cost is reported by them, the end of a campaign is
known from them, and they travel with every request to the model.
"""

import datetime as dt
import ipaddress
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.alias_generators import to_camel

from generation import models
from infra import naming

LONGEST_SUBNET_PREFIX = 26
"""Direct VPC egress needs a /26 or larger (cloud.google.com/run/docs/configuring/vpc-direct-vpc, 2026-11)."""

UNREACHABLE_LOCATIONS = frozenset({"us", "eu"})
"""Multi-region hosts do not answer on the restricted addresses, which are all a campaign's network can reach
(docs.cloud.google.com/gemini-enterprise-agent-platform/resources/locations, 2026-08)."""

LabelValue = Annotated[str, Field(pattern=naming.LABEL_VALUE_PATTERN)]


class Environment(StrEnum):
    """What a campaign is for."""

    DEV = "dev"
    TEST = "test"
    PROD = "prod"


class DataClass(StrEnum):
    """How confidential prompts and images are."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    RESTRICTED = "restricted"


class Model(BaseModel):
    """A part of a campaign file cannot be changed and knows no keys but its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True)


def _to_kebab(name: str) -> str:
    return name.replace("_", "-")


class Labels(Model):
    """The labels every resource of a campaign carries."""

    model_config = ConfigDict(alias_generator=_to_kebab)

    campaign: str = Field(
        pattern=naming.CAMPAIGN_PATTERN,
        min_length=3,
        max_length=naming.CAMPAIGN_MAX,
        description="name of the campaign, the same as the file's: 3 to 22 lower-case letters, digits and single "
        "hyphens, first a letter, such as spring-launch",
        examples=["spring-launch"],
    )
    owner: LabelValue = Field(
        description="who answers for the campaign, a team rather than a person: lower-case letters, digits, hyphens "
        "and underscores, such as brand-studio",
        examples=["brand-studio"],
    )
    cost_center: LabelValue = Field(
        description="who pays: lower-case letters, digits, hyphens and underscores, such as cc-4711",
        examples=["cc-4711"],
    )
    env: Environment = Field(description="one of dev, test, prod", examples=["prod"])
    data_class: DataClass = Field(
        description="how confidential prompts and images are: one of public, internal, confidential, restricted",
        examples=["internal"],
    )
    ends_on: dt.date = Field(description="last day of the campaign, such as 2027-06-30", examples=["2027-06-30"])

    @field_validator("campaign")
    @classmethod
    def _has_no_reserved_word(cls, name: str) -> str:
        for word in naming.RESERVED_WORDS:
            if word in name:
                raise ValueError(f"contains {word!r}, which Google refuses in a project id")
        return name

    def as_labels(self) -> dict[str, str]:
        """The labels as Google Cloud takes them."""
        return {key: str(value) for key, value in self.model_dump(mode="json", by_alias=True).items()}


class Function(Model):
    """How the campaign's function is sized."""

    model: str = Field(
        default_factory=lambda: models.table().default,
        description="model that is used when a request names none, such as gemini-3-pro-image; "
        "`plantain models` lists them all",
        examples=["gemini-3-pro-image"],
        json_schema_extra=lambda schema: schema.update(enum=list(models.table().ids)),
    )
    location: str | None = Field(
        default=None,
        description="where the model is called, one of the locations the table of models gives it, such as global; "
        "without it the first of them",
        examples=["global"],
    )
    max_instances: int = Field(
        default=10,
        ge=2,
        le=100,
        description="most instances that run at once, 2 to 100; the capacity alert watches 85 % of it",
        examples=["10"],
    )
    concurrency: int = Field(
        default=8, ge=1, le=80, description="requests an instance works on at once, 1 to 80", examples=["8"]
    )
    memory: str = Field(
        default="2Gi",
        pattern=r"^([1-9]|1[0-6])Gi$",
        description="memory of an instance, 1Gi to 16Gi",
        examples=["2Gi"],
    )
    timeout_seconds: int = Field(
        default=540, ge=60, le=3600, description="longest a request may take, 60 to 3600 seconds", examples=["540"]
    )

    @field_validator("model")
    @classmethod
    def _is_served(cls, model: str) -> str:
        if models.table().get(model) is None:
            raise ValueError(models.table().why_not(model) if model in _retired() else "not in the table of models")
        return model

    @model_validator(mode="after")
    def _is_served_there(self) -> "Function":
        if self.location is not None and self.location not in self._locations():
            raise ValueError(f"location: {self.model} can be called from a perimeter in {', '.join(self._locations())}")
        return self

    @property
    def model_location(self) -> str:
        """Where the model is called."""
        return self.location or self._locations()[0]

    def _locations(self) -> tuple[str, ...]:
        model = models.table().get(self.model)
        served = model.locations if model else ()
        return tuple(location for location in served if location not in UNREACHABLE_LOCATIONS)


def _retired() -> frozenset[str]:
    return frozenset(model.id for model in models.table().retired)


class Images(Model):
    """How long images are kept, and how warm."""

    nearline_after_days: int = Field(
        default=30, ge=1, description="days after which an image moves to nearline storage", examples=["30"]
    )
    archive_after_days: int = Field(
        default=90, ge=2, description="days after which an image moves to archive storage", examples=["90"]
    )
    delete_after_days: int = Field(
        default=730, ge=3, description="days after which an image is deleted", examples=["730"]
    )
    recoverable_days: int = Field(
        default=30,
        ge=7,
        le=90,
        description="days for which a deleted or overwritten image can be brought back, 7 to 90",
        examples=["30"],
    )

    @model_validator(mode="after")
    def _gets_colder(self) -> "Images":
        if not self.nearline_after_days < self.archive_after_days < self.delete_after_days:
            raise ValueError("nearlineAfterDays, archiveAfterDays and deleteAfterDays must grow in this order")
        return self


class Network(Model):
    """The campaign's own network; it reaches nothing but Google's restricted address range."""

    ip_range: str = Field(
        default="10.8.0.0/26",
        description="private IPv4 range of the subnet, /26 or larger and with two addresses for each instance, such as "
        "10.8.0.0/26; networks of campaigns are "
        "not connected, so ranges may repeat",
        examples=["10.8.0.0/26"],
    )

    @field_validator("ip_range")
    @classmethod
    def _is_large_and_private(cls, text: str) -> str:
        try:
            network = ipaddress.IPv4Network(text)
        except ValueError:
            raise ValueError("not an IPv4 range in CIDR notation without host bits") from None
        if not network.is_private:
            raise ValueError("not a private range")
        if network.prefixlen > LONGEST_SUBNET_PREFIX:
            raise ValueError("smaller than /26: instances could not start for want of addresses")
        return text


class Logs(Model):
    """The campaign's logs."""

    retention_days: int = Field(
        default=400,
        ge=30,
        le=3650,
        description="days for which log entries are kept, 30 to 3650",
        examples=["400"],
    )


Invoker = Annotated[
    str,
    Field(
        pattern=r"^(group|user|serviceAccount):[^@\s]+@[^@\s]+$",
        description="an identity, such as group:brand-studio@example.com",
    ),
]
Email = Annotated[
    str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", description="an e-mail address, such as oncall@example.com")
]


class Campaign(Model):
    """One campaign."""

    labels: Labels = Field(description="the mandatory labels; see their own keys")
    invokers: tuple[Invoker, ...] = Field(
        min_length=1,
        description="list of who may ask for images, groups if possible, such as group:brand-studio@example.com",
        examples=["group:brand-studio@example.com"],
    )
    contacts: tuple[Email, ...] = Field(
        min_length=1,
        description="list of e-mail addresses that alerts go to, such as oncall@example.com",
        examples=["oncall@example.com"],
    )
    function: Function = Field(default_factory=Function, description="how the function is sized; see its own keys")
    images: Images = Field(default_factory=Images, description="how long images are kept; see its own keys")
    network: Network = Field(default_factory=Network, description="the campaign's network; see its own keys")
    logs: Logs = Field(default_factory=Logs, description="the campaign's logs; see its own keys")

    @property
    def name(self) -> str:
        """The campaign's name."""
        return self.labels.campaign
