"""After an update was killed: take over what it had begun to create, so that nothing is created twice.

Pulumi notes each resource before it asks the provider to create it. When the process dies in between, the resource may
exist without the state knowing its id. For types whose id follows from their inputs the id is worked out here and put
into the state; the refresh that follows reads the resource, and drops what turns out not to exist. (``pulumi refresh
--import-pending-creates`` is meant for this; release 3.259 forgets the operations without importing.) Id formats: the
import sections of the provider's pages, https://www.pulumi.com/registry/packages/gcp/api-docs/ (read 2026-08).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Inputs = dict[str, Any]

#: Import ids by type. Types that are missing either make no difference when created again (IAM members, enabled
#: services, service identities) or have an id that only the server knows.
IMPORT_IDS = {
    "gcp:artifactregistry/repository:Repository": "projects/{project}/locations/{location}/repositories/{repositoryId}",
    "gcp:cloudfunctionsv2/function:Function": "projects/{project}/locations/{location}/functions/{name}",
    "gcp:compute/firewall:Firewall": "projects/{project}/global/firewalls/{name}",
    "gcp:compute/network:Network": "projects/{project}/global/networks/{name}",
    "gcp:compute/route:Route": "projects/{project}/global/routes/{name}",
    "gcp:compute/subnetwork:Subnetwork": "projects/{project}/regions/{region}/subnetworks/{name}",
    "gcp:dns/managedZone:ManagedZone": "projects/{project}/managedZones/{name}",
    "gcp:dns/recordSet:RecordSet": "projects/{project}/managedZones/{managedZone}/rrsets/{name}/{type}",
    "gcp:kms/cryptoKey:CryptoKey": "{keyRing}/cryptoKeys/{name}",
    "gcp:kms/keyRing:KeyRing": "projects/{project}/locations/{location}/keyRings/{name}",
    "gcp:organizations/project:Project": "projects/{projectId}",
    "gcp:serviceaccount/account:Account": (
        "projects/{project}/serviceAccounts/{accountId}@{project}.iam.gserviceaccount.com"
    ),
    "gcp:storage/bucket:Bucket": "{name}",
}


@dataclass(frozen=True)
class Pending:
    """A creation that was begun and not finished.

    Attributes:
        urn: of the resource.
        type: its type token.
        id: what the provider would know it by; None when that does not follow from its inputs.
    """

    urn: str
    type: str
    id: str | None


def pending_creations(export: dict[str, Any]) -> list[Pending]:
    """The unfinished creations of an exported state."""
    operations = export.get("deployment", {}).get("pending_operations") or []
    return [
        Pending(resource["urn"], resource["type"], import_id(resource["type"], resource.get("inputs", {})))
        for resource in (operation["resource"] for operation in operations if operation["type"] == "creating")
    ]


def adopted(export: dict[str, Any]) -> dict[str, Any]:
    """An exported state in which unfinished creations are resources when their id is known, and forgotten when not."""
    deployment = dict(export["deployment"])
    resources = list(deployment.get("resources") or [])
    for operation in deployment.pop("pending_operations", None) or []:
        resource = operation["resource"]
        found = import_id(resource["type"], resource.get("inputs", {})) if operation["type"] == "creating" else None
        if found:
            resources.append({**resource, "id": found})
    return {**export, "deployment": {**deployment, "resources": resources}}


def import_id(kind: str, inputs: Inputs) -> str | None:
    """The id of a resource that was to be created with these inputs."""
    template = IMPORT_IDS.get(kind)
    if template is None:
        return None
    try:
        return template.format(**inputs)
    except KeyError:
        return None
