"""What a stack is told of who may cross the perimeter: access levels, ingress rules, egress rules."""

import ipaddress
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from infra.model import Model

Account = Annotated[
    str,
    Field(
        pattern=r"^(user|serviceAccount):[^@\s]+@[^@\s]+$",
        description="an identity, such as serviceAccount:deployer@seed.iam.gserviceaccount.com; access levels know no "
        "groups",
    ),
]
Identity = Annotated[
    str,
    Field(
        pattern=r"^((user|serviceAccount|group):[^@\s]+@[^@\s]+|principal(Set)?://iam\.googleapis\.com/\S+)$",
        description="an identity, such as serviceAccount:deployer@seed.iam.gserviceaccount.com",
    ),
]
ProjectMember = Annotated[
    str,
    Field(pattern=r"^projects/\d+$", description="a project by its number, such as projects/345678901234"),
]
ServiceHost = Annotated[
    str,
    Field(pattern=r"^[a-z0-9-]+\.googleapis\.com$", description="an API's host name, such as redis.googleapis.com"),
]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$", description="a country by its ISO 3166-1 code, such as DE")]
LevelName = Annotated[
    str,
    Field(
        pattern=r"^([a-z][a-z0-9_]{0,48}|accessPolicies/\d+/accessLevels/[A-Za-z0-9_]+)$",
        description="an access level: one of this stack by its name, or any by its full name, such as corporate",
    ),
]
Method = Annotated[
    str,
    Field(
        pattern=r"^(\*|[A-Za-z][A-Za-z0-9_.]*)$",
        description="a method as audit logs name it, such as google.storage.objects.get, or *",
    ),
]


class Device(Model):
    """What a device must be (cloud.google.com/access-context-manager/docs/access-level-attributes, 2026-11)."""

    screen_lock: bool = Field(default=False, description="true: it has a screen lock", examples=["true"])
    corporate: bool = Field(default=False, description="true: the organisation owns it", examples=["true"])
    approved: bool = Field(default=False, description="true: an administrator approved it", examples=["true"])
    encrypted: bool = Field(default=False, description="true: its storage is encrypted", examples=["true"])
    systems: dict[
        Annotated[
            str,
            Field(
                pattern=r"^DESKTOP_(MAC|WINDOWS|LINUX|CHROME_OS)$|^(ANDROID|IOS)$",
                description="an operating system, such as DESKTOP_MAC",
            ),
        ],
        Annotated[
            str,
            Field(pattern=r"^(\d+\.\d+\.\d+)?$", description="its lowest version, such as 14.0.0, or empty for any"),
        ],
    ] = Field(
        default_factory=dict,
        description="map of operating systems that are let in to their lowest version, such as DESKTOP_MAC: 14.0.0; "
        "empty: all of them",
        examples=["{DESKTOP_MAC: 14.0.0}"],
    )


class AccessLevel(Model):
    """A condition on where a call comes from: address, country, device, or an expression of your own."""

    name: str = Field(
        pattern=r"^[a-z][a-z0-9_]{0,48}$",
        description="what rules call it: lower-case letters, digits, underscores, such as corporate",
        examples=["corporate"],
    )
    ip_subnetworks: tuple[str, ...] = Field(
        default=(),
        description="list of address ranges in CIDR notation, such as 203.0.113.0/24",
        examples=["203.0.113.0/24"],
    )
    countries: tuple[Country, ...] = Field(
        default=(), description="list of countries by ISO 3166-1 code, such as DE", examples=["DE"]
    )
    members: tuple[Account, ...] = Field(
        default=(),
        description="list of identities, such as user:jo@example.com; groups are not possible here",
        examples=["user:jo@example.com"],
    )
    device: Device | None = Field(
        default=None,
        description="what the device must be; see its own keys. Needs endpoint verification, and Chrome Enterprise "
        "Premium for more than screen lock, encryption and system",
    )
    requires: tuple[LevelName, ...] = Field(
        default=(),
        description="list of further access levels that must be met, such as corporate",
        examples=["corporate"],
    )
    any_of: bool = Field(
        default=False,
        description="true: one of ipSubnetworks, countries, members, device and requires is enough; false: all that "
        "are given must hold",
        examples=["true"],
    )
    expression: str | None = Field(
        default=None,
        min_length=1,
        description="a condition in the Common Expression Language instead of all the others, such as "
        "device.is_corp_owned_device && origin.region_code in ['DE']",
        examples=["origin.region_code in ['DE']"],
    )

    @field_validator("ip_subnetworks")
    @classmethod
    def _are_networks(cls, ranges: tuple[str, ...]) -> tuple[str, ...]:
        return networks(ranges)

    @model_validator(mode="after")
    def _says_something_once(self) -> "AccessLevel":
        basic = bool(self.ip_subnetworks or self.countries or self.members or self.device or self.requires)
        if basic == (self.expression is not None):
            raise ValueError("an access level has either an expression or at least one other condition")
        return self


