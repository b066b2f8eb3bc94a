"""What a stack is told of its perimeter: one it owns, or one it joins."""

from enum import StrEnum
from typing import Literal

from pydantic import Field, field_validator, model_validator

from infra.access_settings import (
    AccessLevel,
    Account,
    EgressRule,
    Identity,
    IngressRule,
    ProjectMember,
    ServiceHost,
    networks,
)
from infra.model import Model


class Enforcement(StrEnum):
    """What the perimeter does with a call that breaks its rules."""

    DRY_RUN = "dry-run"
    ENFORCED = "enforced"


class Proposal(Model):
    """What is tried in the dry-run configuration of an enforced perimeter before everybody is held to it."""

    additional_services: tuple[ServiceHost, ...] = Field(
        default=(),
        description="list of further APIs that only the dry-run configuration restricts, such as redis.googleapis.com",
        examples=["redis.googleapis.com"],
    )
    ingress: tuple[IngressRule, ...] = Field(
        default=(), description="list of ingress rules that only the dry-run configuration has; see their own keys"
    )
    egress: tuple[EgressRule, ...] = Field(
        default=(), description="list of egress rules that only the dry-run configuration has; see their own keys"
    )
    without: tuple[str, ...] = Field(
        default=(),
        description="list of titles of rules that the dry-run configuration lacks, to see whether anybody needs them, "
        "such as partner uploads",
        examples=["partner uploads"],
    )


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
    deployers: tuple[Account, ...] = Field(
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

    access_levels: tuple[AccessLevel, ...] = Field(
        default=(), description="list of access levels that rules ask for; see their own keys"
    )
    ingress: tuple[IngressRule, ...] = Field(
        default=(),
        description="list of further rules for calls from outside; see their own keys. Those who deploy, read audit "
        "logs and write them centrally are let in without",
    )
    egress: tuple[EgressRule, ...] = Field(
        default=(),
        description="list of rules for calls that leave the perimeter; see their own keys. Without any, none do",
    )
    auditors: tuple[Identity, ...] = Field(
        default=(),
        description="list of who reads logs and metrics of members from outside, such as group:auditors@example.com",
        examples=["group:auditors@example.com"],
    )
    auditor_levels: tuple[str, ...] = Field(
        default=(),
        description="list of access levels of this stack, by name, of which auditors must meet one, such as "
        "corporate; empty: from anywhere",
        examples=["corporate"],
    )
    proposed: Proposal | None = Field(
        default=None,
        description="what differs in the dry-run configuration, to try a change before it holds; see its own keys",
    )

    @model_validator(mode="after")
    def _names_levels_and_rules_that_exist(self) -> "OwnedPerimeter":
        known = {level.name for level in self.access_levels}
        if len(known) != len(self.access_levels):
            raise ValueError("two accessLevels have the same name")
        proposal = self.proposed or Proposal()
        rules: list[IngressRule | EgressRule] = [*self.ingress, *self.egress, *proposal.ingress, *proposal.egress]
        asked = {*self.auditor_levels, *(level for rule in rules for level in rule.access_levels)}
        asked |= {needed for level in self.access_levels for needed in level.requires}
        if missing := sorted(name for name in asked - known if "/" not in name):
            raise ValueError(f"accessLevels lacks {', '.join(missing)}")
        titles = [rule.title for rule in rules]
        if repeated := sorted({title for title in titles if titles.count(title) > 1}):
            raise ValueError(f"two rules have the title {', '.join(repeated)}")
        if missing := sorted(set(proposal.without) - {rule.title for rule in (*self.ingress, *self.egress)}):
            raise ValueError(f"proposed.without names no rule of this perimeter: {', '.join(missing)}")
        if circle := _circle({level.name: level.requires for level in self.access_levels}):
            raise ValueError(f"accessLevels require each other in a circle: {', '.join(circle)}")
        return self

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
        return networks(ranges)


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
    deployers: tuple[Account, ...] = Field(
        default=(),
        description="list of identities for which this stack adds an ingress rule of its own; leave empty when the "
        "owner's rules already let them in, as those of a Plantain stack do",
        examples=["serviceAccount:deployer@seed.iam.gserviceaccount.com"],
    )
    ingress: tuple[IngressRule, ...] = Field(
        default=(),
        description="list of ingress rules this stack adds for its own campaigns; see their own keys. An update of an "
        "owner that is a stack of Plantain removes them: there, give them to the owner",
    )
    egress: tuple[EgressRule, ...] = Field(
        default=(), description="as ingress, for calls that leave the perimeter; see their own keys"
    )

    @field_validator("ingress")
    @classmethod
    def _let_in_to_their_own(cls, rules: tuple[IngressRule, ...]) -> tuple[IngressRule, ...]:
        for rule in rules:
            if rule.to_projects:
                raise ValueError(
                    f"{rule.title} has toProjects; a stack that joins lets calls in to its own campaigns only"
                )
        return rules


def _circle(requires: dict[str, tuple[str, ...]]) -> list[str]:
    """Names that require each other, directly or not; empty when there is an order."""
    left = dict(requires)
    while ready := [name for name, needed in left.items() if not left.keys() & set(needed)]:
        for name in ready:
            del left[name]
    return sorted(left)
