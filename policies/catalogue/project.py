"""Controls of projects: labels, networks, APIs, places, deletion."""

import datetime as dt
import re

from policies.catalogue.belonging import PROJECT, campaign_label
from policies.catalogue.context import Context
from policies.catalogue.control import Severity
from policies.catalogue.crosswalk import ids
from policies.catalogue.look import Look, Open, resource_control
from policies.catalogue.services import ALLOWED, KEYED
from policies.catalogue.survey import Survey, stack_control
from policies.catalogue.unknown import MISSING, Unknown
from policies.catalogue.verdict import Verdict

SERVICE = "gcp:projects/service:Service"

LABELLED = (
    PROJECT,
    "gcp:storage/bucket:Bucket",
    "gcp:kms/cryptoKey:CryptoKey",
    "gcp:cloudfunctionsv2/function:Function",
    "gcp:cloudrunv2/service:Service",
    "gcp:cloudrunv2/workerPool:WorkerPool",
    "gcp:artifactregistry/repository:Repository",
    "gcp:dns/managedZone:ManagedZone",
    "gcp:secretmanager/secret:Secret",
    "gcp:pubsub/topic:Topic",
    "gcp:vertex/aiEndpoint:AiEndpoint",
    "gcp:vertex/aiDataset:AiDataset",
)
USER_LABELLED = (
    "gcp:monitoring/alertPolicy:AlertPolicy",
    "gcp:monitoring/notificationChannel:NotificationChannel",
)

RULES = {
    "campaign": r"[a-z][a-z0-9]*(-[a-z0-9]+)*",
    "owner": r"[a-z0-9_-]{1,63}",
    "cost-center": r"[a-z0-9_-]{1,63}",
    "env": "dev|test|prod",
    "data-class": "public|internal|confidential|restricted",
    "ends-on": r"\d{4}-\d{2}-\d{2}|never",
}
"""What a label's value must look like; the vocabulary of campaign files."""


def labels_path(type_: str) -> str:
    """Where a type keeps its labels: channels and alert policies use `labels` for something else."""
    return "userLabels" if type_ in USER_LABELLED else "labels"


@resource_control(
    id="labels-mandatory",
    title="Everything that takes labels carries the mandatory ones",
    text="Every resource that takes labels has those in policies:requiredLabels, each from its vocabulary.",
    why="Cost, ownership, confidentiality and the end of a campaign are known from labels alone; what has none is "
    "found by nobody when the bill or the auditor asks.",
    severity=Severity.MEDIUM,
    types=(*LABELLED, *USER_LABELLED),
    paths=("labels", "userLabels"),
    fix="pass the campaign's labels to the resource: labels=campaign.labels.as_labels()",
    url="https://cloud.google.com/resource-manager/docs/labels-overview",
    crosswalk=ids(nist="CM-8 RA-2", iso="A.5.9 A.5.12 A.5.13", soc2="C1.1", gdpr="5(2) 30"),
)
def _labels_mandatory(look: Look, context: Context) -> Verdict:
    path = labels_path(look.resource.type)
    # Of a resource somebody else made the provider knows only the effective labels.
    labels = look.at(path, {}) or look.at("effectiveLabels", {})
    wanted = context.parameters.required_labels
    lacking = [name for name in wanted if name not in labels]
    if lacking:
        return look.fails(f"{path} lacks {', '.join(lacking)}, so it is missing from every report by label")
    wrong = [
        name
        for name in wanted
        if not isinstance(labels[name], Unknown) and not re.fullmatch(RULES.get(name, ".+"), str(labels[name]))
    ]
    if wrong:
        return look.fails(f"{path}.{', '.join(wrong)} is not in the vocabulary, so reports put it in no group")
    for name in wanted:
        if isinstance(labels[name], Unknown):
            raise Open(f"{path}.{name}", labels[name])
    return look.passes("all mandatory labels are there and in their vocabulary")


@stack_control(
    id="labels-consistent",
    title="Resources carry the label of their own campaign",
    text="Every labelled resource in a campaign's project has the project's campaign label.",
    why="A resource with another campaign's label is paid for by that campaign.",
    severity=Severity.MEDIUM,
    paths=("labels.campaign", "project"),
    fix="pass the labels of the campaign that owns the project: labels=campaign.labels.as_labels()",
    url="https://cloud.google.com/resource-manager/docs/labels-overview",
    crosswalk=ids(nist="CM-8", iso="A.5.9 A.5.13"),
)
def _labels_consistent(survey: Survey) -> Verdict:
    context = survey.context
    if not context.campaigns:
        return survey.does_not_apply("the stack has no campaign")
    for project in context.campaigns:
        survey.at(project, "labels.campaign")
        wanted = campaign_label(project)
        for resource in context.by_project.get(project.urn, ()):
            path = labels_path(resource.type)
            if resource.type not in LABELLED and resource.type not in USER_LABELLED:
                continue
            given = survey.at(resource, f"{path}.campaign")
            if isinstance(wanted, Unknown) or isinstance(given, Unknown):
                survey.undecided(resource, "the campaign label is known only after deployment")
            elif given is MISSING:
                survey.offends(resource, "has no campaign label, so nobody pays for it")
            elif given != wanted:
                survey.offends(resource, "has the label of another campaign, which would pay for it")
    return survey.result("every labelled resource names its own campaign")


