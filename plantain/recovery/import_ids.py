"""Ids by which the provider knows a resource, where they follow from what was asked for.

Id formats: the import functions of the provider's resources, hashicorp/terraform-provider-google 7.39 (read 2026-11).
"""

from __future__ import annotations

from typing import Any

Inputs = dict[str, Any]

PROJECT = "gcp:organizations/project:Project"

#: Import ids by type. Types that are in none of the tables make no difference when they are created again: IAM members,
#: audit configurations, enabled services, service identities, objects.
IMPORT_IDS = {
    "gcp:accesscontextmanager/accessLevel:AccessLevel": "{name}",
    "gcp:accesscontextmanager/servicePerimeter:ServicePerimeter": "{name}",
    "gcp:accesscontextmanager/servicePerimeterDryRunResource:ServicePerimeterDryRunResource": (
        "{perimeterName}/{resource}"
    ),
    "gcp:accesscontextmanager/servicePerimeterResource:ServicePerimeterResource": "{perimeterName}/{resource}",
    "gcp:artifactregistry/repository:Repository": "projects/{project}/locations/{location}/repositories/{repositoryId}",
    "gcp:cloudbuild/workerPool:WorkerPool": "projects/{project}/locations/{location}/workerPools/{name}",
    "gcp:cloudfunctionsv2/function:Function": "projects/{project}/locations/{location}/functions/{name}",
    "gcp:cloudquota/sQuotaPreference:SQuotaPreference": "{parent}/locations/global/quotaPreferences/{name}",
    "gcp:cloudtasks/queue:Queue": "projects/{project}/locations/{location}/queues/{name}",
    "gcp:compute/firewall:Firewall": "projects/{project}/global/firewalls/{name}",
    "gcp:compute/network:Network": "projects/{project}/global/networks/{name}",
    "gcp:compute/route:Route": "projects/{project}/global/routes/{name}",
    "gcp:compute/subnetwork:Subnetwork": "projects/{project}/regions/{region}/subnetworks/{name}",
    "gcp:dns/managedZone:ManagedZone": "projects/{project}/managedZones/{name}",
    "gcp:dns/policy:Policy": "projects/{project}/policies/{name}",
    "gcp:dns/recordSet:RecordSet": "projects/{project}/managedZones/{managedZone}/rrsets/{name}/{type}",
    "gcp:iam/workloadIdentityPool:WorkloadIdentityPool": (
        "projects/{project}/locations/global/workloadIdentityPools/{workloadIdentityPoolId}"
    ),
    "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider": (
        "projects/{project}/locations/global/workloadIdentityPools/{workloadIdentityPoolId}/providers/"
        "{workloadIdentityPoolProviderId}"
    ),
    "gcp:kms/cryptoKey:CryptoKey": "{keyRing}/cryptoKeys/{name}",
    "gcp:kms/keyRing:KeyRing": "projects/{project}/locations/{location}/keyRings/{name}",
    "gcp:logging/billingAccountSink:BillingAccountSink": "billingAccounts/{billingAccount}/sinks/{name}",
    "gcp:logging/folderSink:FolderSink": "{folder}/sinks/{name}",
    "gcp:logging/logView:LogView": "{bucket}/views/{name}",
    "gcp:logging/organizationSink:OrganizationSink": "organizations/{orgId}/sinks/{name}",
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": "projects/{project}/locations/{location}/buckets/{bucketId}",
    "gcp:logging/projectExclusion:ProjectExclusion": "projects/{project}/exclusions/{name}",
    "gcp:logging/projectSink:ProjectSink": "projects/{project}/sinks/{name}",
    "gcp:monitoring/customService:CustomService": "projects/{project}/services/{serviceId}",
    PROJECT: "projects/{projectId}",
    "gcp:orgpolicy/customConstraint:CustomConstraint": "{parent}/customConstraints/{name}",
    "gcp:orgpolicy/policy:Policy": "{name}",
    "gcp:pubsub/subscription:Subscription": "projects/{project}/subscriptions/{name}",
    "gcp:pubsub/topic:Topic": "projects/{project}/topics/{name}",
    "gcp:secretmanager/secret:Secret": "projects/{project}/secrets/{secretId}",
    "gcp:serviceaccount/account:Account": (
        "projects/{project}/serviceAccounts/{accountId}@{project}.iam.gserviceaccount.com"
    ),
    "gcp:storage/bucket:Bucket": "{name}",
}

#: Ids of types that the provider cannot import, or imports without their project: these are read as if their creation
#: had been noted, with what was asked for in the place of what there is.
READ_IDS = {
    "gcp:accesscontextmanager/servicePerimeterDryRunEgressPolicy:ServicePerimeterDryRunEgressPolicy": "{perimeter}",
    "gcp:accesscontextmanager/servicePerimeterDryRunIngressPolicy:ServicePerimeterDryRunIngressPolicy": "{perimeter}",
    "gcp:accesscontextmanager/servicePerimeterEgressPolicy:ServicePerimeterEgressPolicy": "{perimeter}",
    "gcp:accesscontextmanager/servicePerimeterIngressPolicy:ServicePerimeterIngressPolicy": "{perimeter}",
    "gcp:logging/metric:Metric": "{name}",
    "gcp:monitoring/slo:Slo": "projects/{project}/services/{service}/serviceLevelObjectives/{sloId}",
}

#: Of these, the ones that the provider reads by an output and not by the id.
READ_OUTPUTS = {"gcp:monitoring/slo:Slo": "name"}


def import_id(kind: str, inputs: Inputs) -> str | None:
    """The id of a resource that was to be created with these inputs; None when it does not follow from them."""
    template = IMPORT_IDS.get(kind) or READ_IDS.get(kind)
    return None if template is None else filled(template, inputs)


def filled(template: str, inputs: Inputs) -> str | None:
    """A text with inputs in the place of their names; None where one is lacking."""
    try:
        return template.format(**inputs)
    except KeyError:
        return None
