"""One change of every setting, from the stacks of `setting_shapes`.

A setting that no case changes fails a test, so a new one needs a line here or in `campaign_cases`. A case may say why
something has to be replaced; what is replaced without such a word fails too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from infra.campaign_model import Campaign
from infra.model import models_in
from infra.perimeter_settings import JoinedPerimeter
from infra.settings import Settings
from tests.infra import campaign_cases
from tests.infra.setting_case import (
    ALREADY,
    CAMPAIGN,
    ELSEWHERE,
    FOUNDATION,
    GONE,
    JOIN,
    JOINED,
    NAMED,
    OTHER,
    OWNER,
    SEED,
    STACK,
    Case,
)
from tests.infra.setting_shapes import ADMINISTRATOR, EVERYBODY


def _rules(prefix: str, shape: str) -> Iterator[Case]:
    """Cases of an ingress and an egress rule, which three parts of the settings have."""
    for way in ("ingress", "egress"):
        rule = f"{prefix}.{way}"
        yield Case(rule, lambda old, way=way: [*old, {"title": f"more {way}", **EVERYBODY}], shape)
        yield Case(f"{rule}[0].title", f"other {way}", shape)
        yield Case(f"{rule}[0].identities", ["user:jo@example.com"], shape)
        yield Case(f"{rule}[0].identityType", "ANY_SERVICE_ACCOUNT", shape, also={f"{rule}[0].identities": GONE})
        if shape == JOINED:
            yield Case(f"{rule}[0].accessLevels", ["accessPolicies/{policy}/accessLevels/plantain_corporate"], shape)
        else:
            yield Case(f"{rule}[0].accessLevels", ["own"], shape)
        yield Case(f"{rule}[0].services", {"pubsub.googleapis.com": []}, shape)
        if way == "ingress":
            yield Case(f"{rule}[0].fromProjects", ["projects/{others}"], shape)
        if way == "egress" or shape != JOINED:
            yield Case(
                f"{rule}[0].toProjects",
                ["projects/{others}"],
                shape,
                apart="only a member may be named" if way == "ingress" else "",
            )


def _perimeter() -> Iterator[Case]:
    own = f"{STACK}perimeter"
    level = f"{own}.accessLevels"
    yield Case(own, GONE, FOUNDATION, apart=ALREADY)
    yield Case(f"{own}.membership", "inline", FOUNDATION, apart=ALREADY)
    yield Case(f"{own}.enforcement", "dry-run", FOUNDATION)
    yield Case(f"{own}.title", "theirs", FOUNDATION, why=NAMED, apart=ALREADY)
    yield Case(f"{own}.accessPolicy", "accessPolicies/1", FOUNDATION, why=ELSEWHERE, apart=ALREADY)
    yield Case(f"{own}.deployers", [ADMINISTRATOR, "user:jo@example.com"], FOUNDATION)
    # What the deployer calls from: a range without it would shut the door on whoever closes it.
    yield Case(f"{own}.ipSubnetworks", ["203.0.113.0/24"], FOUNDATION)
    yield Case(f"{own}.additionalServices", ["spanner.googleapis.com"], FOUNDATION)
    yield Case(f"{own}.otherMembers", [], CAMPAIGN, apart="the campaign needs the other project")
    yield Case(f"{own}.auditors", ["group:others@example.com"], FOUNDATION)
    yield Case(f"{own}.auditorLevels", ["own"], FOUNDATION)
    yield Case(level, lambda old: [*old, {"name": "office", "ipSubnetworks": ["198.51.100.0/24"]}], FOUNDATION)
    yield Case(f"{level}[3].name", "people", FOUNDATION)
    yield Case(f"{level}[0].ipSubnetworks", ["198.51.100.0/24"], FOUNDATION)
    yield Case(f"{level}[0].countries", ["FR"], FOUNDATION)
    yield Case(f"{level}[3].members", ["user:other@example.com"], FOUNDATION)
    yield Case(f"{level}[1].device", GONE, FOUNDATION)
    yield Case(f"{level}[1].device.screenLock", False, FOUNDATION)
    for name in ("corporate", "approved", "encrypted"):
        yield Case(f"{level}[1].device.{name}", True, FOUNDATION)
    yield Case(f"{level}[1].device.systems", {"DESKTOP_WINDOWS": ""}, FOUNDATION)
    yield Case(f"{level}[1].requires", [], FOUNDATION)
    yield Case(f"{level}[0].anyOf", True, FOUNDATION)
    yield Case(f"{level}[2].expression", "origin.region_code in ['FR']", FOUNDATION)
    yield from _rules(own, FOUNDATION)
    yield Case(f"{own}.proposed", GONE, FOUNDATION)
    yield Case(f"{own}.proposed.additionalServices", [], FOUNDATION)
    yield Case(f"{own}.proposed.without", ["partner uploads"], FOUNDATION)
    yield from _rules(f"{own}.proposed", FOUNDATION)
    owned = {"membership": "inline", "enforcement": "enforced", "deployers": [ADMINISTRATOR]}
    owned["accessPolicy"] = "accessPolicies/{policy}"
    yield Case(own, {**owned, "title": "mine"}, JOINED, setting=f"{JOIN}.membership", why=OWNER, apart=ALREADY)
    yield Case(f"{own}.enforcement", "dry-run", JOINED, why="a membership is of one configuration")
    yield Case(
        f"{own}.perimeter",
        "accessPolicies/{policy}/servicePerimeters/theirs",
        JOINED,
        why="a membership is of one perimeter",
        apart="there is no other perimeter",
    )
    yield Case(f"{own}.deployers", [], JOINED)
    yield from _rules(own, JOINED)


def _stack() -> Iterator[Case]:
    yield Case(f"{STACK}organization", "999999999999", why=ELSEWHERE, apart="there is no other organisation")
    yield Case(f"{STACK}billingAccount", "0A0A0A-0A0A0A-0A0A0A", why=ELSEWHERE, apart="there is no other account")
    yield Case(f"{STACK}region", "us-central1", why=ELSEWHERE, apart=OTHER)
    yield Case(f"{STACK}folder", "{folder}", why="an access policy is scoped when it is made", apart=ALREADY)
    yield Case(f"{STACK}campaigns", "", apart=ALREADY)
    yield Case(f"{STACK}deletionProtection", "true")
    yield Case(f"{STACK}monitoringProject", "acme-others")
    yield Case(f"{STACK}channelSecrets", lambda old: {**old, "slack-token": "another"})
    yield Case(f"{STACK}wheels", "other-wheels")
    yield Case(f"{STACK}quotaProject", "acme-others")
    # Of a stack without a perimeter: whoever is to deploy through one has to be admitted before.
    yield Case(f"{STACK}impersonate", "deployer@acme-others.iam.gserviceaccount.com", SEED)
    yield Case(f"{STACK}endpoints", _elsewhere)
    yield Case(f"{STACK}accessToken", "{token}")
    yield Case(f"{STACK}pollInterval", "300ms")
    yield Case(f"{STACK}batchDelay", "300ms")
    # It would keep the other cases from taking anything away.
    yield Case(f"{STACK}denyPolicy", {}, alone=True)
    yield Case(f"{STACK}denyPolicy.exceptions", ["group:break-glass@example.com"], alone=True)
    yield Case(f"{STACK}tags", GONE, FOUNDATION, apart=ALREADY)
    yield Case(f"{STACK}tags.keys", ["env", "data-class"], FOUNDATION)
    yield Case(f"{STACK}tags.keys", ["env"], setting=f"{STACK}tags.keys", note="in the stack of a campaign")
    yield Case(f"{STACK}tags.bind", ["{tag}"])
    for name, value in (("owner", "others"), ("cost-center", "cc-2"), ("env", "test"), ("data-class", "restricted")):
        yield Case(f"{STACK}labels.{name}", value, FOUNDATION)
    yield Case(f"{STACK}contacts", lambda old: [*old, {"email": "b@example.com", "categories": ["ALL"]}], FOUNDATION)
    yield Case(f"{STACK}contacts[0].email", "other@example.com", FOUNDATION)
    yield Case(f"{STACK}contacts[0].categories", ["SUSPENSION", "BILLING"], FOUNDATION)
    yield Case(f"{STACK}contacts[0].language", "de", FOUNDATION)
    yield Case(f"{STACK}centralLogs", GONE, FOUNDATION, apart=ALREADY)
    yield Case(f"{STACK}centralLogs.project", "acme-logs", FOUNDATION, why=NAMED, apart=ALREADY)
    yield Case(f"{STACK}centralLogs.retentionDays", 500, FOUNDATION)
    yield Case(f"{STACK}centralLogs.locked", True, FOUNDATION, alone=True)
    yield Case(f"{STACK}centralLogs.analytics", True, FOUNDATION, alone=True)
    yield Case(f"{STACK}centralLogs.auditors", ["group:others@example.com"], FOUNDATION)
    yield Case(f"{STACK}centralLogs.billingAccountSink", True, FOUNDATION)
    yield Case(f"{STACK}centralLogs.defaultKey", True, FOUNDATION)
    policies = f"{STACK}organizationPolicies"
    yield Case(policies, GONE, FOUNDATION, apart=ALREADY)
    yield Case(f"{policies}.enforcement", "dry-run", FOUNDATION)
    yield Case(f"{policies}.locations", ["in:us-locations", "in:eu-locations"], FOUNDATION)
    yield Case(f"{policies}.models", ["publishers/google/models/gemini-3-flash:predict"], FOUNDATION)
    yield Case(f"{policies}.memberCustomers", [], FOUNDATION)
    yield Case(f"{policies}.contactDomains", ["@example.com", "@example.org"], FOUNDATION)
    yield Case(f"{policies}.keyHolders", ["projects/acme-others"], FOUNDATION)
    yield Case(f"{policies}.otherServices", ["redis.googleapis.com"], FOUNDATION)
    yield Case(f"{policies}.custom", False, FOUNDATION)
    yield Case(f"{policies}.leaveOut", ["run.allowedIngress"], FOUNDATION)


def _seed() -> Iterator[Case]:
    seed = f"{STACK}bootstrap"
    yield Case(seed, GONE, SEED, apart=ALREADY)
    yield Case(f"{seed}.project", "acme-seed", SEED, why=NAMED, apart=ALREADY)
    yield Case(f"{seed}.organizationRights", False, SEED)
    yield Case(f"{seed}.billingExport", True, SEED)
    yield Case(f"{seed}.recoverableDays", 30, SEED)
    yield Case(f"{seed}.keptVersions", 100, SEED)
    yield Case(f"{seed}.github", GONE, SEED, apart=ALREADY)
    yield Case(f"{seed}.github.repository", "acme/other", SEED)
    yield Case(f"{seed}.github.repositoryId", "43", SEED)
    yield Case(f"{seed}.github.branch", "release", SEED)
    yield Case(f"{seed}.esc", GONE, SEED, apart=ALREADY)
    yield Case(f"{seed}.esc.organization", "other", SEED)
    yield Case(f"{seed}.esc.environment", "plantain/test", SEED)
    yield Case(f"{seed}.gitlab", GONE, SEED, apart=ALREADY)
    yield Case(f"{seed}.gitlab.project", "acme/other", SEED)
    yield Case(f"{seed}.gitlab.projectId", "43", SEED)
    yield Case(f"{seed}.gitlab.issuer", "https://gitlab.example.com", SEED)
    yield Case(f"{seed}.gitlab.branch", "release", SEED)


def _elsewhere(old: Mapping[str, str] | None) -> dict[str, str]:
    """The same endpoints by another name of the host, or one where there are none."""
    if not old:
        return {"kms": "https://kms.example.com/v1/"}
    return {name: url.replace("127.0.0.1", "localhost") for name, url in old.items()}


CASES: tuple[Case, ...] = (*_stack(), *_perimeter(), *_seed(), *campaign_cases.CASES)

WHOLE = {
    f"{STACK}labels": "its parts have cases; centralLogs and bootstrap cannot do without it",
    f"{JOIN}.ingress[].toProjects": "refused: a stack that joins lets calls in to its own campaigns only",
}
"""Settings that no case changes, and why."""


def settings() -> set[str]:
    """Every setting there is: those of the stack, and those of campaigns' files."""
    found = {STACK + name for name in _names(Settings)}
    joined = {name for name in found if name.startswith(f"{STACK}perimeter.")}
    return found | {JOIN + name for name in _names(JoinedPerimeter, ".")} | set(_names(Campaign)) | joined


def _names(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Paths of a model's fields. A part that is always there has none of its own, but its fields have."""
    for name, found in model.model_fields.items():
        key = prefix + (found.alias or name)
        below = [part for part in models_in(found.annotation) if part is not JoinedPerimeter]
        always = isinstance(found.annotation, type)
        if not below or not always:
            yield key
        many = "[]" if below and "tuple" in str(found.annotation) else ""
        for part in below:
            yield from _names(part, f"{key}{many}.")