@resource_control(
    id="campaign-not-ended",
    title="Campaigns are taken down when they end",
    text="The ends-on label of a campaign's project is today or later.",
    why="What outlives its purpose still costs, still holds personal data and is watched by nobody.",
    severity=Severity.LOW,
    types=(PROJECT,),
    paths=("labels.ends-on",),
    fix="set labels.ends-on in the campaign file to a later day, or take the campaign out of plantain:campaigns",
    url="https://cloud.google.com/resource-manager/docs/labels-overview",
    crosswalk=ids(nist="SI-12 CM-8", iso="A.8.10 A.5.9", soc2="C1.2", gdpr="5(1)(e)"),
)
def _campaign_not_ended(look: Look, context: Context) -> Verdict:
    text = look.at("labels.ends-on")
    if text is MISSING or text == "never":
        return look.does_not_apply("the project carries no campaign")
    try:
        ends = dt.date.fromisoformat(str(text))
    except ValueError:
        return look.fails("labels.ends-on is no day, so nobody is told when the campaign ends")
    if ends < context.date:
        return look.fails("the campaign has ended, and its project still costs and still keeps its images")
    return look.passes("the campaign has not ended")


@resource_control(
    id="project-no-default-network",
    title="Projects are born without the default network",
    text="auto_create_network is false. The provider's default is true, so a missing value fails.",
    why="The default network reaches the internet and lets ssh in from everywhere.",
    severity=Severity.HIGH,
    types=(PROJECT,),
    paths=("autoCreateNetwork",),
    fix="set auto_create_network=False on the project",
    url="https://cloud.google.com/vpc/docs/vpc#default-network",
    crosswalk=ids(cis5="3.1", cis4="3.1", nist="CM-7 SC-7", iso="A.8.9 A.8.20", soc2="CC6.6"),
)
def _project_no_default_network(look: Look, _: Context) -> Verdict:
    value = look.at("autoCreateNetwork")
    if value is MISSING and look.resource.source != "preview":
        return look.stays_open("autoCreateNetwork is not recorded, because somebody else made the project")
    if value is not False:
        return look.fails("autoCreateNetwork is not false, so the project gets a network that is open to the internet")
    return look.passes("the project gets no network by itself")


@resource_control(
    id="api-allow-list",
    title="Only APIs that are needed are enabled",
    text="Every enabled API is one that campaigns use or that policies:allowedServices names.",
    why="Each further API is a way out for data and a cost nobody planned.",
    severity=Severity.HIGH,
    types=(SERVICE,),
    paths=("service",),
    fix="take the API out, or allow it: pulumi config set --path 'policies:allowedServices[0]' API",
    url="https://cloud.google.com/resource-manager/docs/organization-policy/restricting-resources",
    crosswalk=ids(nist="CM-7 CM-7(5) SA-9", iso="A.8.9 A.5.23"),
)
def _api_allow_list(look: Look, context: Context) -> Verdict:
    if look.at("service") not in ALLOWED | set(context.parameters.allowed_services):
        return look.fails("service is on no list of allowed APIs, so data may leave by a way nobody watches")
    return look.passes("the API is on the list")


@resource_control(
    id="api-no-keyed-gemini",
    title="Gemini is not reachable by API key",
    text="generativelanguage.googleapis.com is not enabled.",
    why="That API takes a key instead of an identity and lies outside every perimeter: whoever has the key has the "
    "model, and the prompts leave.",
    severity=Severity.CRITICAL,
    types=(SERVICE,),
    paths=("service",),
    fix="remove the projects.Service resource; call the model through aiplatform.googleapis.com",
    url="https://cloud.google.com/vpc-service-controls/docs/supported-products",
    crosswalk=ids(nist="CM-7(5) SA-9 IA-5", iso="A.5.23 A.8.9", soc2="CC6.6"),
)
def _api_no_keyed_gemini(look: Look, _: Context) -> Verdict:
    if look.at("service") in KEYED:
        return look.fails("service answers to an API key from anywhere, so prompts leave the perimeter")
    return look.passes("the API asks for an identity")


