"""A stack's settings: one frozen model, read once. The only module that touches the stack's configuration.

Keys are those of `Pulumi.<stack>.yaml` under `plantain:`. All problems of a file are reported together.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, get_origin

from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from infra.bootstrap_settings import Bootstrap
from infra.errors import Problem, SettingsError
from infra.foundation_labels import FoundationLabels
from infra.governance_settings import Contact, DenyPolicy, OrganizationPolicies, Tags
from infra.log_settings import CentralLogs
from infra.model import Model, parts
from infra.perimeter_settings import JoinedPerimeter, OwnedPerimeter
from infra.problems import found_in

NAMESPACE = "plantain"


EndpointUrl = Annotated[
    str,
    Field(pattern=r"^https?://\S+/$", description="a URL that ends with a slash, such as https://kms.example.com/v1/"),
]


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
    perimeter: Annotated[OwnedPerimeter | JoinedPerimeter, Field(discriminator="membership")] | None = Field(
        default=None,
        description="the VPC Service Controls perimeter; see its own keys. A stack with campaigns needs one",
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
    labels: FoundationLabels | None = Field(
        default=None,
        description="labels of what belongs to no campaign; see their own keys. Required by bootstrap and centralLogs",
        examples=["cloud-platform"],
    )
    bootstrap: Bootstrap | None = Field(
        default=None,
        description="the seed project: Pulumi's state, the deployer's identity, the pipelines it trusts; see its own "
        "keys. Needed once, in a stack of its own",
    )
    organization_policies: OrganizationPolicies | None = Field(
        default=None,
        description="organisation policies on the folder or organisation; see their own keys",
    )
    central_logs: CentralLogs | None = Field(
        default=None,
        description="the project that keeps the audit logs of the folder or organisation; see its own keys",
    )
    contacts: tuple[Contact, ...] = Field(
        default=(),
        description="list of essential contacts of the folder or organisation; see their own keys",
    )
    deny_policy: DenyPolicy | None = Field(
        default=None,
        description="a deny policy on each campaign's project, which outweighs every role: no key version is "
        "destroyed, no bucket or log bucket deleted, no key of a service account made; see its own keys",
        examples=["{}"],
    )
    tags: Tags | None = Field(default=None, description="Resource Manager tags of projects; see their own keys")
    deletion_protection: bool = Field(
        default=True,
        description="true: projects and buckets refuse to be deleted, keys are abandoned, never destroyed; "
        "false: pulumi destroy deletes everything, images included",
        examples=["true"],
    )
    wheels: str = Field(
        default="cloud",
        min_length=1,
        description="the wheels that travel with the function: cloud (fetched for Cloud Build), local (fetched for "
        "this machine, as the sandbox builds), or a folder that holds them, relative to Pulumi.yaml",
        examples=["cloud"],
    )
    monitoring_project: str | None = Field(
        default=None,
        pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$",
        description="id of a project whose Monitoring gathers all campaigns' metrics, with one dashboard over them, "
        "such as plantain-monitoring",
        examples=["plantain-monitoring"],
    )
    channel_secrets: dict[str, SecretStr] = Field(
        default_factory=dict,
        description="map from the names that campaign files use to credentials of notification channels; set with "
        "--secret",
        examples=["TOKEN"],
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
        if not urls:
            return urls
        unknown = sorted(set(urls) - argument_names())
        if unknown:
            raise ValueError(f"the provider has no endpoint argument for {', '.join(unknown)}")
        return urls

    @property
    def scope(self) -> str:
        """What organisation-wide things are set on: the folder, or the organisation when there is none."""
        return self.folder or f"organizations/{self.organization}"

    @property
    def has_foundation(self) -> bool:
        """Whether the stack has anything that belongs to no campaign, apart from the perimeter."""
        return bool(
            self.bootstrap
            or self.organization_policies
            or self.central_logs
            or self.contacts
            or (self.tags and self.tags.keys)
        )

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
    file = f"Pulumi.{stack}.yaml"
    try:
        settings = Settings.model_validate({key: _value(text) for key, text in raw.items()})
    except ValidationError as error:
        raise SettingsError(found_in(error, Settings, file=file, prefix=f"{NAMESPACE}:", cure=_cure)) from None
    if problems := list(_contradictions(settings, file)):
        raise SettingsError(problems)
    return settings


def _contradictions(settings: Settings, file: str) -> Iterator[Problem]:
    """What is wrong although each key is right by itself."""
    if settings.campaigns and settings.perimeter is None:
        key = f"{NAMESPACE}:perimeter"
        yield Problem(
            file=file,
            key=f"{key}.membership",
            cause="missing; without a perimeter there would be campaigns outside of any",
            rule=f"{OwnedPerimeter.model_fields['membership'].description}; or an empty {NAMESPACE}:campaigns",
            cure=_cure(key, "missing"),
        )
    needing = [name for name in ("bootstrap", "central_logs") if getattr(settings, name) is not None]
    if needing and settings.labels is None:
        yield Problem(
            file=file,
            key=f"{NAMESPACE}:labels",
            cause=f"missing, but plantain:{to_camel(needing[0])} makes projects that need them",
            rule="owner and cost-center, and if you like env and data-class",
            cure=f"pulumi config set --path '{NAMESPACE}:labels.owner' cloud-platform",
        )


def load() -> Settings:
    """The settings of the stack that is being deployed.

    Raises:
        SettingsError: as `parse`.
    """
    import pulumi  # noqa: PLC0415 -- the command line reads settings without it, in a fraction of a second

    prefix = f"{NAMESPACE}:"
    config = pulumi.Config(NAMESPACE)
    keys = [key.removeprefix(prefix) for key in pulumi.runtime.get_config_env() if key.startswith(prefix)]
    return parse({key: config.require(key) for key in keys}, stack=pulumi.get_stack())


def argument_names() -> frozenset[str]:
    """What `plantain:endpoints` may hold."""
    from infra import endpoints  # noqa: PLC0415 -- imports the provider's package, which takes a second

    return endpoints.argument_names()


def _value(text: str) -> Any:
    if text[:1] not in {"{", "["}:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _cure(key: str, kind: str) -> str:
    if kind == "too_short" or (kind == "missing" and _is_list(key.rsplit(".", maxsplit=1)[-1])):
        key += "[0]"
    if kind == "missing" and key == f"{NAMESPACE}:perimeter":
        key += ".membership"
    path = f"--path '{key}'" if "." in key or "[" in key else key
    if kind == "extra_forbidden":
        return f"pulumi config rm {path}"
    name = key.removeprefix(f"{NAMESPACE}:").split(".")[-1].split("[")[0]
    secret = "--secret " if name == "accessToken" else ""
    return f"pulumi config set {secret}{path} {_example(name)}"


def _fields(name: str) -> Iterator[FieldInfo]:
    known: list[type[BaseModel]] = [Settings, *(part for _, part in parts(Settings))]
    return (field for model in known for field in model.model_fields.values() if field.alias == name)


def _is_list(name: str) -> bool:
    """Whether a setting that must be there is a list, of which a command sets one entry."""
    return any(field.is_required() and get_origin(field.annotation) in {tuple, list} for field in _fields(name))


def _example(name: str) -> str:
    if name in argument_names():
        return "https://private.example.com/v1/"
    return next((str(field.examples[0]) for field in _fields(name) if field.examples), "VALUE")
