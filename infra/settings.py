"""A stack's settings: one frozen model, read once. The only module that touches the stack's configuration.

Keys are those of `Pulumi.<stack>.yaml` under `plantain:`. All problems of a file are reported together.
"""

import ipaddress
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

import pulumi
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.alias_generators import to_camel

from infra import endpoints
from infra.errors import SettingsError
from infra.problems import found_in

NAMESPACE = "plantain"


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
EndpointUrl = Annotated[
    str,
    Field(pattern=r"^https?://\S+/$", description="a URL that ends with a slash, such as https://kms.example.com/v1/"),
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


class Settings(Model):
    """Everything a stack is told, apart from its campaign files."""

    organization: str = Field(
        pattern=r"^\d{6,14}$",
        description="numeric id of the organisation, such as 123456789012",
        examples=["123456789012"],
    )
    billing_account: str = Field(
        pattern=r"^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$",
        description="id of the billing account that pays for the projects, such as 010101-ABCDEF-010101",
        examples=["010101-ABCDEF-010101"],
    )
    region: str = Field(
        pattern=r"^[a-z]+-[a-z]+\d+$",
        description="region of everything that has one, such as europe-west4",
        examples=["europe-west4"],
    )
    perimeter: Annotated[OwnedPerimeter | JoinedPerimeter, Field(discriminator="membership")] = Field(
        description="the VPC Service Controls perimeter; see its own keys",
    )
    campaigns: str = Field(
        default="campaigns/*.yaml",
        pattern=r"^([^/\s][^\s]*\.yaml)?$",
        description="glob of the campaign files this stack deploys, relative to Pulumi.yaml, such as "
        "campaigns/*.yaml; empty for none",
        examples=["campaigns/*.yaml"],
    )
    folder: str | None = Field(
        default=None,
        pattern=r"^folders/\d+$",
        description="folder the projects are created in, such as folders/234567890123; without it the organisation",
        examples=["folders/234567890123"],
    )
    deletion_protection: bool = Field(
        default=True,
        description="true: projects and buckets refuse to be deleted, keys are abandoned, never destroyed; "
        "false: pulumi destroy deletes everything, images included",
        examples=["true"],
    )
    quota_project: str | None = Field(
        default=None,
        pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$",
        description="project id that is charged for API calls; needed when pulumi runs with a person's credentials",
        examples=["plantain-seed"],
    )
    impersonate: str | None = Field(
        default=None,
        pattern=r"^[^@\s]+@[^@\s]+\.gserviceaccount\.com$",
        description="e-mail of the service account that pulumi acts as, such as deployer@seed.iam.gserviceaccount.com",
        examples=["deployer@seed.iam.gserviceaccount.com"],
    )
    endpoints: dict[str, EndpointUrl] = Field(
        default_factory=dict,
        description="map from an API, named as in the provider's *_custom_endpoint arguments, to a URL that ends "
        "with a slash",
        examples=["{}"],
    )
    access_token: SecretStr | None = Field(
        default=None,
        description="a bearer token used instead of the usual credentials; it is kept in the state and expires, so "
        "it only suits local stand-ins",
        examples=["TOKEN"],
    )
    poll_interval: str | None = Field(
        default=None,
        pattern=r"^\d+(ms|s)$",
        description="how often a running operation is asked whether it is done, such as 200ms; without it 10s",
        examples=["200ms"],
    )
    batch_delay: str | None = Field(
        default=None,
        pattern=r"^\d+(ms|s)$",
        description="how long calls that can be batched wait for others, such as 0s; without it 3s",
        examples=["0s"],
    )

    @field_validator("organization", mode="before")
    @classmethod
    def _number_only(cls, organization: object) -> object:
        return organization.removeprefix("organizations/") if isinstance(organization, str) else organization

    @field_validator("endpoints")
    @classmethod
    def _are_arguments(cls, urls: dict[str, str]) -> dict[str, str]:
        unknown = sorted(set(urls) - endpoints.argument_names())
        if unknown:
            raise ValueError(f"the provider has no endpoint argument for {', '.join(unknown)}")
        return urls

    @property
    def parent(self) -> dict[str, str]:
        """Where projects are created, as arguments of a project."""
        return {"folder_id": self.folder} if self.folder else {"org_id": self.organization}


def parse(raw: Mapping[str, str], *, stack: str) -> Settings:
    """Settings from a stack's configuration.

    Args:
        raw: the keys under `plantain:` with their values as Pulumi hands them over: text, or JSON for objects.
        stack: the stack's name, for messages.

    Raises:
        SettingsError: with every unknown, missing and refused key.
    """
    try:
        return Settings.model_validate({key: _value(text) for key, text in raw.items()})
    except ValidationError as error:
        file = f"Pulumi.{stack}.yaml"
        raise SettingsError(found_in(error, Settings, file=file, prefix=f"{NAMESPACE}:", cure=_cure)) from None


def load() -> Settings:
    """The settings of the stack that is being deployed.

    Raises:
        SettingsError: as `parse`.
    """
    prefix = f"{NAMESPACE}:"
    config = pulumi.Config(NAMESPACE)
    keys = [key.removeprefix(prefix) for key in pulumi.runtime.get_config_env() if key.startswith(prefix)]
    return parse({key: config.require(key) for key in keys}, stack=pulumi.get_stack())


def _value(text: str) -> Any:
    if text[:1] not in {"{", "["}:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _cure(key: str, kind: str) -> str:
    if kind == "too_short":
        key += "[0]"
    if kind == "missing" and key == f"{NAMESPACE}:perimeter":
        key += ".membership"
    path = f"--path '{key}'" if "." in key or "[" in key else key
    if kind == "extra_forbidden":
        return f"pulumi config rm {path}"
    name = key.removeprefix(f"{NAMESPACE}:").split(".")[-1].split("[")[0]
    secret = "--secret " if name == "accessToken" else ""
    return f"pulumi config set {secret}{path} {_example(name)}"


def _example(name: str) -> str:
    if name in endpoints.argument_names():
        return "https://private.example.com/v1/"
    for model in (Settings, OwnedPerimeter, JoinedPerimeter):
        for field in model.model_fields.values():
            if field.alias == name and field.examples:
                return str(field.examples[0])
    return "VALUE"