@stack_control(
    id="api-asset-inventory",
    title="The asset inventory can be read",
    text="cloudasset.googleapis.com is enabled in each campaign's project.",
    why="Without it nobody can list what was made by hand, and an audit sees only what Pulumi declared.",
    severity=Severity.LOW,
    paths=("service",),
    fix='enable it: gcp.projects.Service(service="cloudasset.googleapis.com")',
    url="https://cloud.google.com/asset-inventory/docs/overview",
    crosswalk=ids(cis5="2.14", cis4="2.13", nist="CM-8", iso="A.5.9"),
)
def _api_asset_inventory(survey: Survey) -> Verdict:
    context = survey.context
    if not context.campaigns:
        return survey.does_not_apply("the stack has no campaign")
    for project in context.campaigns:
        services = [r for r in context.by_project.get(project.urn, ()) if r.type == SERVICE]
        values = [survey.at(service, "service") for service in services]
        if "cloudasset.googleapis.com" in values:
            continue
        if any(isinstance(value, Unknown) for value in values):
            survey.undecided(project, "the names of its APIs are known only after deployment")
        else:
            survey.offends(project, "does not enable Cloud Asset Inventory, so an audit cannot list what is there")
    return survey.result("every campaign's project can be listed")


@resource_control(
    id="location-allowed",
    title="Data lies only where it may",
    text="Every location is in policies:allowedLocations, or is the stack's region when none are set.",
    why="A resource elsewhere moves personal data to another legal territory.",
    severity=Severity.HIGH,
    types=(
        "gcp:storage/bucket:Bucket",
        "gcp:kms/keyRing:KeyRing",
        "gcp:cloudfunctionsv2/function:Function",
        "gcp:cloudrunv2/service:Service",
        "gcp:cloudrunv2/workerPool:WorkerPool",
        "gcp:artifactregistry/repository:Repository",
        "gcp:logging/projectBucketConfig:ProjectBucketConfig",
        "gcp:cloudtasks/queue:Queue",
        "gcp:compute/subnetwork:Subnetwork",
        "gcp:vertex/aiEndpoint:AiEndpoint",
        "gcp:vertex/aiDataset:AiDataset",
    ),
    paths=("location", "region"),
    fix="set location to the stack's region, or allow it: "
    "pulumi config set --path 'policies:allowedLocations[0]' LOCATION",
    url="https://cloud.google.com/resource-manager/docs/organization-policy/defining-locations",
    crosswalk=ids(nist="SA-9(5) AC-4", iso="A.5.23 A.5.34", soc2="C1.1", gdpr="44 45 46"),
)
def _location_allowed(look: Look, context: Context) -> Verdict:
    region = context.settings.get("region", "")
    allowed = {place.lower() for place in context.parameters.allowed_locations or (region,) if place}
    if not allowed:
        return look.stays_open("neither policies:allowedLocations nor plantain:region says where data may lie")
    path = "region" if look.resource.type.endswith((":Subnetwork", ":AiDataset")) else "location"
    place = look.at(path, "")
    if str(place).lower() not in allowed:
        return look.fails(f"{path} is none of the allowed ones, so data would lie where it may not")
    return look.passes("data lies where it may")


@resource_control(
    id="deletion-guarded",
    title="What cannot be made again cannot be deleted by accident",
    text="Projects, keys, buckets, log buckets and perimeters are protected by the engine, or their deletion policy is "
    "PREVENT or ABANDON.",
    why="One wrong pulumi destroy deletes images, the keys they are encrypted with, and the evidence.",
    severity=Severity.MEDIUM,
    types=(
        PROJECT,
        "gcp:kms/cryptoKey:CryptoKey",
        "gcp:storage/bucket:Bucket",
        "gcp:logging/projectBucketConfig:ProjectBucketConfig",
        "gcp:accesscontextmanager/servicePerimeter:ServicePerimeter",
    ),
    paths=("deletionPolicy", "options.protect"),
    fix="pulumi config set plantain:deletionProtection true",
    url="https://www.pulumi.com/docs/iac/concepts/options/protect/",
    crosswalk=ids(nist="SI-12 CP-9", iso="A.8.13", soc2="A1.2"),
)
def _deletion_guarded(look: Look, _: Context) -> Verdict:
    if look.resource.source == "live":
        return look.does_not_apply("protection is a fact of the engine's state, not of Google Cloud")
    if look.resource.protect:
        return look.passes("the engine refuses to delete it")
    if look.at("deletionPolicy") not in {"PREVENT", "ABANDON"}:
        return look.fails("neither protect nor deletionPolicy keeps it, so one wrong destroy deletes it for ever")
    return look.passes("its deletion policy keeps it")


CONTROLS = (
    _labels_mandatory,
    _labels_consistent,
    _campaign_not_ended,
    _project_no_default_network,
    _api_allow_list,
    _api_no_keyed_gemini,
    _api_asset_inventory,
    _location_allowed,
    _deletion_guarded,
)
