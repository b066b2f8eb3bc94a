"""One request as a service perimeter sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.enforcement.access_levels import Caller


@dataclass(frozen=True, slots=True)
class Crossing:
    """A request as a perimeter sees it.

    Attributes:
        service: API host, as ``storage.googleapis.com``.
        methods: every spelling by which a method selector may name the method, permission included.
        target: ``projects/<number>`` that owns the resource.
        member: the caller's IAM member string.
        source: ``projects/<number>`` of the caller's VPC network, None outside of every network.
        network: ``//compute.googleapis.com/projects/<id>/global/networks/<name>``, None outside.
        address: the caller's IP address.
        region: country code of that address; empty when unknown.
        device: facts of the caller's device, see ``Caller``; None when it is unknown.
        identities: further member strings that stand for the caller, as its groups.
        roles: roles by which the caller holds the permission, for rules that list roles.
        moment: when, for custom access levels.
    """

    service: str
    methods: frozenset[str]
    target: str
    member: str
    source: str | None = None
    network: str | None = None
    address: str = "203.0.113.1"
    region: str = ""
    device: Mapping[str, Any] | None = None
    identities: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    moment: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def caller(self) -> Caller:
        """What access levels may ask."""
        return Caller(self.member, self.address, self.region, self.device, self.network, self.moment)
