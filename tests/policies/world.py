"""A stack that meets every control, and how it is broken: what all cases start from."""

from __future__ import annotations

import copy
import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from policies.catalogue import Context, Parameters, Resource
from policies.catalogue.alerts import EVENTS
from policies.catalogue.organization import BASELINE
from policies.catalogue.services import CORE
from policies.catalogue.unknown import MISSING

ROOT = Path(__file__).parents[2]
MODELS: dict[str, Any] = json.loads((ROOT / "functions" / "generation" / "models.json").read_text())
DATE = dt.date(2026, 11, 21)
SETTINGS: dict[str, Any] = {"region": "europe-west4", "perimeter": {"deployers": ["serviceAccount:d@seed.iam.example"]}}
PARAMETERS = Parameters()

NUMBER = "111222333444"
PROJECT_ID = "spring-launch-1a2b3c4"
KEY = f"projects/{PROJECT_ID}/locations/europe-west4/keyRings/keys/cryptoKeys/images"
LABELS = {
    "campaign": "spring-launch",
    "owner": "brand-studio",
    "cost-center": "cc-4711",
    "env": "prod",
    "data-class": "restricted",
    "ends-on": "2027-06-30",
}
NETWORK = f"projects/{PROJECT_ID}/global/networks/campaign"
SUBNET = f"projects/{PROJECT_ID}/regions/europe-west4/subnetworks/campaign"
DAY = 86_400
CHANNEL = f"projects/{PROJECT_ID}/notificationChannels/1"
MEMBER = "serviceAccount:image-runtime@spring-launch-1a2b3c4.iam.gserviceaccount.com"
RULES = {
    "resources": [f"projects/{NUMBER}"],
    "restrictedServices": sorted({*CORE, "cloudasset.googleapis.com", "compute.googleapis.com"}),
    "vpcAccessibleServices": {"enableRestriction": True, "allowedServices": ["RESTRICTED-SERVICES"]},
    "ingressPolicies": [
        {
            "ingressFrom": {"identities": ["user:a@example.com"], "sources": [{"accessLevel": "accessPolicies/1/x"}]},
            "ingressTo": {"resources": ["*"], "operations": [{"serviceName": "*"}]},
        }
    ],
    "egressPolicies": [
        {
            "egressFrom": {"identities": ["user:a@example.com"]},
            "egressTo": {"resources": ["projects/5"], "operations": [{"serviceName": "storage.googleapis.com"}]},
        }
    ],
}

Spec = tuple[str, dict[str, Any]]


def _in_project(**properties: Any) -> dict[str, Any]:
    return {"project": PROJECT_ID, **properties}


