"""What a campaign file says of images and of the pictures that requests refer to."""

from typing import Annotated

from pydantic import Field, model_validator

from infra.model import Model

Invoker = Annotated[
    str,
    Field(
        pattern=r"^(group|user|serviceAccount):[^@\s]+@[^@\s]+$",
        description="an identity, such as group:brand-studio@example.com",
    ),
]


class Images(Model):
    """How long images are kept, and how warm."""

    nearline_after_days: int = Field(
        default=30, ge=1, description="days after which an image moves to nearline storage", examples=["30"]
    )
    archive_after_days: int = Field(
        default=90, ge=2, description="days after which an image moves to archive storage", examples=["90"]
    )
    delete_after_days: int = Field(
        default=730,
        ge=32,
        description="days after which an image is deleted, 32 or more, because the function keeps the month's spend "
        "in the same bucket",
        examples=["730"],
    )
    recoverable_days: int = Field(
        default=30,
        ge=7,
        le=90,
        description="days for which a deleted or overwritten image can be brought back, 7 to 90",
        examples=["30"],
    )
    retention_days: int = Field(
        default=0,
        ge=0,
        le=3650,
        description="days for which nobody can delete or overwrite an image, 0 for no such rule; old versions are "
        "not kept then, for there are none",
        examples=["0"],
    )
    retention_locked: bool = Field(
        default=False,
        description="true: retentionDays can never be shortened or removed again, by anybody; false: it can",
        examples=["false"],
    )
    access_logs: bool = Field(
        default=True,
        description="true: Cloud Storage writes usage logs of the images and references into a bucket of their own; "
        "false: it does not",
        examples=["true"],
    )

    @model_validator(mode="after")
    def _gets_colder(self) -> "Images":
        if not self.nearline_after_days < self.archive_after_days < self.delete_after_days:
            raise ValueError("nearlineAfterDays, archiveAfterDays and deleteAfterDays must grow in this order")
        return self

    @model_validator(mode="after")
    def _is_deleted_after_it_may_be(self) -> "Images":
        if self.retention_days > self.delete_after_days:
            raise ValueError("retentionDays: longer than deleteAfterDays, which could then delete nothing")
        if self.retention_locked and not self.retention_days:
            raise ValueError("retentionLocked: there is no retentionDays to lock")
        return self


class References(Model):
    """Pictures that requests refer to: logos, products, styles."""

    enabled: bool = Field(
        default=True,
        description="true: the campaign has a bucket for reference pictures, which the function reads; false: it has "
        "none, and requests carry their references inline",
        examples=["true"],
    )
    delete_after_days: int = Field(
        default=365, ge=1, description="days after which a reference picture is deleted", examples=["365"]
    )
    editors: tuple[Invoker, ...] = Field(
        default=(),
        description="list of who may put pictures there, such as group:brand-studio@example.com; without it nobody",
        examples=["group:brand-studio@example.com"],
    )
