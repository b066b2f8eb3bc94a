"""Campaigns that never were: a state of seventy resources, and the live inventory that agrees with it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from plantain.audit import unit
from plantain.audit.unit import ORGANIZATION, Unit
from policies.catalogue import Resource

REGION = "europe-west4"
PERIMETER = "accessPolicies/1/servicePerimeters/plantain"
SETTINGS = {
    "organization": "123456789012",
    "region": REGION,
    "perimeter": {"membership": "join", "perimeter": PERIMETER, "deployers": ["user:user@example.com"]},
}
APIS = (
    "aiplatform", "artifactregistry", "cloudasset", "cloudbuild", "cloudfunctions", "cloudkms", "cloudresourcemanager",
    "cloudtasks", "compute", "dns", "eventarc", "iam", "iamcredentials", "logging", "monitoring", "pubsub", "run",
    "secretmanager", "serviceusage", "storage",
)  # fmt: skip
ROLES = ("aiplatform.user", "logging.logWriter", "monitoring.metricWriter", "cloudtrace.agent", "cloudtasks.enqueuer")
USERS = ("gs-project-accounts", "gcp-sa-logging", "gcf-admin-robot", "serverless-robot-prod", "gcp-sa-artifactregistry")

Entry = tuple[str, str, str, dict[str, Any]]


def project_id(number: int) -> str:
    return f"campaign-{number:04d}"


def entries(number: int) -> Iterator[Entry]:
    """Type, logical name, id and properties of each resource of one campaign."""
    project, labels = project_id(number), label(number)
    where: dict[str, Any] = {"project": project}
    yield (
        "gcp:organizations/project:Project", project, f"projects/{project}",
        {"projectId": project, "number": str(100000 + number), "labels": labels, "autoCreateNetwork": False,
         "orgId": "123456789012", "deletionPolicy": "PREVENT", "billingAccount": "010101-010101-010101"},
    )  # fmt: skip
    for api in APIS:
        name = f"{api}.googleapis.com"
        yield "gcp:projects/service:Service", api, f"{project}/{name}", {"service": name, **where}
    runtime = f"serviceAccount:image-runtime@{project}.iam.gserviceaccount.com"
    for role in ROLES:
        yield (
            "gcp:projects/iAMMember:IAMMember", f"runtime-{role}", f"{project}/roles/{role}/{runtime}",
            {"role": f"roles/{role}", "member": runtime, **where},
        )  # fmt: skip
    for name in ("image-runtime", "image-build"):
        email = f"{name}@{project}.iam.gserviceaccount.com"
        yield (
            "gcp:serviceaccount/account:Account", name, f"projects/{project}/serviceAccounts/{email}",
            {"accountId": name, "email": email, **where},
        )  # fmt: skip
    yield from _storage(number)
    yield from _network(project, labels)
    yield from _watch(project, labels)


def label(number: int) -> dict[str, str]:
    return {
        "campaign": f"c-{number:04d}",
        "owner": "brand-studio",
        "cost-center": "cc-4711",
        "env": "prod",
        "data-class": "internal",
        "ends-on": "2027-06-30",
    }


def _storage(number: int) -> Iterator[Entry]:
    project, labels = project_id(number), label(number)
    where = {"project": project}
    ring = f"projects/{project}/locations/{REGION}/keyRings/{project}"
    yield "gcp:kms/keyRing:KeyRing", "ring", ring, {"name": project, "location": REGION, **where}
    for key in ("images", "function", "logs"):
        name = f"{ring}/cryptoKeys/{key}"
        yield (
            "gcp:kms/cryptoKey:CryptoKey", key, name,
            {"name": key, "keyRing": ring, "purpose": "ENCRYPT_DECRYPT", "rotationPeriod": "7776000s", "labels": labels,
             "destroyScheduledDuration": "2592000s", "deletionPolicy": "PREVENT",
             "versionTemplate": {"protectionLevel": "HSM", "algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION"}},
        )  # fmt: skip
        for user in USERS:
            member = f"serviceAccount:service-{100000 + number}@{user}.iam.gserviceaccount.com"
            role = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
            yield (
                "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", f"{key}-{user}", f"{name}/{role}/{member}",
                {"cryptoKeyId": name, "role": role, "member": member},
            )  # fmt: skip
    for purpose, key in (("images", "images"), ("source", "function")):
        bucket = f"{project}-{purpose}"
        yield (
            "gcp:storage/bucket:Bucket", bucket, bucket,
            {"name": bucket, "location": REGION.upper(), "labels": labels, "uniformBucketLevelAccess": True,
             "publicAccessPrevention": "enforced", "versioning": {"enabled": True}, "forceDestroy": False,
             "softDeletePolicy": {"retentionDurationSeconds": 604800}, "lifecycleRules": [],
             "encryption": {"defaultKmsKeyName": f"{ring}/cryptoKeys/{key}"}, **where},
        )  # fmt: skip
        role, member = "roles/storage.objectViewer", f"serviceAccount:image-runtime@{project}.iam.gserviceaccount.com"
        yield (
            "gcp:storage/bucketIAMMember:BucketIAMMember", f"{purpose}-viewer", f"b/{bucket}/{role}/{member}",
            {"bucket": bucket, "role": role, "member": member},
        )  # fmt: skip


def _network(project: str, labels: Mapping[str, str]) -> Iterator[Entry]:
    where = {"project": project}
    network = f"projects/{project}/global/networks/campaign"
    yield (
        "gcp:compute/network:Network", "network", network,
        {"name": "campaign", "autoCreateSubnetworks": False, "deleteDefaultRoutesOnCreate": True, **where},
    )  # fmt: skip
    yield (
        "gcp:compute/subnetwork:Subnetwork", "subnet", f"projects/{project}/regions/{REGION}/subnetworks/campaign",
        {"name": "campaign", "region": REGION, "ipCidrRange": "10.0.0.0/24", "privateIpGoogleAccess": True,
         "purpose": "PRIVATE", "logConfig": {"flowSampling": 0.5, "metadata": "INCLUDE_ALL_METADATA"}, **where},
    )  # fmt: skip
    for name, direction in (("deny-ingress", "INGRESS"), ("deny-egress", "EGRESS"), ("allow-apis", "EGRESS")):
        yield (
            "gcp:compute/firewall:Firewall", name, f"projects/{project}/global/firewalls/{name}",
            {"name": name, "direction": direction, "disabled": False, "network": network,
             "denies": [{"protocol": "all", "ports": []}], "logConfig": {"metadata": "INCLUDE_ALL_METADATA"}, **where},
        )  # fmt: skip
    for zone in ("googleapis-com", "run-app", "pkg-dev", "gcr-io"):
        yield (
            "gcp:dns/managedZone:ManagedZone", zone, f"projects/{project}/managedZones/{zone}",
            {"name": zone, "dnsName": zone.replace("-", ".") + ".", "visibility": "private", "labels": dict(labels),
             "privateVisibilityConfig": {"networks": [{"networkUrl": network}]}, **where},
        )  # fmt: skip
    yield (
        "gcp:dns/policy:Policy", "dns", f"projects/{project}/policies/logging",
        {"name": "logging", "enableLogging": True, "networks": [{"networkUrl": network}], **where},
    )  # fmt: skip


def _watch(project: str, labels: Mapping[str, str]) -> Iterator[Entry]:
    where = {"project": project}
    place = f"projects/{project}/locations/{REGION}"
    yield (
        "gcp:logging/projectBucketConfig:ProjectBucketConfig", "logs", f"{place}/buckets/campaign",
        {"bucketId": "campaign", "location": REGION, "retentionDays": 400, "locked": True,
         "cmekSettings": {"kmsKeyName": f"{place}/keyRings/{project}/cryptoKeys/logs"}, **where},
    )  # fmt: skip
    yield (
        "gcp:logging/projectSink:ProjectSink", "sink", f"projects/{project}/sinks/campaign",
        {"name": "campaign", "destination": f"logging.googleapis.com/{place}/buckets/campaign", "filter": "", **where},
    )  # fmt: skip
    for service in ("allServices", "aiplatform.googleapis.com"):
        kinds: list[dict[str, Any]] = [
            {"logType": kind, "exemptedMembers": []} for kind in ("ADMIN_READ", "DATA_READ", "DATA_WRITE")
        ]
        yield (
            "gcp:projects/iAMAuditConfig:IAMAuditConfig", service, f"{project}/audit_config/{service}",
            {"service": service, "auditLogConfigs": kinds, **where},
        )  # fmt: skip
    channel = f"projects/{project}/notificationChannels/1"
    yield (
        "gcp:monitoring/notificationChannel:NotificationChannel", "channel", channel,
        {"name": channel, "type": "email", "enabled": True, "labels": {"email_address": "ops@example.com"},
         "userLabels": dict(labels), **where},
    )  # fmt: skip
    for index, name in enumerate(("capacity", "denials", "keys", "latency")):
        policy = f"projects/{project}/alertPolicies/{index}"
        condition = {
            "displayName": name,
            "conditionThreshold": {"filter": "metric.type=x", "thresholdValue": 0.85, "comparison": "COMPARISON_GT"},
        }
        yield (
            "gcp:monitoring/alertPolicy:AlertPolicy", name, policy,
            {"name": policy, "enabled": True, "conditions": [condition], "notificationChannels": [channel],
             "userLabels": dict(labels), **where},
        )  # fmt: skip
    yield (
        "gcp:cloudfunctionsv2/function:Function", "images", f"{place}/functions/images",
        {"name": "images", "location": REGION, "labels": dict(labels), **where,
         "kmsKeyName": f"{place}/keyRings/{project}/cryptoKeys/function",
         "serviceConfig": {"ingressSettings": "ALLOW_INTERNAL_ONLY", "maxInstanceCount": 10,
                           "directVpcEgress": "VPC_EGRESS_ALL_TRAFFIC",
                           "serviceAccountEmail": f"image-runtime@{project}.iam.gserviceaccount.com"}},
    )  # fmt: skip


def export(*numbers: int) -> dict[str, Any]:
    """The state of a stack with these campaigns."""
    resources: list[dict[str, Any]] = [
        {"urn": "urn:pulumi:s::plantain::pulumi:pulumi:Stack::s", "type": "pulumi:pulumi:Stack", "custom": False}
    ]
    for number in numbers:
        for type_, name, id_, properties in entries(number):
            resources.append(
                {
                    "urn": f"urn:pulumi:s::plantain::{type_}::{project_id(number)}-{name}",
                    "type": type_,
                    "id": id_,
                    "custom": True,
                    "protect": True,
                    "inputs": properties,
                    "outputs": properties,
                    "created": "2026-11-20T10:00:00Z",
                }
            )
    return {"version": 3, "deployment": {"manifest": {"time": "2026-11-20T10:00:00Z"}, "resources": resources}}


def live(*numbers: int) -> list[Resource]:
    """What Google's APIs say of them."""
    found: list[Resource] = []
    for number in numbers:
        for type_, name, id_, properties in entries(number):
            told = {key: value for key, value in properties.items() if key not in {"deletionPolicy", "forceDestroy"}}
            if type_.endswith(":CryptoKey"):
                told |= {
                    "primary": {"name": f"{id_}/cryptoKeyVersions/1", "state": "ENABLED"},
                    "versions": [{"name": "1", "state": "ENABLED"}],
                }
            found.append(Resource(f"//live/{id_}", type_, name, {"id": id_, **told}, "live"))
    return found


