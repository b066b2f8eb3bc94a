"""After an update was killed: take over what it had begun to create, so that nothing is created twice.

Pulumi notes each resource before it asks the provider to create it. When the process dies in between, the resource may
exist without the state knowing its id. Where the id follows from the resource's inputs it is worked out here; where the
server draws it, the resource is looked for by what the inputs say of it. Either is put into the state; the refresh that
follows reads the resource, and drops what turns out not to exist. (``pulumi refresh --import-pending-creates`` is meant
for this; release 3.259 forgets the operations without importing.)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plantain.errors import GoogleCloudError
from plantain.recovery.import_ids import PROJECT, READ_IDS, READ_OUTPUTS, import_id
from plantain.recovery.resource_search import searched

if TYPE_CHECKING:
    from plantain.google_cloud import GoogleCloud

FORBIDDEN, DISABLED = 403, "SERVICE_DISABLED"


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


def _without_defaults(value: Any) -> Any:
    """Inputs without the note on which of them the provider filled in."""
    if isinstance(value, dict):
        return {key: _without_defaults(inner) for key, inner in value.items() if key != "__defaults"}
    return [_without_defaults(inner) for inner in value] if isinstance(value, list) else value
