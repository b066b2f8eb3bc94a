"""What one sandbox is told at its start."""

from __future__ import annotations

from pathlib import Path

import platformdirs
from pydantic import BaseModel, ConfigDict, Field

DEFAULT_PORT = 8085

#: In the data folder while the sandbox runs: where it is, as JSON.
STATE_FILE = "sandbox.json"


class Settings(BaseModel):
    """Settings of one sandbox process, all fixed while it runs.

    Attributes:
        port: TCP port on loopback; 0 takes a free one.
        data: folder of everything that outlives a restart.
        cache: folder of function builds, shared by all sandboxes of a user.
        seed: makes generated numbers, ids and keys repeatable.
        organization: number of the one organisation that exists from the start.
        domain: its primary domain; the administrator is ``user:user@<domain>``.
        billing_account: id of its open billing account.
        administrator_token: bearer token of the administrator, who calls from outside every network.
        access_token_lifetime: seconds.
        largest_body: bytes of a request's body that are taken.
        listener: file descriptor of a listening loopback socket that the parent process opened; ``port`` has no meaning
            then.
        strict: also refuse what only recorded traffic sends, as Google does: every operation has an id of its own, and
            an etag that no service here can have written is compared like any other. Otherwise see
            ``operation_slots`` and ``etags``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    port: int = Field(default=DEFAULT_PORT, ge=0, le=65535)
    data: Path = Path(".sandbox")
    cache: Path = Field(default_factory=lambda: Path(platformdirs.user_cache_dir("google-cloud-sandbox")))
    seed: int = 20261121
    organization: str = Field(default="123456789012", pattern=r"^\d{6,20}$")
    domain: str = "example.com"
    billing_account: str = Field(default="010101-010101-010101", pattern=r"^[0-9A-F]{6}(-[0-9A-F]{6}){2}$")
    administrator_token: str = "sandbox"  # noqa: S105 -- it opens nothing but this process
    access_token_lifetime: int = 3600
    strict: bool = False
    listener: int | None = Field(default=None, ge=3)
    largest_body: int = Field(default=512 * 1024 * 1024, ge=1024)

    @property
    def administrator(self) -> str:
        """IAM member string of the organisation's administrator."""
        return f"user:user@{self.domain}"
