"""What was declared, compared with what is there: what Pulumi alone cannot find."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from plantain.audit import grants
from plantain.audit.comparison import differences
from plantain.audit.googles_own import made_by_google, service_agents_grant
from plantain.audit.grants import Grant
from plantain.audit.identity import identity
from plantain.audit.join_controls import (
    ALERTS_REACH,
    DECLARED_EXISTS,
    GRANT_DECLARED,
    INVENTORY_COMPLETE,
    KEYS_USABLE,
    PROJECT_DECLARED,
    PROJECT_INSIDE,
    PROPERTIES_HELD,
    RESOURCE_DECLARED,
    JoinControl,
)
from plantain.audit.unit import ORGANIZATION, Unit
from policies.catalogue import Resource, Status

PROJECT = "gcp:organizations/project:Project"
KEY = "gcp:kms/cryptoKey:CryptoKey"
ALERT = "gcp:monitoring/alertPolicy:AlertPolicy"
CHANNEL = "gcp:monitoring/notificationChannel:NotificationChannel"
PERIMETER = "gcp:accesscontextmanager/servicePerimeter:ServicePerimeter"
#: States of a key's version with which nothing can be decrypted.
#: Source: https://cloud.google.com/kms/docs/key-states (read 2026-11).
UNUSABLE = frozenset({"DISABLED", "DESTROY_SCHEDULED", "DESTROYED", "IMPORT_FAILED", "GENERATION_FAILED"})


@dataclass(frozen=True)
class Finding:
    """One row of a control over several sources."""

    control: JoinControl
    status: Status
    reason: str
    resource: str
    type: str
    name: str
    project: str
    readings: Sequence[Mapping[str, Any]] = field(default_factory=tuple)


def findings(unit: Unit) -> Iterator[Finding]:
    """Every row of every control over several sources; nothing where the cloud was not read."""
    if unit.live is None:
        return
    live = {identity(resource): resource for resource in unit.live}
    if unit.export is not None:
        declared = {identity(resource): resource for resource in unit.declared}
        yield from _declared(unit, declared, live)
        yield from _undeclared(unit, declared, live)
        yield from _grants(unit)
    yield from _keys(unit.live)
    yield from _alerts(unit.live)
    yield from _projects(unit)
    yield from _unread(unit)


def _of(control: JoinControl, resource: Resource, reason: str, *, fail: bool, readings: Sequence[Any] = ()) -> Finding:
    project = resource.properties.get("project", resource.properties.get("projectId"))
    return Finding(
        control,
        Status.FAIL if fail else Status.PASS,
        reason,
        resource.urn,
        resource.type,
        resource.name,
        project.removeprefix("projects/") if isinstance(project, str) else "",
        readings,
    )


def _declared(unit: Unit, declared: Mapping[str, Resource], live: Mapping[str, Resource]) -> Iterator[Finding]:
    read = {resource.type for resource in (*live.values(), *unit.surroundings)}
    around = {identity(resource): resource for resource in unit.surroundings}
    hidden = {entry.project for entry in unit.unread}
    for key, resource in sorted(declared.items()):
        if resource.type not in read or grants.kind(resource.type) in {"Binding", "Policy"}:
            continue
        found = live.get(key) or around.get(key)
        if found is None:
            project = resource.properties.get("project")
            if isinstance(project, str) and project.removeprefix("projects/") in hidden:
                yield Finding(
                    DECLARED_EXISTS,
                    Status.INDETERMINATE,
                    "not everything of its project could be read",
                    resource.urn,
                    resource.type,
                    resource.name,
                    project,
                )
                continue
            yield _of(DECLARED_EXISTS, resource, "is in the state, but not in the cloud", fail=True)
            continue
        yield _of(DECLARED_EXISTS, resource, "is in the state and in the cloud", fail=False)
        differing = differences(resource, found)
        paths = ", ".join(entry["path"] for entry in differing)
        yield _of(
            PROPERTIES_HELD,
            resource,
            f"was changed behind the program's back: {paths}" if differing else "is as it was declared",
            fail=bool(differing),
            readings=differing,
        )


def _undeclared(unit: Unit, declared: Mapping[str, Resource], live: Mapping[str, Resource]) -> Iterator[Finding]:
    own = {resource.urn for resource in unit.live or ()}
    for key, resource in sorted(live.items()):
        if grants.kind(resource.type) or resource.urn not in own or resource.type == PROJECT:
            continue
        if key in declared:
            yield _of(RESOURCE_DECLARED, resource, "is declared", fail=False)
        elif reason := made_by_google(resource):
            yield _of(RESOURCE_DECLARED, resource, reason, fail=False)
        else:
            yield _of(RESOURCE_DECLARED, resource, "is there, but no stack declares it", fail=True)


def _grants(unit: Unit) -> Iterator[Finding]:
    allowed = {grant for resource in unit.declared for grant in grants.grants(resource)}
    deployers = set((unit.settings.get("perimeter") or {}).get("deployers") or ())
    projects = {
        f"projects/{resource.properties['projectId']}": resource
        for resource in unit.declared
        if resource.type == PROJECT and isinstance(resource.properties.get("projectId"), str)
    }
    for resource in unit.live or ():
        for grant in grants.grants(resource):
            yield _grant(resource, grant, _declares(grant, allowed, deployers, projects))


def _declares(grant: Grant, allowed: set[Grant], deployers: set[str], projects: Mapping[str, Resource]) -> str | None:
    if grant in allowed:
        return "is declared"
    if service_agents_grant(grant):
        return "was given by Google to its own service agent"
    if grant.role == "roles/owner" and grant.member in deployers and grant.scope in projects:
        return "is the deployer's, who made the project"
    return None


def _grant(resource: Resource, grant: Grant, reason: str | None) -> Finding:
    readings = [{"path": "role", "value": grant.role}, {"path": "member", "value": grant.member}]
    said = reason or "was granted by hand: no stack declares it, so nobody approved it"
    return _of(GRANT_DECLARED, resource, said, fail=reason is None, readings=readings)


def _keys(live: Sequence[Resource]) -> Iterator[Finding]:
    for resource in live:
        if resource.type != KEY:
            continue
        versions = [entry for entry in resource.properties.get("versions") or () if isinstance(entry, Mapping)]
        wrong = [entry for entry in versions if entry.get("state") in UNUSABLE]
        primary = resource.properties.get("primary")
        state = primary.get("state") if isinstance(primary, Mapping) else None
        bad_primary = state is not None and state != "ENABLED"
        if bad_primary:
            reason = (
                f"its primary version is {state}, so nothing new can be encrypted, and what it encrypted cannot be read"
            )
        elif wrong:
            reason = f"{len(wrong)} of its versions cannot decrypt, so what they encrypted cannot be read"
        else:
            reason = "every version can be used"
        readings = [{"path": f"versions.{entry.get('name')}", "value": entry.get("state")} for entry in wrong]
        yield _of(KEYS_USABLE, resource, reason, fail=bool(wrong or bad_primary), readings=readings)


def _alerts(live: Sequence[Resource]) -> Iterator[Finding]:
    channels = {r.properties.get("id"): r for r in live if r.type == CHANNEL}
    for resource in live:
        if resource.type != ALERT:
            continue
        if resource.properties.get("enabled") is False:
            yield _of(ALERTS_REACH, resource, "is switched off, so nobody is told", fail=True)
            continue
        named = [str(entry) for entry in resource.properties.get("notificationChannels") or ()]
        problems = {name: _silent(channels.get(name)) for name in named}
        working = [name for name, problem in problems.items() if problem is None]
        readings = [
            {"path": f"notificationChannels.{name}", "value": problem or "live"} for name, problem in problems.items()
        ]
        if working and len(working) == len(named):
            yield _of(ALERTS_REACH, resource, "every channel is live", fail=False, readings=readings)
        elif not named:
            yield _of(ALERTS_REACH, resource, "has no notification channel, so it rings nowhere", fail=True)
        else:
            dead = "; ".join(sorted({problem for problem in problems.values() if problem}))
            yield _of(
                ALERTS_REACH, resource, f"has a channel that reaches nobody: {dead}", fail=True, readings=readings
            )


def _silent(channel: Resource | None) -> str | None:
    if channel is None:
        return "it does not exist"
    if channel.properties.get("enabled") is False:
        return "it is switched off"
    if channel.properties.get("verificationStatus") == "UNVERIFIED":
        return "it was never verified"
    return None


def _projects(unit: Unit) -> Iterator[Finding]:
    perimeters = [r for r in (*(unit.live or ()), *unit.surroundings) if r.type == PERIMETER]
    inside = {number: r.name for r in perimeters for number in _members(r, "status")}
    planned = {number: r.name for r in perimeters for number in _members(r, "spec")}
    declared = [r for r in unit.declared if r.type == PROJECT]
    ours = {r.properties.get("projectId") for r in declared}
    # Whoever takes a label away takes no project out of the population.
    campaigns = {r.properties.get("projectId") for r in declared if _campaign(r)}
    for resource in unit.live or ():
        if resource.type != PROJECT:
            continue
        if not _campaign(resource) and resource.properties.get("projectId") not in campaigns:
            if unit.name == ORGANIZATION:
                reason = "lies in the campaigns' folder, and no audited stack declares it"
                yield _of(PROJECT_DECLARED, resource, reason, fail=True)
            continue
        number = str(resource.properties.get("number", ""))
        if number in inside:
            yield _of(PROJECT_INSIDE, resource, f"is an enforced member of perimeter {inside[number]}", fail=False)
        elif number in planned:
            reason = f"is a member of perimeter {planned[number]} in dry-run mode only, which refuses nothing"
            yield _of(PROJECT_INSIDE, resource, reason, fail=True)
        else:
            yield _of(PROJECT_INSIDE, resource, "is in no perimeter, so its data can be taken anywhere", fail=True)
        if unit.name == ORGANIZATION:
            yield _of(PROJECT_DECLARED, resource, "is a campaign's project that no audited stack declares", fail=True)
        elif resource.properties.get("projectId") in ours:
            yield _of(PROJECT_DECLARED, resource, f"is declared by stack {unit.name}", fail=False)


def _campaign(project: Resource) -> bool:
    labels = project.properties.get("labels")
    return isinstance(labels, Mapping) and bool(labels.get("campaign"))


def _members(perimeter: Resource, configuration: str) -> set[str]:
    rules = perimeter.properties.get(configuration)
    listed = rules.get("resources") if isinstance(rules, Mapping) else None
    return {match[1] for name in listed or () if (match := re.fullmatch(r"projects/(\d+)", str(name)))}


def _unread(unit: Unit) -> Iterator[Finding]:
    for entry in unit.unread:
        yield Finding(
            INVENTORY_COMPLETE,
            Status.INDETERMINATE,
            f"{entry.what} could not be read: {entry.reason}",
            f"//{entry.what.partition(' ')[0]}.googleapis.com/projects/{entry.project}",
            "unread",
            entry.what,
            entry.project,
        )
    if not unit.unread:
        yield Finding(INVENTORY_COMPLETE, Status.PASS, "every API that was asked answered", "", "stack", "", "")