class IdentityType(StrEnum):
    """Everybody of one kind."""

    ANY_IDENTITY = "ANY_IDENTITY"
    ANY_USER_ACCOUNT = "ANY_USER_ACCOUNT"
    ANY_SERVICE_ACCOUNT = "ANY_SERVICE_ACCOUNT"


class Rule(Model):
    """What ingress and egress rules have in common."""

    title: str = Field(
        min_length=1,
        max_length=100,
        pattern=r"^\S(.*\S)?$",
        description="what the rule is for, unique in the perimeter, such as partner uploads",
        examples=["partner uploads"],
    )
    identities: tuple[Identity, ...] = Field(
        default=(),
        description="list of who may, such as serviceAccount:uploader@partner.iam.gserviceaccount.com",
        examples=["group:partners@example.com"],
    )
    identity_type: IdentityType | None = Field(
        default=None,
        description="one of ANY_IDENTITY, ANY_USER_ACCOUNT, ANY_SERVICE_ACCOUNT, instead of identities",
        examples=["ANY_SERVICE_ACCOUNT"],
    )
    access_levels: tuple[LevelName, ...] = Field(
        default=(),
        description="list of access levels of which the call must meet one, such as corporate; empty: from anywhere",
        examples=["corporate"],
    )
    services: dict[ServiceHost | Literal["*"], tuple[Method, ...]] = Field(
        min_length=1,
        description="map of APIs to lists of methods, such as storage.googleapis.com: [google.storage.objects.get]; "
        "an empty list means every method",
        examples=["{storage.googleapis.com: []}"],
    )

    @model_validator(mode="after")
    def _says_who(self) -> "Rule":
        if bool(self.identities) == (self.identity_type is not None):
            raise ValueError("a rule has either identities or an identityType")
        return self


class IngressRule(Rule):
    """A rule for calls from outside to members."""

    from_projects: tuple[ProjectMember, ...] = Field(
        default=(),
        description="list of projects outside the perimeter the call comes from, by number, such as "
        "projects/345678901234; empty: from anywhere, or as accessLevels says",
        examples=["projects/345678901234"],
    )
    to_projects: tuple[ProjectMember, ...] = Field(
        default=(),
        description="list of members the call goes to, by number, such as projects/345678901234; empty: every member",
        examples=["projects/345678901234"],
    )


class EgressRule(Rule):
    """A rule for calls of members to what is outside."""

    to_projects: tuple[ProjectMember, ...] = Field(
        default=(),
        description="list of projects outside the perimeter the call goes to, by number, such as "
        "projects/345678901234; empty: anywhere, which opens the perimeter for these services",
        examples=["projects/345678901234"],
    )


def networks(ranges: tuple[str, ...]) -> tuple[str, ...]:
    """The same ranges, once they have been read.

    Raises:
        ValueError: one of them is no address range.
    """
    for text in ranges:
        try:
            ipaddress.ip_network(text)
        except ValueError:
            raise ValueError("not a list of address ranges in CIDR notation without host bits") from None
    return ranges
