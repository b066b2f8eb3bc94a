"""What a stack is told of the central log project."""

from typing import Annotated

from pydantic import Field

from infra.model import Model

Reader = Annotated[
    str,
    Field(
        pattern=r"^(group|user|serviceAccount):[^@\s]+@[^@\s]+$",
        description="who reads the audit logs, such as group:auditors@example.com",
    ),
]


class CentralLogs(Model):
    """One project that keeps the audit logs of everything below the folder or organisation."""

    project: str = Field(
        default="plantain-logs",
        pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
        min_length=4,
        max_length=22,
        description="beginning of the log project's id, 4 to 22 lower-case letters, digits and single hyphens; a "
        "random suffix follows, such as plantain-logs",
        examples=["plantain-logs"],
    )
    retention_days: int = Field(
        default=400,
        ge=30,
        le=3650,
        description="days for which audit log entries are kept, 30 to 3650",
        examples=["400"],
    )
    locked: bool = Field(
        default=False,
        description="true: retention can never be shortened and the bucket never deleted before its entries have "
        "aged out, by nobody, not even Google; this cannot be undone",
        examples=["false"],
    )
    analytics: bool = Field(
        default=False,
        description="true: entries can be queried with SQL in Log Analytics; this cannot be undone",
        examples=["true"],
    )
    auditors: tuple[Reader, ...] = Field(
        default=(),
        description="list of who may read audit log entries, such as group:auditors@example.com",
        examples=["group:auditors@example.com"],
    )
    default_key: bool = Field(
        default=False,
        description="true: the log buckets that Google makes with every project from now on, _Required and _Default, "
        "lie in the region and are encrypted with a key of the log project; that outlives pulumi destroy and has to be "
        "taken back by hand, see docs/infrastructure.md; false: they are as Google makes them",
        examples=["true"],
    )
    billing_account_sink: bool = Field(
        default=False,
        description="true: entries about the billing account are kept here too, which needs "
        "roles/logging.configWriter on it",
        examples=["true"],
    )