def _resources() -> dict[str, Spec]:
    return {
        "project": (
            "gcp:organizations/project:Project",
            {
                "projectId": PROJECT_ID,
                "number": NUMBER,
                "autoCreateNetwork": False,
                "labels": LABELS,
                "deletionPolicy": "PREVENT",
            },
        ),
        **{
            f"api-{name}": ("gcp:projects/service:Service", _in_project(service=f"{name}.googleapis.com"))
            for name in ("aiplatform", "cloudasset", "storage", "compute")
        },
        "level": (
            "gcp:accesscontextmanager/accessLevel:AccessLevel",
            {"basic": {"conditions": [{"members": ["user:a@example.com"], "ipSubnetworks": ["203.0.113.0/24"]}]}},
        ),
        "custom-level": (
            "gcp:accesscontextmanager/accessLevel:AccessLevel",
            {"custom": {"expr": {"expression": "device.is_corp_owned_device == true"}}},
        ),
        "perimeter": (
            "gcp:accesscontextmanager/servicePerimeter:ServicePerimeter",
            {
                "perimeterType": "PERIMETER_TYPE_REGULAR",
                "useExplicitDryRunSpec": True,
                "deletionPolicy": "PREVENT",
                "status": RULES,
                "spec": RULES,
            },
        ),
        "ingress-rule": (
            "gcp:accesscontextmanager/servicePerimeterIngressPolicy:ServicePerimeterIngressPolicy",
            {
                "ingressFrom": {"identityType": "ANY_IDENTITY", "sources": [{"accessLevel": "accessPolicies/1/x"}]},
                "ingressTo": {"resources": ["*"], "operations": [{"serviceName": "storage.googleapis.com"}]},
            },
        ),
        "egress-rule": (
            "gcp:accesscontextmanager/servicePerimeterEgressPolicy:ServicePerimeterEgressPolicy",
            {
                "egressFrom": {"identityType": "ANY_IDENTITY"},
                "egressTo": {"resources": ["projects/5"], "operations": [{"serviceName": "storage.googleapis.com"}]},
            },
        ),
        "network": (
            "gcp:compute/network:Network",
            _in_project(id=NETWORK, autoCreateSubnetworks=False, deleteDefaultRoutesOnCreate=True),
        ),
        "subnet": (
            "gcp:compute/subnetwork:Subnetwork",
            _in_project(
                id=SUBNET,
                region="europe-west4",
                network=NETWORK,
                ipCidrRange="10.8.0.0/26",
                privateIpGoogleAccess=True,
                logConfig={"flowSampling": 1.0},
            ),
        ),
        "route": (
            "gcp:compute/route:Route",
            _in_project(network=NETWORK, destRange="199.36.153.4/30", nextHopGateway="default-internet-gateway"),
        ),
        "firewall-allow": (
            "gcp:compute/firewall:Firewall",
            _in_project(direction="INGRESS", allows=[{"protocol": "tcp"}], sourceRanges=["10.8.0.0/26"]),
        ),
        "denials": (
            "gcp:iam/denyPolicy:DenyPolicy",
            {
                "parent": f"cloudresourcemanager.googleapis.com%2Fprojects%2F{PROJECT_ID}",
                "rules": [
                    {
                        "denyRule": {
                            "deniedPrincipals": ["principalSet://goog/public:all"],
                            "exceptionPrincipals": ["principalSet://goog/group/break-glass@example.com"],
                            "deniedPermissions": ["storage.googleapis.com/buckets.delete"],
                        }
                    }
                ],
            },
        ),
        "member": (
            "gcp:cloudidentity/groupMembership:GroupMembership",
            {"preferredMemberKey": {"id": "artist@example.com"}, "groupAddress": "brand-studio@example.com"},
        ),
        "own-role": (
            "gcp:projects/iAMCustomRole:IAMCustomRole",
            _in_project(roleId="imageReader", permissions=["storage.objects.get", "storage.objects.list"]),
        ),
        "firewall-above": (
            "gcp:compute/firewallPolicyRule:FirewallPolicyRule",
            {"direction": "INGRESS", "action": "allow", "match": {"srcIpRanges": ["35.235.240.0/20"]}},
        ),
        "firewall-deny": (
            "gcp:compute/firewall:Firewall",
            _in_project(
                direction="EGRESS",
                denies=[{"protocol": "all"}],
                destinationRanges=["0.0.0.0/0"],
                logConfig={"metadata": "INCLUDE_ALL_METADATA"},
            ),
        ),
        "zone": (
            "gcp:dns/managedZone:ManagedZone",
            _in_project(
                dnsName="googleapis.com.",
                visibility="private",
                labels=LABELS,
                privateVisibilityConfig={"networks": [{"networkUrl": NETWORK}]},
            ),
        ),
        "dns-policy": (
            "gcp:dns/policy:Policy",
            _in_project(enableLogging=True, networks=[{"networkUrl": NETWORK}]),
        ),
        "private-connect": ("gcp:compute/globalForwardingRule:GlobalForwardingRule", _in_project(target="vpc-sc")),
        "ring": ("gcp:kms/keyRing:KeyRing", _in_project(location="europe-west4")),
        "key": (
            "gcp:kms/cryptoKey:CryptoKey",
            {
                "id": KEY,
                "purpose": "ENCRYPT_DECRYPT",
                "rotationPeriod": "7776000s",
                "destroyScheduledDuration": "2592000s",
                "labels": LABELS,
                "deletionPolicy": "ABANDON",
                "versionTemplate": {"protectionLevel": "HSM", "algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION"},
            },
        ),
        "key-grant": (
            "gcp:kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding",
            {"cryptoKeyId": KEY, "role": "roles/cloudkms.cryptoKeyEncrypterDecrypter", "members": [MEMBER]},
        ),
        "key-policy": (
            "gcp:kms/keyRingIAMPolicy:KeyRingIAMPolicy",
            {"policyData": json.dumps({"bindings": [{"role": "roles/cloudkms.viewer", "members": [MEMBER]}]})},
        ),
        "account": ("gcp:serviceaccount/account:Account", _in_project(accountId="image-runtime")),
        "grant": (
            "gcp:projects/iAMMember:IAMMember",
            _in_project(role="roles/aiplatform.user", member=MEMBER),
        ),
        "group-grant": (
            "gcp:projects/iAMBinding:IAMBinding",
            _in_project(role="roles/storage.admin", members=["group:platform@example.com"]),
        ),
        "agent-grant": (
            "gcp:projects/iAMMember:IAMMember",
            _in_project(
                role="roles/iam.serviceAccountTokenCreator",
                member="serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com",
            ),
        ),
        "federation": (
            "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",
            _in_project(attributeCondition='assertion.repository == "example/plantain"'),
        ),
        "images": (
            "gcp:storage/bucket:Bucket",
            _in_project(
                name=f"{PROJECT_ID}-images",
                location="EUROPE-WEST4",
                labels=LABELS,
                uniformBucketLevelAccess=True,
                publicAccessPrevention="enforced",
                deletionPolicy="PREVENT",
                forceDestroy=False,
                versioning={"enabled": True},
                softDeletePolicy={"retentionDurationSeconds": 30 * DAY},
                logging={"logBucket": f"{PROJECT_ID}-access-logs"},
                lifecycleRules=[
                    {"action": {"type": "SetStorageClass"}, "condition": {"age": 30}},
                    {"action": {"type": "Delete"}, "condition": {"age": 730, "withState": "LIVE"}},
                ],
                encryption={
                    "defaultKmsKeyName": KEY,
                    "googleManagedEncryptionEnforcementConfig": {"restrictionMode": "FullyRestricted"},
                    "customerSuppliedEncryptionEnforcementConfig": {"restrictionMode": "FullyRestricted"},
                },
            ),
        ),
        "evidence": (
            "gcp:storage/bucket:Bucket",
            _in_project(
                name="evidence",
                location="EUROPE-WEST4",
                labels={**LABELS, "purpose": "evidence"},
                uniformBucketLevelAccess=True,
                publicAccessPrevention="enforced",
                deletionPolicy="PREVENT",
                retentionPolicy={"isLocked": True, "retentionPeriod": 2190 * DAY},
                encryption={
                    "defaultKmsKeyName": KEY,
                    "googleManagedEncryptionEnforcementConfig": {"restrictionMode": "FullyRestricted"},
                    "customerSuppliedEncryptionEnforcementConfig": {"restrictionMode": "FullyRestricted"},
                },
            ),
        ),
        "function": (
            "gcp:cloudfunctionsv2/function:Function",
            _in_project(
                location="europe-west4",
                labels=LABELS,
                kmsKeyName=KEY,
                buildConfig={"serviceAccount": f"projects/{PROJECT_ID}/serviceAccounts/image-build@x.iam.example"},
                serviceConfig={
                    "serviceAccountEmail": "image-runtime@x.iam.example",
                    "ingressSettings": "ALLOW_INTERNAL_ONLY",
                    "directVpcEgress": "VPC_EGRESS_ALL_TRAFFIC",
                    "directVpcNetworkInterfaces": [{"network": NETWORK, "subnetwork": SUBNET}],
                    "maxInstanceCount": 10,
                    "binaryAuthorizationPolicy": "default",
                    "environmentVariables": {
                        "PLANTAIN_MODEL": "gemini-2.5-flash-image",
                        "GOOGLE_CLOUD_LOCATION": "europe-west4",
                        "PLANTAIN_RESIDENCY": "eu",
                        "PLANTAIN_LABELS": "{}",
                    },
                },
            ),
        ),
        "service": (
            "gcp:cloudrunv2/service:Service",
            _in_project(
                location="europe-west4",
                labels=LABELS,
                ingress="INGRESS_TRAFFIC_INTERNAL_ONLY",
                invokerIamDisabled=False,
                binaryAuthorization={"useDefault": True},
                template={
                    "encryptionKey": KEY,
                    "serviceAccount": "image-runtime@x.iam.example",
                    "scaling": {"maxInstanceCount": 4},
                    "vpcAccess": {"egress": "ALL_TRAFFIC", "networkInterfaces": [{"network": NETWORK}]},
                    "containers": [
                        {
                            "envs": [
                                {"name": "PLANTAIN_MODEL", "value": "gemini-2.5-flash-image"},
                                {"name": "API_KEY", "valueSource": {"secretKeyRef": {"secret": "key"}}},
                            ]
                        }
                    ],
                },
            ),
        ),
        "pool": (
            "gcp:cloudrunv2/workerPool:WorkerPool",
            _in_project(
                location="europe-west4",
                labels=LABELS,
                binaryAuthorization={"policy": "projects/x/platforms/cloudRun/policies/p"},
                template={
                    "encryptionKey": KEY,
                    "serviceAccount": "image-runtime@x.iam.example",
                    "vpcAccess": {"egress": "ALL_TRAFFIC", "connector": "c"},
                },
            ),
        ),
        "image-policy": (
            "gcp:binaryauthorization/policy:Policy",
            _in_project(
                defaultAdmissionRule={
                    "evaluationMode": "ALWAYS_DENY",
                    "enforcementMode": "ENFORCED_BLOCK_AND_AUDIT_LOG",
                },
                admissionWhitelistPatterns=[{"namePattern": f"europe-west4-docker.pkg.dev/{PROJECT_ID}/images/**"}],
            ),
        ),
        "invoker": (
            "gcp:cloudrunv2/serviceIamMember:ServiceIamMember",
            _in_project(role="roles/run.invoker", member="group:brand-studio@example.com"),
        ),
        "repository": (
            "gcp:artifactregistry/repository:Repository",
            _in_project(
                location="europe-west4",
                labels=LABELS,
                format="DOCKER",
                kmsKeyName=KEY,
                vulnerabilityScanningConfig={"enablementConfig": "INHERITED"},
            ),
        ),
        "topic": ("gcp:pubsub/topic:Topic", _in_project(labels=LABELS, kmsKeyName=KEY)),
        "secret": (
            "gcp:secretmanager/secret:Secret",
            _in_project(
                labels=LABELS,
                replication={
                    "userManaged": {
                        "replicas": [
                            {"location": "europe-west4", "customerManagedEncryption": {"kmsKeyName": KEY}},
                        ]
                    }
                },
            ),
        ),
        "queue": (
            "gcp:cloudtasks/queue:Queue",
            _in_project(
                location="europe-west4", rateLimits={"maxDispatchesPerSecond": 1, "maxConcurrentDispatches": 8}
            ),
        ),
        "audit-config": (
            "gcp:projects/iAMAuditConfig:IAMAuditConfig",
            _in_project(
                service="allServices",
                auditLogConfigs=[{"logType": kind} for kind in ("ADMIN_READ", "DATA_READ", "DATA_WRITE")],
            ),
        ),
        "sink": (
            "gcp:logging/projectSink:ProjectSink",
            _in_project(destination="logging.googleapis.com/projects/security/locations/eu/buckets/all"),
        ),
        "log-bucket": (
            "gcp:logging/projectBucketConfig:ProjectBucketConfig",
            _in_project(
                location="europe-west4",
                retentionDays=400,
                locked=True,
                deletionPolicy="PREVENT",
                cmekSettings={"kmsKeyName": KEY},
            ),
        ),
        "approval": (
            "gcp:projects/accessApprovalSettings:AccessApprovalSettings",
            {"enrolledServices": [{"cloudProduct": "all"}], "notificationEmails": ["a@example.com"]},
        ),
        "channel": (
            "gcp:monitoring/notificationChannel:NotificationChannel",
            _in_project(userLabels=LABELS, enabled=True, verificationStatus="VERIFIED"),
        ),
        "metric": (
            "gcp:logging/metric:Metric",
            _in_project(name="routes", filter='resource.type="gce_route"'),
        ),
        **{
            f"alert-{event.id}": (
                "gcp:monitoring/alertPolicy:AlertPolicy",
                _alert({"conditionMatchedLog": {"filter": event.example}}),
            )
            for event in EVENTS
            if event.id != "alert-route-changes"
        },
        "alert-routes": (
            "gcp:monitoring/alertPolicy:AlertPolicy",
            _alert(
                {"conditionThreshold": {"filter": 'metric.type="logging.googleapis.com/user/routes"'}},
            ),
        ),
        "alert-capacity": (
            "gcp:monitoring/alertPolicy:AlertPolicy",
            _alert(
                {
                    "conditionThreshold": {
                        "filter": 'metric.type = "run.googleapis.com/container/instance_count"',
                        "thresholdValue": 8.5,
                    }
                },
            ),
        ),
        "budget": (
            "gcp:billing/budget:Budget",
            {
                "budgetFilter": {"projects": [f"projects/{NUMBER}"]},
                "thresholdRules": [
                    {"thresholdPercent": 0.85},
                    {"thresholdPercent": 1.0, "spendBasis": "FORECASTED_SPEND"},
                ],
                "allUpdatesRule": {"monitoringNotificationChannels": [CHANNEL]},
            },
        ),
        "endpoint": (
            "gcp:vertex/aiEndpoint:AiEndpoint",
            _in_project(
                location="europe-west4",
                labels=LABELS,
                encryptionSpec={"kmsKeyName": KEY},
                predictRequestResponseLoggingConfig={"enabled": True, "bigqueryDestination": {"outputUri": "bq://x"}},
            ),
        ),
        "dataset": (
            "gcp:vertex/aiDataset:AiDataset",
            _in_project(region="europe-west4", labels=LABELS, encryptionSpec={"kmsKeyName": KEY}),
        ),
        "floor": (
            "gcp:modelarmor/floorsetting:Floorsetting",
            {"enableFloorSettingEnforcement": True, "integratedServices": ["AI_PLATFORM"]},
        ),
        "contact": (
            "gcp:essentialcontacts/contact:Contact",
            {"notificationCategorySubscriptions": ["SECURITY"]},
        ),
        **{
            f"constraint-{name}": (
                "gcp:orgpolicy/policy:Policy",
                {"name": f"organizations/1/policies/{name}", "spec": {"rules": [{"enforce": "TRUE"}]}},
            )
            for name in BASELINE
        },
        "models": (
            "gcp:orgpolicy/policy:Policy",
            {
                "name": "organizations/1/policies/vertexai.allowedModels",
                "spec": {
                    "rules": [
                        {"values": {"allowedValues": ["publishers/google/models/gemini-3-pro-image:predict"]}},
                    ]
                },
            },
        ),
    }


