"""Organisation policies that are in force where projects will be, and would refuse what the stack creates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from plantain.doctor.finding import Check, Finding
from plantain.doctor.patient import Patient
from plantain.errors import GoogleCloudError

NOT_FOUND = 404
CONTINENTS = {
    "europe": ("in:europe-locations", "in:eu-locations"),
    "us": ("in:us-locations",),
    "asia": ("in:asia-locations",),
}
EU_EXCEPTIONS = ("europe-west2", "europe-west6")
"""Regions of the continent outside the European Union: London and Zurich. Google's list of groups was not read."""

Document = dict[str, Any]


@dataclass(frozen=True)
class Need:
    """What a list constraint must let through.

    Attributes:
        constraint: without the prefix ``constraints/``.
        spellings: of each wanted thing, any of which may stand in the policy.
        consequence: of its absence.
    """

    constraint: str
    spellings: tuple[tuple[str, ...], ...]
    consequence: str


BOOLEANS = {
    "iam.disableServiceAccountCreation": "the runtime and build identities cannot be created",
    "iam.managed.disableServiceAccountCreation": "the runtime and build identities cannot be created",
}
"""Boolean constraints with what breaks when they are enforced. Those that Plantain satisfies are not listed."""


def needs(patient: Patient) -> Iterator[Need]:
    """What the stack needs of each list constraint."""
    region = patient.settings.region
    continent = region.split("-")[0]
    groups = [
        group for group in CONTINENTS.get(continent, ()) if group != "in:eu-locations" or region not in EU_EXCEPTIONS
    ]
    yield Need(
        "gcp.resourceLocations",
        ((region, f"in:{region}-locations", *groups),),
        f"keys, buckets and function in {region} are refused",
    )
    apis = sorted(
        {
            "aiplatform",
            "artifactregistry",
            "cloudbuild",
            "cloudfunctions",
            "cloudkms",
            "compute",
            "dns",
            "eventarc",
            "logging",
            "monitoring",
            "pubsub",
            "run",
            "storage",
        }
    )
    yield Need(
        "gcp.restrictServiceUsage",
        tuple((f"{api}.googleapis.com",) for api in apis),
        "the API cannot be used in the campaign's project",
    )
    yield Need("run.allowedIngress", (("internal", "is:internal"),), "the function is refused: its ingress is internal")
    yield Need(
        "run.allowedVPCEgress",
        (("all-traffic", "is:all-traffic"),),
        "the function is refused: all its traffic goes through its network",
    )
    models = sorted({campaign.function.model for campaign in patient.campaigns})
    yield Need(
        "vertexai.allowedModels",
        tuple(
            (
                f"publishers/google/models/{model}:predict",
                f"publishers/google/models/{model}",
                f"is:publishers/google/models/{model}:predict",
            )
            for model in models
        ),
        "Vertex AI refuses the campaign's model",
    )
    yield Need(
        "gcp.restrictCmekCryptoKeyProjects",
        ((f"under:{patient.organization}", f"under:{patient.parent}"),),
        "buckets and function cannot use the key of their own project, which is new and so not on the list",
    )
    domains = sorted({contact.partition("@")[2] for campaign in patient.campaigns for contact in campaign.contacts})
    yield Need(
        "essentialcontacts.allowedContactDomains",
        tuple((f"@{domain}", domain) for domain in domains),
        "the contact cannot be created",
    )


def run(patient: Patient) -> Iterator[Finding]:
    """Every constraint that could break the plan, as it is in force at the projects' parent."""
    read = 0
    broken = 0
    for need in needs(patient):
        rules = effective(patient, need.constraint)
        read += 1
        for wanted in need.spellings:
            verdict = refused_by(rules, wanted)
            if verdict is not None:
                broken += 1
                yield CHECK.error(
                    f"constraints/{need.constraint} at {patient.parent} {verdict}; needed: {wanted[0]}",
                    need.consequence,
                    f"gcloud org-policies describe {need.constraint} --effective --{flag(patient.parent)}; "
                    f"then allow {wanted[0]} there",
                )
    for constraint, consequence in BOOLEANS.items():
        read += 1
        if any(rule.get("enforce") for rule in effective(patient, constraint)):
            broken += 1
            yield CHECK.error(
                f"constraints/{constraint} is enforced at {patient.parent}",
                consequence,
                f"gcloud org-policies reset {constraint} --{flag(patient.parent)}",
            )
    for finding in members(patient):
        broken += 1
        yield finding
    if not broken:
        yield CHECK.ok(f"none of {read + 1} constraints in force at {patient.parent} refuses what the stack creates")


def members(patient: Patient) -> Iterator[Finding]:
    """Domain-restricted sharing: the organisation's own customer must be on the list."""
    rules = effective(patient, "iam.allowedPolicyMemberDomains")
    if not rules:
        return
    customer = patient.get("cloudresourcemanager", f"v3/{patient.organization}").get("directoryCustomerId", "")
    verdict = refused_by(
        rules, (customer, f"is:{customer}", f"is:principalSet://iam.googleapis.com/{patient.organization}")
    )
    if verdict is not None:
        yield CHECK.error(
            f"constraints/iam.allowedPolicyMemberDomains {verdict}; needed: is:{customer}",
            "nobody of the organisation can be granted anything, so the first grant of the update fails",
            f"gcloud org-policies describe iam.allowedPolicyMemberDomains --effective --{flag(patient.parent)}",
        )


def effective(patient: Patient, constraint: str) -> list[Document]:
    """The rules in force; none when the constraint is not known there."""
    try:
        path = f"v2/{patient.parent}/policies/{constraint}:getEffectivePolicy"
        policy = patient.get("orgpolicy", path)
    except GoogleCloudError as error:
        if error.status == NOT_FOUND:
            return []
        raise
    rules: list[Document] = policy.get("spec", {}).get("rules", [])
    return rules


def refused_by(rules: Iterable[Document], wanted: tuple[str, ...]) -> str | None:
    """How list rules refuse a value in all of its spellings; None when they let it through.

    Deny beats allow; without an allow list everything that is not denied passes.
    """
    allowed: set[str] = set()
    for rule in rules:
        if rule.get("denyAll"):
            return "denies everything"
        values = rule.get("values", {})
        denied = set(values.get("deniedValues", ()))
        if denied & set(wanted):
            return f"denies {', '.join(sorted(denied & set(wanted)))}"
        if rule.get("allowAll"):
            return None
        allowed |= set(values.get("allowedValues", ()))
    if allowed and not allowed & set(wanted):
        return f"allows only {', '.join(sorted(allowed))}"
    return None


def flag(parent: str) -> str:
    """Gcloud's option for a parent."""
    kind, _, number = parent.partition("/")
    return f"{kind.removesuffix('s')}={number}"


CHECK = Check(
    name="organization-policies",
    title="Would an organisation policy refuse what the stack creates?",
    reads="orgpolicy policies.getEffectivePolicy of each constraint at the projects' folder or organisation",
    why="Hardened organisations restrict regions, APIs, ingress, keys and members; each refusal ends the update.",
    run=run,
)
