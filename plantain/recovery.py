"""After an update was killed: take over what it had begun to create, so that nothing is created twice.

Pulumi notes each resource before it asks the provider to create it. When the process dies in between, the resource may
exist without the state knowing its id. Where the id follows from the resource's inputs it is worked out here; where the
server draws it, the resource is looked for by what the inputs say of it. Either is put into the state; the refresh that
follows reads the resource, and drops what turns out not to exist. (``pulumi refresh --import-pending-creates`` is meant
for this; release 3.259 forgets the operations without importing.)

Id formats: the import functions of the provider's resources, hashicorp/terraform-provider-google 7.39 (read 2026-11).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plantain.errors import GoogleCloudError

if TYPE_CHECKING:
    from plantain.google_cloud import GoogleCloud

Inputs = dict[str, Any]

PROJECT = "gcp:organizations/project:Project"
FORBIDDEN, DISABLED = 403, "SERVICE_DISABLED"

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


@dataclass(frozen=True)
class Search:
    """How a resource is found whose id the server draws.

    Attributes:
        service: as in ``GoogleCloud.pages``.
        path: of the list method, made of the inputs.
        field: where a page holds its items.
        same: whether an item is what the inputs asked for.
        import_id: the import id of an item.
        parameters: query parameters, made of the inputs.
    """

    service: str
    path: str
    field: str
    same: Callable[[Mapping[str, Any], Inputs], bool]
    import_id: Callable[[Mapping[str, Any], Inputs], str] = lambda item, _: str(item["name"])
    parameters: Mapping[str, str] | None = None


def _equal(*fields: str) -> Callable[[Mapping[str, Any], Inputs], bool]:
    return lambda item, inputs: all(item.get(field) == inputs.get(field) for field in fields)


def _last(item: Mapping[str, Any]) -> str:
    return str(item["name"]).rpartition("/")[2]


SEARCHES = {
    "gcp:accesscontextmanager/accessPolicy:AccessPolicy": Search(
        "accesscontextmanager",
        "v1/accessPolicies",
        "accessPolicies",
        lambda item, inputs: (item.get("title"), item.get("scopes") or []) == (inputs["title"], _scopes(inputs)),
        lambda item, _: _last(item),
        {"parent": "{parent}"},
    ),
    "gcp:billing/budget:Budget": Search(
        "billingbudgets", "v1/billingAccounts/{billingAccount}/budgets", "budgets", _equal("displayName")
    ),
    "gcp:essentialcontacts/contact:Contact": Search(
        "essentialcontacts", "v1/{parent}/contacts", "contacts", _equal("email")
    ),
    "gcp:monitoring/alertPolicy:AlertPolicy": Search(
        "monitoring", "v3/projects/{project}/alertPolicies", "alertPolicies", _equal("displayName")
    ),
    "gcp:monitoring/dashboard:Dashboard": Search(
        "monitoring",
        "v1/projects/{project}/dashboards",
        "dashboards",
        lambda item, inputs: item.get("displayName") == json.loads(inputs["dashboardJson"]).get("displayName"),
        lambda item, inputs: f"projects/{inputs['project']}/dashboards/{_last(item)}",
    ),
    "gcp:monitoring/notificationChannel:NotificationChannel": Search(
        "monitoring",
        "v3/projects/{project}/notificationChannels",
        "notificationChannels",
        _equal("type", "displayName"),
    ),
    "gcp:resourcemanager/lien:Lien": Search(
        "cloudresourcemanager",
        "v1/liens",
        "liens",
        _equal("origin", "reason"),
        lambda item, inputs: f"{inputs['parent'].rpartition('/')[2]}/{_last(item)}",
        {"parent": "{parent}"},
    ),
    "gcp:tags/tagBinding:TagBinding": Search(
        "cloudresourcemanager",
        "v3/tagBindings",
        "tagBindings",
        _equal("tagValue"),
        parameters={"parent": "{parent}"},
    ),
    "gcp:tags/tagKey:TagKey": Search(
        "cloudresourcemanager", "v3/tagKeys", "tagKeys", _equal("shortName"), parameters={"parent": "{parent}"}
    ),
    "gcp:tags/tagValue:TagValue": Search(
        "cloudresourcemanager", "v3/tagValues", "tagValues", _equal("shortName"), parameters={"parent": "{parent}"}
    ),
}


@dataclass(frozen=True)
class Pending:
    """A creation that was begun and not finished.

    Attributes:
        urn: of the resource.
        type: its type token.
        id: what the provider would know it by; None when nobody can tell.
    """

    urn: str
    type: str
    id: str | None


def pending_creations(export: dict[str, Any], cloud: GoogleCloud | None = None) -> list[Pending]:
    """The unfinished creations of an exported state.

    Args:
        export: the state.
        cloud: where to look for resources whose id the server drew; without it their ids stay unknown.

    Raises:
        GoogleCloudError: a search was refused, and not because the project or the API is still to come: then what
            was begun there does not exist.
        CredentialsError: there is nobody to search as.
    """
    deployment = export.get("deployment", {})
    operations = deployment.get("pending_operations") or []
    begun = [operation["resource"] for operation in operations if operation["type"] == "creating"]
    awaited = {one.get("inputs", {}).get("projectId") for one in begun if one["type"] == PROJECT}
    known = {str(resource.get("id")) for resource in deployment.get("resources") or ()}
    found = []
    for resource in begun:
        kind, inputs = resource["type"], resource.get("inputs", {})
        identifier = import_id(kind, inputs)
        if identifier is None and cloud is not None:
            try:
                identifier = searched(cloud, kind, inputs, known)
            except GoogleCloudError as error:
                # Google says of a project that is not there what it says of one that is not ours to see.
                absent = error.status == FORBIDDEN and inputs.get("project") in awaited
                if not absent and error.reason != DISABLED:
                    raise
        if identifier:
            known.add(identifier)
        found.append(Pending(resource["urn"], kind, identifier))
    return found


def adopted(export: dict[str, Any], pending: Iterable[Pending] | None = None) -> dict[str, Any]:
    """An exported state in which unfinished creations are resources when their id is known, and forgotten when not.

    Args:
        export: the state.
        pending: its unfinished creations; worked out from inputs alone when they are not given.
    """
    ids = {one.urn: one.id for one in (pending_creations(export) if pending is None else pending)}
    deployment = dict(export["deployment"])
    resources = list(deployment.get("resources") or [])
    known = {resource["urn"] for resource in resources if not resource.get("delete")}
    for operation in deployment.pop("pending_operations", None) or []:
        resource = operation["resource"]
        identifier = ids.get(resource["urn"]) if operation["type"] == "creating" else None
        # One that is being replaced is in the state already, under the same name.
        if not identifier or resource["urn"] in known:
            continue
        if resource["type"] in READ_IDS:
            outputs = _without_defaults(resource.get("inputs", {}))
            if field := READ_OUTPUTS.get(resource["type"]):
                outputs[field] = identifier
            resources.append({**resource, "id": identifier, "outputs": outputs})
        else:
            resources.append({**resource, "id": identifier})
    return {**export, "deployment": {**deployment, "resources": resources}}


def import_id(kind: str, inputs: Inputs) -> str | None:
    """The id of a resource that was to be created with these inputs; None when it does not follow from them."""
    template = IMPORT_IDS.get(kind) or READ_IDS.get(kind)
    return None if template is None else _filled(template, inputs)


def searched(cloud: GoogleCloud, kind: str, inputs: Inputs, known: Iterable[str] = ()) -> str | None:
    """The import id of a resource that was created with these inputs; None when there is none, or no way to search.

    Args:
        cloud: where to look.
        kind: its type token.
        inputs: what was asked for.
        known: ids that the state has already; two resources may have the same name.

    Raises:
        GoogleCloudError: the search was refused.
    """
    search = SEARCHES.get(kind)
    if search is None:
        return None
    taken = set(known)
    for item in listed(cloud, search, inputs):
        identifier = search.import_id(item, inputs)
        if not taken & {identifier, str(item["name"]), _last(item)}:
            return identifier
    return None


def listed(cloud: GoogleCloud, search: Search, inputs: Inputs) -> Iterator[dict[str, Any]]:
    """Every resource that is what these inputs ask for; none where they lack what its list asks for.

    Raises:
        GoogleCloudError: the list was refused.
    """
    path = _filled(search.path, inputs)
    filled = {name: _filled(value, inputs) for name, value in (search.parameters or {}).items()}
    parameters = {name: value for name, value in filled.items() if value is not None}
    if path is None or parameters.keys() != filled.keys():
        return
    for item in cloud.pages(search.service, path, search.field, **parameters):
        if search.same(item, inputs):
            yield item


def _filled(template: str, inputs: Inputs) -> str | None:
    try:
        return template.format(**inputs)
    except KeyError:
        return None


def _scopes(inputs: Inputs) -> list[str]:
    scopes = inputs.get("scopes") or []
    return [scopes] if isinstance(scopes, str) else list(scopes)


def _without_defaults(value: Any) -> Any:
    """Inputs without the note on which of them the provider filled in."""
    if isinstance(value, dict):
        return {key: _without_defaults(inner) for key, inner in value.items() if key != "__defaults"}
    return [_without_defaults(inner) for inner in value] if isinstance(value, list) else value