def _alert(condition: dict[str, Any]) -> dict[str, Any]:
    return _in_project(enabled=True, conditions=[condition], notificationChannels=[CHANNEL], userLabels=LABELS)


def urn(name: str, type_: str) -> str:
    """The URN of one of the stack's resources."""
    return f"urn:pulumi:tried::plantain::{type_}::{name}"


def world() -> dict[str, Resource]:
    """Every resource of the good stack, by name; a new copy each time."""
    return {
        name: Resource(urn(name, type_), type_, name, copy.deepcopy(properties))
        for name, (type_, properties) in _resources().items()
    }


def changed(resources: Mapping[str, Resource], changes: Mapping[str, Any]) -> dict[str, Resource]:
    """Resources after changes.

    A change is "name" for a whole resource (None removes it), "name:path" for a property (`MISSING` removes it),
    "name@property" for the names of the resources the property comes from, "name!protect" for an option.
    """
    result = dict(resources)
    for key, value in changes.items():
        if ":" in key:
            name, path = key.split(":", maxsplit=1)
            properties = copy.deepcopy(dict(result[name].properties))
            _set(properties, path, value)
            result[name] = replace(result[name], properties=properties)
        elif "@" in key:
            name, head = key.split("@")
            sources = [result[source].urn for source in value]
            result[name] = replace(result[name], dependencies={**result[name].dependencies, head: sources})
        elif "!" in key:
            name, option = key.split("!")
            options: dict[str, Any] = {option: value}
            result[name] = replace(result[name], **options)
        elif value is None:
            del result[key]
        else:
            type_, properties = value
            result[key] = Resource(urn(key, type_), type_, key, copy.deepcopy(properties))
    return result


def _set(properties: Any, path: str, value: Any) -> None:
    *parents, last = path.split("/") if "/" in path else path.split(".")
    for part in parents:
        properties = properties[int(part)] if isinstance(properties, list) else properties.setdefault(part, {})
    if isinstance(properties, list):
        properties[int(last)] = value
    elif value is MISSING:
        properties.pop(last, None)
    else:
        properties[last] = value


def context(resources: Mapping[str, Resource], **replaced: Any) -> Context:
    """The surroundings in which the good stack is judged."""
    return replace(Context(list(resources.values()), SETTINGS, DATE, MODELS, PARAMETERS), **replaced)
