"""What a stack is told of the seed project: where Pulumi's state is, and who may deploy from where."""

from typing import Annotated

from pydantic import Field, field_validator, model_validator

from infra.model import Model

Branch = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$", description="name of a branch, such as main"),
]


class GitHub(Model):
    """Workflows of one GitHub repository."""

    repository: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}$",
        description="owner and name of the repository, such as acme/plantain",
        examples=["acme/plantain"],
    )
    repository_id: str = Field(
        pattern=r"^\d{1,20}$",
        description="number of the repository, which nobody can take over when its name becomes free: gh api "
        "repos/acme/plantain --jq .id",
        examples=["123456789"],
    )
    branch: Branch = Field(
        default="main",
        description="branch whose workflows may deploy; those of all others may preview, such as main",
        examples=["main"],
    )


class GitLab(Model):
    """Pipelines of one GitLab project."""

    project: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)+$",
        description="path of the project, such as acme/platform/plantain",
        examples=["acme/plantain"],
    )
    project_id: str = Field(
        pattern=r"^\d{1,20}$",
        description="number of the project, shown below its name, such as 12345678",
        examples=["12345678"],
    )
    issuer: str = Field(
        default="https://gitlab.com",
        pattern=r"^https://[^\s/]+(/[^\s/]+)*$",
        description="address of the GitLab server, without a slash at the end, such as https://gitlab.example.com",
        examples=["https://gitlab.example.com"],
    )
    branch: Branch = Field(
        default="main",
        description="branch whose pipelines may deploy; those of all others may preview, such as main",
        examples=["main"],
    )


class Esc(Model):
    """One environment of Pulumi ESC."""

    organization: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$",
        description="organisation in Pulumi Cloud, such as acme",
        examples=["acme"],
    )
    environment: str = Field(
        pattern=r"^[A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]{1,100}$",
        description="project and name of the environment, such as plantain/prod: who may open it deploys",
        examples=["plantain/prod"],
    )

    @field_validator("environment")
    @classmethod
    def _is_in_a_project_of_its_own(cls, environment: str) -> str:
        if environment.startswith("default/"):
            raise ValueError("in the project default, whose tokens do not say that they are for Google Cloud")
        return environment


class Bootstrap(Model):
    """The seed project: what must exist before a pipeline can deploy anything."""

    project: str = Field(
        default="plantain-seed",
        pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
        min_length=4,
        max_length=22,
        description="beginning of the seed project's id, 4 to 22 lower-case letters, digits and single hyphens; a "
        "random suffix follows, such as plantain-seed",
        examples=["plantain-seed"],
    )
    github: GitHub | None = Field(
        default=None, description="workflows that deploy without a key; see their own keys", examples=["{}"]
    )
    gitlab: GitLab | None = Field(
        default=None, description="pipelines that deploy without a key; see their own keys", examples=["{}"]
    )
    esc: Esc | None = Field(
        default=None,
        description="an environment of Pulumi ESC that deploys without a key; see its own keys",
        examples=["{}"],
    )
    organization_rights: bool = Field(
        default=True,
        description="true: the deployer may set organisation policies, sinks, contacts, tags and perimeters, as a "
        "foundation needs; false: it may only create campaign projects and add them to a perimeter",
        examples=["true"],
    )
    billing_export: bool = Field(
        default=False,
        description="true: a BigQuery dataset that Cloud Billing can export to; the export itself is switched on in "
        "the console, whose address is an output; false: none",
        examples=["true"],
    )
    recoverable_days: int = Field(
        default=90,
        ge=7,
        le=90,
        description="days for which deleted or overwritten state can be brought back, 7 to 90",
        examples=["90"],
    )
    kept_versions: int = Field(
        default=50,
        ge=10,
        le=1000,
        description="older versions of a state file that are kept whatever their age, 10 to 1000",
        examples=["50"],
    )

    @model_validator(mode="after")
    def _trusts_each_issuer_once(self) -> "Bootstrap":
        if self.gitlab is not None and self.gitlab.issuer == "https://token.actions.githubusercontent.com":
            raise ValueError("gitlab.issuer is that of GitHub Actions; use github instead")
        return self
