"""What a stack is told of organisation policies, contacts and tags."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from infra.access_settings import Identity
from infra.model import Model
from infra.perimeter_settings import Enforcement

LocationValue = Annotated[
    str,
    Field(
        pattern=r"^(in:[a-z0-9-]+|[a-z]+-[a-z]+\d+|[a-z]+)$",
        description="a location or a group of locations, such as europe-west4 or in:eu-locations",
    ),
]
Customer = Annotated[
    str,
    Field(
        pattern=r"^(is:)?(C[0-9a-z]{6,12}|principalSet://iam\.googleapis\.com/organizations/\d+)$",
        description="a Google Workspace or Cloud Identity customer, such as C012abcde",
    ),
]
Domain = Annotated[
    str,
    Field(pattern=r"^@[a-z0-9.-]+\.[a-z]{2,}$", description="a domain with an at sign before it, such as @example.com"),
]
ModelAction = Annotated[
    str,
    Field(
        pattern=r"^(is:)?publishers/[a-z0-9-]+/models/[a-z0-9@.*-]+(:[a-z]+)?$",
        description="a model and what may be done with it, such as publishers/google/models/gemini-3-pro-image:predict",
    ),
]
Holder = Annotated[
    str,
    Field(
        pattern=r"^(under:(folders|organizations)/\d+|(under:)?projects/[a-z0-9-]+)$",
        description="where keys may lie, such as under:folders/234567890123 or projects/acme-keys",
    ),
]
ConstraintName = Annotated[
    str,
    Field(
        pattern=r"^(custom\.)?[A-Za-z]+(\.[A-Za-z]+)*$",
        description="name of a constraint without constraints/, such as run.allowedVPCEgress",
    ),
]


class OrganizationPolicies(Model):
    """Organisation policies on the folder, or on the organisation when the stack names no folder."""

    enforcement: Enforcement = Field(
        description="dry-run: violations are logged where the constraint supports it, and such policies refuse "
        "nothing; enforced: they are refused",
        examples=["dry-run"],
    )
    locations: tuple[LocationValue, ...] = Field(
        default=(),
        description="list of locations resources may lie in, such as in:eu-locations; empty: no such policy. global "
        "is added, because the image model is called there",
        examples=["in:eu-locations"],
    )
    models: tuple[ModelAction, ...] = Field(
        default=(),
        description="list of further models that may be called besides those of the table of models, such as "
        "publishers/google/models/gemini-3-flash:predict",
        examples=["publishers/google/models/gemini-3-flash:predict"],
    )
    member_customers: tuple[Customer, ...] = Field(
        default=(),
        description="list of customers whose identities may be granted roles, such as C012abcde: gcloud organizations "
        "list shows yours; empty: no such policy",
        examples=["C012abcde"],
    )
    contact_domains: tuple[Domain, ...] = Field(
        default=(),
        description="list of domains essential contacts may belong to, such as @example.com; empty: no such policy",
        examples=["@example.com"],
    )
    key_holders: tuple[Holder, ...] = Field(
        default=(),
        description="list of where customer-managed keys may lie, such as under:folders/234567890123; empty: anywhere "
        "below the stack's folder or organisation",
        examples=["under:folders/234567890123"],
    )
    other_services: tuple[str, ...] = Field(
        default=(),
        description="list of further APIs that may be used below the folder besides those of campaigns, such as "
        "redis.googleapis.com",
        examples=["redis.googleapis.com"],
    )
    custom: bool = Field(
        default=True,
        description="true: custom constraints on buckets, keys and functions are defined in the organisation and set "
        "too; false: only Google's own constraints",
        examples=["true"],
    )
    leave_out: tuple[ConstraintName, ...] = Field(
        default=(),
        description="list of constraints this stack does not set, because somebody above does, such as "
        "run.allowedVPCEgress",
        examples=["run.allowedVPCEgress"],
    )


class DenyPolicy(Model):
    """A deny policy on each campaign's project: nobody destroys key versions, deletes buckets or makes account keys."""

    exceptions: tuple[Identity, ...] = Field(
        default=(),
        description="list of who may nevertheless, such as group:break-glass@example.com; pulumi destroy needs none, "
        "for it takes the policy away first",
        examples=["group:break-glass@example.com"],
    )


class Category(StrEnum):
    """What a contact is told about (cloud.google.com/resource-manager/docs/managing-notification-contacts, 2026-11)."""

    ALL = "ALL"
    BILLING = "BILLING"
    LEGAL = "LEGAL"
    PRODUCT_UPDATES = "PRODUCT_UPDATES"
    SECURITY = "SECURITY"
    SUSPENSION = "SUSPENSION"
    TECHNICAL = "TECHNICAL"
    TECHNICAL_INCIDENTS = "TECHNICAL_INCIDENTS"


class Contact(Model):
    """Somebody Google writes to."""

    email: str = Field(
        pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
        description="e-mail address, a group's rather than a person's, such as security@example.com",
        examples=["security@example.com"],
    )
    categories: tuple[Category, ...] = Field(
        min_length=1,
        description="list of what it is told about: ALL, BILLING, LEGAL, PRODUCT_UPDATES, SECURITY, SUSPENSION, "
        "TECHNICAL, TECHNICAL_INCIDENTS",
        examples=["SECURITY"],
    )
    language: str = Field(
        default="en",
        pattern=r"^[a-z]{2}(-[A-Z]{2})?$",
        description="language Google writes in, such as en",
        examples=["en"],
    )


class Tags(Model):
    """Resource Manager tags, which organisation policies and IAM conditions can ask for, as they cannot for labels."""

    keys: tuple[Literal["env", "data-class"], ...] = Field(
        default=(),
        description="list of labels that become tag keys of the organisation, out of env and data-class, such as env; "
        "this stack creates key and values and binds them to its campaigns' projects",
        examples=["env"],
    )
    bind: tuple[
        Annotated[
            str, Field(pattern=r"^tagValues/\d+$", description="a tag value by number, such as tagValues/281483712345")
        ],
        ...,
    ] = Field(
        default=(),
        description="list of existing tag values that are bound to each campaign's project, such as "
        "tagValues/281483712345",
        examples=["tagValues/281483712345"],
    )
