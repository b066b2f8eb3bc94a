"""The deployer's permissions where resources will be created."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from typing import Any

from plantain.doctor.finding import Check, Finding
from plantain.doctor.patient import Patient

Need = dict[str, Any]


def needs() -> dict[str, Any]:
    """Permissions by where they are needed, with the role that holds each and the resource type it is for."""
    found: dict[str, Any] = json.loads(resources.files("plantain.doctor").joinpath("permissions.json").read_text())
    return found


def run(patient: Patient) -> Iterator[Finding]:
    """Every place, one call each."""
    table = needs()
    perimeter = patient.settings.perimeter
    owned = perimeter is not None and perimeter.membership != "join"
    policy = getattr(perimeter, "access_policy", None)
    organization = [
        need
        for need in table["organization"]
        if (owned or not need.get("owned")) and (not need.get("ownedWithoutPolicy") or (owned and policy is None))
    ]
    account = f"billingAccounts/{patient.settings.billing_account}"
    places = [
        ("cloudresourcemanager", f"v3/{patient.parent}", patient.parent, table["parent"]),
        ("cloudresourcemanager", f"v3/{patient.organization}", patient.organization, organization),
        ("cloudbilling", f"v1/{account}", account, table["billingAccount"]),
    ]
    for outputs in patient.deployed.values():
        project = f"projects/{outputs['projectId']}"
        places.append(("cloudresourcemanager", f"v3/{project}", project, table["project"]))
    for service, path, resource, wanted in places:
        yield from of_place(patient, service, path, resource, wanted)


def of_place(patient: Patient, service: str, path: str, resource: str, wanted: list[Need]) -> Iterator[Finding]:
    """The permissions missing on one resource."""
    names = [need["permission"] for need in wanted]
    missing = set(patient.missing_permissions(service, path, names))
    for need in wanted:
        if need["permission"] in missing:
            yield CHECK.error(
                f"{need['permission']} is missing on {resource}",
                f"{need['for']} cannot be created",
                grant(resource, need["role"], patient.principal or "MEMBER"),
            )
    if not missing:
        yield CHECK.ok(f"all {len(names)} permissions on {resource}")


def grant(resource: str, role: str, member: str) -> str:
    """The command that grants a role."""
    kind, _, name = resource.partition("/")
    command = {
        "organizations": f"gcloud organizations add-iam-policy-binding {name}",
        "folders": f"gcloud resource-manager folders add-iam-policy-binding {name}",
        "projects": f"gcloud projects add-iam-policy-binding {name}",
        "billingAccounts": f"gcloud billing accounts add-iam-policy-binding {name}",
    }[kind]
    return f"{command} --member={member} --role={role}"


CHECK = Check(
    name="permissions",
    title="May the deployer create what the stack holds?",
    reads="testIamPermissions on folder or organisation, organisation, billing account, and deployed projects",
    why="A missing role shows after minutes, in the middle of an update, with half of the resources made.",
    run=run,
)
