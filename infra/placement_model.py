"""What a campaign file says of things that exist already, and of how the function is built."""

from enum import StrEnum

from pydantic import Field

from infra.model import Model

PROJECT_ID = r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$"


class Dependencies(StrEnum):
    """Where a build gets the function's dependencies from; neither asks a public index."""

    VENDORED = "vendored"
    REGISTRY = "registry"


class Build(Model):
    """How the function's container image is built."""

    dependencies: Dependencies = Field(
        default=Dependencies.VENDORED,
        description="one of vendored (hash-locked wheels travel in the source archive), registry (a remote repository "
        "of Artifact Registry fetches them)",
        examples=["vendored"],
    )
    private_pool: bool = Field(
        default=True,
        description="true: builds run on a private worker pool of the campaign's project without a way to the "
        "internet; false: on Cloud Build's own machines, which are outside of every perimeter",
        examples=["true"],
    )
    scan: bool = Field(
        default=False,
        description="true: container images are scanned for known holes when they are pushed, each for a price; "
        "false: they are not",
        examples=["true"],
    )
    machine_type: str = Field(
        default="e2-standard-2",
        pattern=r"^[a-z0-9]+-[a-z0-9-]+$",
        description="machine type of the private pool, such as e2-standard-2",
        examples=["e2-standard-2"],
    )


class ExistingProject(Model):
    """A project that others made, and keep."""

    existing: str | None = Field(
        default=None,
        pattern=PROJECT_ID,
        description="id of a project to work in instead of a new one, such as acme-spring-2027; it must carry the "
        "campaign's labels, and pulumi destroy leaves it",
        examples=["acme-spring-2027"],
    )


class Keys(Model):
    """Where the campaign's keys are."""

    project: str | None = Field(
        default=None,
        pattern=PROJECT_ID,
        description="id of a central project that holds the keys, such as acme-keys; without it the campaign's own",
        examples=["acme-keys"],
    )
    ring: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9_-]{1,63}$",
        description="name of a key ring that exists already and is used instead of a new one, such as campaigns",
        examples=["campaigns"],
    )
    rotation_days: int = Field(
        default=90, ge=1, le=90, description="days after which a key is rotated, 1 to 90", examples=["90"]
    )
    hardware: bool = Field(
        default=False,
        description="true: keys are kept in a hardware security module; false: in software",
        examples=["true"],
    )
    suffix: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9]{1,10}$",
        description="end of the names of the campaign's ring and keys, such as b; another one makes them anew, which a "
        "campaign needs that goes back to a place or a kind of key it had before: names of keys are never free again",
        examples=["b"],
    )
