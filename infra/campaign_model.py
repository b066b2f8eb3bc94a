"""What a campaign file says. An editor checks it by `campaigns/campaign.schema.json`, which is made from this.

The labels are mandatory because everything else hangs on them: cost is reported by them, the end of a campaign is
known from them, and they travel with every request to the model.
"""

import datetime as dt
import ipaddress
from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field, field_validator

from infra import naming
from infra.capacity_model import Budget, Capacity, Objectives, Queue, Quotas
from infra.channel_model import Channels
from infra.function_model import Function
from infra.model import Model
from infra.placement_model import Build, ExistingProject, Keys
from infra.storage_model import Images, Invoker, References

LONGEST_SUBNET_PREFIX = 26
"""Direct VPC egress needs a /26 or larger (cloud.google.com/run/docs/configuring/vpc-direct-vpc, 2026-11)."""

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


Email = Annotated[
    str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", description="an e-mail address, such as oncall@example.com")
]


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


AuditedService = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9-]+\.googleapis\.com$",
        description="an API's host name, such as storage.googleapis.com",
    ),
]


class Logs(Model):
    """The campaign's logs."""

    retention_days: int = Field(
        default=400,
        ge=30,
        le=3650,
        description="days for which log entries are kept, 30 to 3650",
        examples=["400"],
    )
    locked: bool = Field(
        default=False,
        description="true: retention can never be shortened and the log bucket never deleted before its entries have "
        "aged out, by nobody; the project cannot be deleted before, and this cannot be undone",
        examples=["false"],
    )
    data_access: tuple[AuditedService, ...] = Field(
        default=(
            "aiplatform.googleapis.com",
            "cloudkms.googleapis.com",
            "secretmanager.googleapis.com",
            "storage.googleapis.com",
        ),
        description="list of APIs whose every read and write of data is logged, such as storage.googleapis.com",
        examples=["storage.googleapis.com"],
    )


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
    references: References = Field(default_factory=References, description="reference pictures; see its own keys")
    capacity: Capacity = Field(default_factory=Capacity, description="what may be used of the model; see its own keys")
    queue: Queue = Field(default_factory=Queue, description="requests that may wait; see its own keys")
    budget: Budget = Field(default_factory=Budget, description="the monthly budget; see its own keys")
    objectives: Objectives = Field(
        default_factory=Objectives, description="how good the service shall be; see its own keys"
    )
    channels: Channels = Field(default_factory=Channels, description="who else is told of alerts; see its own keys")
    quotas: Quotas = Field(default=(), description="list of quotas to ask Google for; see their own keys")
    build: Build = Field(default_factory=Build, description="how the function is built; see its own keys")
    keys: Keys = Field(default_factory=Keys, description="where the keys are; see its own keys")
    project: ExistingProject = Field(
        default_factory=ExistingProject, description="the campaign's project; see its own keys"
    )

    @property
    def name(self) -> str:
        """The campaign's name."""
        return self.labels.campaign