def perimeter(*numbers: int) -> Resource:
    """The perimeter with these campaigns as enforced members."""
    status = {
        "resources": [f"projects/{100000 + number}" for number in numbers],
        "restrictedServices": [f"{api}.googleapis.com" for api in APIS],
        "vpcAccessibleServices": {"enableRestriction": True, "allowedServices": ["RESTRICTED-SERVICES"]},
    }
    properties = {"id": PERIMETER, "name": PERIMETER, "perimeterType": "PERIMETER_TYPE_REGULAR", "status": status}
    kind = "gcp:accesscontextmanager/servicePerimeter:ServicePerimeter"
    return Resource(f"//accesscontextmanager.googleapis.com/{PERIMETER}", kind, "plantain", properties, "live")


def write_units(folder: Path, count: int) -> None:
    """Collected units as ``units/`` of a bundle has them: one stack for each campaign, and one perimeter."""
    for number in range(count):
        made = Unit(project_id(number), SETTINGS, export=export(number), live=live(number))
        unit.write(folder / project_id(number), made, {})
    organization = Unit(ORGANIZATION, SETTINGS, live=[perimeter(*range(count))])
    unit.write(folder / ORGANIZATION, organization, {})


def models() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        (Path(__file__).parents[3] / "functions" / "generation" / "models.json").read_text()
    )
    return found
