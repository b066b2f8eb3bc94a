"""What a stack is told of its perimeter: one it owns, or one it joins."""

import ipaddress
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.alias_generators import to_camel


class Enforcement(StrEnum):
    """What the perimeter does with a call that breaks its rules."""

    DRY_RUN = "dry-run"
    ENFORCED = "enforced"


class Model(BaseModel):
    """Settings cannot be changed and know no keys but their own."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True)


Identity = Annotated[
    str,
    Field(
        pattern=r"^(user|serviceAccount):[^@\s]+@[^@\s]+$",
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


class OwnedPerimeter(Model):
    """A perimeter that this stack creates and keeps."""

    membership: Literal["inline", "delegated"] = Field(
        description="inline: this stack lists its own campaigns as members; "
        "delegated: this stack has no campaigns, other stacks join; join: the perimeter exists already",
        examples=["inline"],
    )
    enforcement: Enforcement = Field(
        description="dry-run: violations are logged; enforced: violations are refused (and logged)",
        examples=["dry-run"],
    )
    title: str = Field(
        default="plantain",
        pattern=r"^[A-Za-z][A-Za-z0-9 _-]{0,49}$",
        description="title of the perimeter: a letter, then at most 49 letters, digits, spaces, hyphens, underscores",
        examples=["plantain"],
    )
    access_policy: str | None = Field(
        default=None,
        pattern=r"^accessPolicies/\d+$",
        description="an existing access policy, such as accessPolicies/1234567890; without it one is created, scoped "
        "to the folder when one is set. An organisation has at most one policy without a scope",
        examples=["accessPolicies/1234567890"],
    )
    deployers: tuple[Identity, ...] = Field(
        min_length=1,
        description="list of identities that run pulumi from outside the perimeter, such as "
        "serviceAccount:deployer@seed.iam.gserviceaccount.com; an enforced perimeter locks everybody else out",
        examples=["serviceAccount:deployer@seed.iam.gserviceaccount.com"],
    )
    ip_subnetworks: tuple[str, ...] = Field(
        default=(),
        description="list of address ranges the deployers must come from, such as 203.0.113.0/24; empty: from anywhere",
        examples=["203.0.113.0/24"],
    )
    additional_services: tuple[ServiceHost, ...] = Field(
        default=(),
        description="list of further APIs the perimeter restricts, such as redis.googleapis.com",
        examples=["redis.googleapis.com"],
    )

    other_members: tuple[ProjectMember, ...] = Field(
        default=(),
        description="list of further projects, by number, that an inline perimeter has as members, such as "
        "projects/345678901234: a Shared VPC host, a project for logs",
        examples=["projects/345678901234"],
    )

    @model_validator(mode="after")
    def _lists_members_only_inline(self) -> "OwnedPerimeter":
        if self.membership == "delegated" and self.other_members:
            raise ValueError(
                "otherMembers and membership: delegated exclude each other, a delegated owner lists nobody"
            )
        return self

    @field_validator("ip_subnetworks")
    @classmethod
    def _are_networks(cls, ranges: tuple[str, ...]) -> tuple[str, ...]:
        for text in ranges:
            try:
                ipaddress.ip_network(text)
            except ValueError:
                raise ValueError("not a list of address ranges in CIDR notation without host bits") from None
        return ranges


class JoinedPerimeter(Model):
    """A perimeter somebody else owns, which this stack's campaigns join."""

    membership: Literal["join"] = Field(
        description="join: the perimeter exists, campaigns add themselves as members", examples=["join"]
    )
    enforcement: Enforcement = Field(
        description="dry-run: campaigns join the dry-run configuration; enforced: they join the enforced one",
        examples=["dry-run"],
    )
    perimeter: str = Field(
        pattern=r"^accessPolicies/\d+/servicePerimeters/[A-Za-z0-9_]{1,50}$",
        description="full name of the perimeter, such as accessPolicies/1234567890/servicePerimeters/plantain",
        examples=["accessPolicies/1234567890/servicePerimeters/plantain"],
    )
    deployers: tuple[Identity, ...] = Field(
        default=(),
        description="list of identities for which this stack adds an ingress rule of its own; leave empty when the "
        "owner's rules already let them in, as those of a Plantain stack do",
        examples=["serviceAccount:deployer@seed.iam.gserviceaccount.com"],
    )
