"""Denials of VPC Service Controls, read from audit logs and gathered by who was refused what.

Entry format: https://docs.cloud.google.com/vpc-service-controls/docs/troubleshooting (named from memory, not read).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plantain.google_cloud import GoogleCloud

Document = dict[str, Any]
TYPE = "type.googleapis.com/google.cloud.audit.VpcServiceControlAuditMetadata"


@dataclass(frozen=True, order=True)
class Denial:
    """One kind of refused call.

    Attributes:
        direction: ingress or egress.
        identity: member string of the caller; empty when the log hides it.
        service: API host.
        method: as the log names it.
        reason: Google's violationReason.
        source: ``projects/<number>`` the call came from; empty for the internet.
        target: ``projects/<number>`` it went to; for egress a project outside.
        dry_run: it was only logged.
    """

    direction: str
    identity: str
    service: str
    method: str
    reason: str
    source: str
    target: str
    dry_run: bool


@dataclass(frozen=True)
class Group:
    """All calls of one kind.

    Attributes:
        count: how often.
        last: time of the last one, as the log writes it.
        identifier: vpcServiceControlsUniqueIdentifier of the last one.
    """

    denial: Denial
    count: int
    last: str
    identifier: str


def read(cloud: GoogleCloud, projects: Iterable[str], since: dt.datetime, perimeter: str | None = None) -> list[Group]:
    """Denials of some projects since a time, the most frequent first.

    Raises:
        GoogleCloudError: a project's logs may not be read.
    """
    wanted = f'protoPayload.metadata.@type="{TYPE}" AND timestamp>="{since.isoformat(timespec="seconds")}"'
    body = {
        "resourceNames": [f"projects/{project}" for project in projects],
        "filter": wanted,
        "orderBy": "timestamp asc",
        "pageSize": 1000,
    }
    entries = cloud.pages("logging", "v2/entries:list", "entries", method="POST", body=body)
    return gathered(entries, perimeter)


def gathered(entries: Iterable[Document], perimeter: str | None = None) -> list[Group]:
    """Entries by their kind. Those of another perimeter are left out; entries copied to several logs count once."""
    groups: dict[Denial, Group] = {}
    seen: set[str] = set()
    for entry in entries:
        payload = entry.get("protoPayload", {})
        metadata = payload.get("metadata", {})
        if metadata.get("@type") != TYPE:
            continue
        identifier = metadata.get("vpcServiceControlsUniqueId", "")
        name = metadata.get("securityPolicyInfo", {}).get("servicePerimeterName", "")
        if (identifier and identifier in seen) or (perimeter and name and name != perimeter):
            continue
        seen.add(identifier)
        for denial in denials_of(payload, metadata):
            before = groups.get(denial)
            groups[denial] = Group(denial, (before.count if before else 0) + 1, entry.get("timestamp", ""), identifier)
    return sorted(groups.values(), key=lambda group: (-group.count, group.denial))


def denials_of(payload: Document, metadata: Document) -> list[Denial]:
    """What one entry says was refused; an entry may name several resources."""
    info = payload.get("authenticationInfo", {})
    identity = member(info.get("principalSubject") or info.get("principalEmail") or "")
    return [
        Denial(
            direction,
            identity,
            payload.get("serviceName", ""),
            payload.get("methodName", ""),
            metadata.get("violationReason", ""),
            project_of(violation.get("source", "")),
            project_of(violation.get("targetResource", "")),
            bool(metadata.get("dryRun")),
        )
        for direction in ("ingress", "egress")
        for violation in metadata.get(f"{direction}Violations", ())
    ]


def member(subject: str) -> str:
    """A member string from what a log calls the caller."""
    if ":" in subject or not subject:
        return subject
    return f"serviceAccount:{subject}" if subject.endswith(".gserviceaccount.com") else f"user:{subject}"


def project_of(resource: str) -> str:
    """``projects/<number>`` at the beginning of a resource's name; empty for a network or none."""
    parts = resource.removeprefix("//").split("/")
    return f"projects/{parts[1]}" if parts[0] == "projects" and len(parts) > 1 and parts[1].isdigit() else ""
