"""One request on its way through the pipeline."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.description import Method

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls.

    Attributes:
        member: IAM member string, as ``serviceAccount:name@project.iam.gserviceaccount.com``.
        delegates: members that impersonated on the way here, first caller first.
        identities: further member strings of a federated identity: its pool, groups and attributes.
    """

    member: str
    delegates: tuple[str, ...] = ()
    identities: tuple[str, ...] = ()

    @property
    def email(self) -> str:
        """The address after the member's type; the member itself for ``allUsers``."""
        return self.member.partition(":")[2] or self.member


ANONYMOUS = Principal("allUsers")


@dataclass(frozen=True, slots=True)
class Origin:
    """From where the call comes.

    Attributes:
        network: full name of the VPC network (``projects/p/global/networks/n``), None for the internet.
        address: the caller's IP address as access levels see it.
        region: country code of that address; empty when unknown.
        device: facts of the caller's device, see ``sandbox.enforcement.access_levels.Caller``; None when unknown.
    """

    network: str | None = None
    address: str = "203.0.113.1"
    region: str = ""
    device: Mapping[str, Any] | None = None

    @property
    def project(self) -> str | None:
        """Id of the network's project."""
        return self.network.split("/")[1] if self.network else None


@dataclass(slots=True)
class Call:
    """A routed request with its decoded parts.

    Attributes:
        name: the resource's path below the API version, project number already replaced by its id.
        parameters: decoded path parameters.
        body: the JSON body without nulls; ``{}`` when there was none.
        media: the body as it came.
        consumer: id of the project that the call is about; found by the first check that needs it.
        denial: id under which its refusal is explained, see ``sandbox.denials``.
    """

    cloud: Cloud
    method: Method
    name: str
    parameters: dict[str, str]
    query: Mapping[str, str]
    body: Document
    headers: Mapping[str, str] = field(default_factory=dict)
    media: bytes = b""
    principal: Principal = ANONYMOUS
    origin: Origin = Origin()
    url: str = ""
    consumer: str | None = None
    denial: str = ""

    @property
    def project(self) -> str | None:
        """Id of the project that the name speaks of, None for organisations and the like."""
        parts = self.name.split("/")
        return parts[1] if parts[0] == "projects" and len(parts) > 1 else None

    @property
    def cleared(self) -> frozenset[str]:
        """Top-level fields that the body sets to null, which a patch without a mask clears."""
        if not self.media.lstrip().startswith(b"{"):
            return frozenset()
        return frozenset(key for key, value in json.loads(self.media).items() if value is None)

    def segment(self, collection: str) -> str:
        """The id that follows ``collection`` in the name; empty when absent."""
        parts = self.name.split("/")
        return parts[parts.index(collection) + 1] if collection in parts[:-1] else ""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is not plain ``200`` JSON."""

    status: int = 200
    content: bytes = b""
    media_type: str = "application/json; charset=UTF-8"
    headers: dict[str, str] = field(default_factory=dict)
    document: Document | list[Any] | None = None
