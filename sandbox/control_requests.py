"""Bodies of the control interface."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, IPvAnyAddress

from sandbox.call import Origin
from sandbox.runtime.gateway import origin_of


class TokenRequest(BaseModel):
    """Ask for an access token of any principal: the sandbox's stand-in for logging in."""

    model_config = ConfigDict(extra="forbid")

    member: str = Field(pattern=r"^(user|serviceAccount):[^@\s]+@[^@\s]+$")
    lifetime: int = Field(default=3600, ge=1, le=43200)
    audience: str = ""


class IssuerRequest(BaseModel):
    """Ask for a token in the name of an issuer outside, as a pipeline gets from its own identity provider.

    ``claims`` are the issuer's own, ``sub`` and ``aud`` among them; ``iss``, ``iat`` and ``exp`` are added.
    """

    model_config = ConfigDict(extra="forbid")

    issuer: str = Field(pattern=r"^https://[^\s]+$")
    claims: dict[str, Any]
    lifetime: int = Field(default=600, ge=-3600, le=43200)


class QuotaRequest(BaseModel):
    """Say what Google set for one project, as with a new customer: -1 for no limit."""

    model_config = ConfigDict(extra="forbid")

    project: str = Field(min_length=1)
    service: str = Field(min_length=1)
    quotaId: str = Field(min_length=1)  # noqa: N815 -- spelled as in the API
    value: int = Field(ge=-1)
    dimensions: dict[str, str] = {}


class RecordingRequest(BaseModel):
    """Begin anew to record which grants are used, or stop."""

    model_config = ConfigDict(extra="forbid")

    recording: bool


class GroupRequest(BaseModel):
    """Define a Cloud Identity group's members, and who may read all groups (Workspace's role Groups Reader)."""

    model_config = ConfigDict(extra="forbid")

    group: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    members: list[str]
    readers: list[str] = []


class AdvanceRequest(BaseModel):
    """Move the clock forward, by seconds or to a moment."""

    model_config = ConfigDict(extra="forbid")

    seconds: float = Field(default=0, ge=0)
    to: AwareDatetime | None = None


class EnvironmentRequest(BaseModel):
    """Ask for a client's environment: as whom, and from where, as access levels see it.

    Attributes:
        member: IAM member; the administrator by default.
        network: full name of the VPC network; outside of all by default.
        address: IP address.
        region: country code of that address.
        device: facts of the device, see ``sandbox.enforcement.access_levels.Caller``.
    """

    model_config = ConfigDict(extra="forbid")

    member: str | None = Field(default=None, pattern=r"^(user|serviceAccount):[^@\s]+@[^@\s]+$")
    network: str | None = Field(default=None, pattern=r"^projects/[^/]+/global/networks/[^/]+$")
    address: IPvAnyAddress | None = None
    region: str = Field(default="", pattern=r"^([A-Z]{2})?$")
    device: dict[str, Any] | None = None

    def origin(self) -> Origin | None:
        """From where; None for the plain outside."""
        if not (self.network or self.address or self.region or self.device):
            return None
        found = origin_of(self.network)
        address = str(self.address) if self.address else found.address
        return Origin(self.network, address, self.region, self.device)
