"""The foundation of an organisation with the real engine: perimeter, rules, log project, policies, contacts, tags.

It is deployed by the deployer, with the rights of `infra/deployer.py` and no others.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from infra.deployer import DEPLOYER_RIGHTS, Right
from plantain.errors import StackError
from plantain.stack import Stack

from .organization import ADMINISTRATOR, LABELS, Organization, change, changed_types, owned, resources
from .privilege_deployer import MEMBER, PROBES, SEED, Deployer, Place
from .privilege_usage import used_alone

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]

PERIMETER: dict[str, Any] = {
    "deployers": [ADMINISTRATOR, MEMBER],
    "accessLevels": [
        {"name": "corporate", "ipSubnetworks": ["203.0.113.0/24"], "countries": ["DE"]},
        {"name": "laptops", "device": {"screenLock": True, "encrypted": True}, "requires": ["corporate"]},
        {"name": "own", "expression": "origin.region_code in ['DE']"},
    ],
    "auditors": ["group:auditors@example.com"],
    "auditorLevels": ["corporate"],
    "ingress": [
        {
            "title": "partner uploads",
            "identities": ["serviceAccount:up@partner.iam.gserviceaccount.com"],
            "accessLevels": ["laptops"],
            "services": {"storage.googleapis.com": ["google.storage.objects.create"]},
        }
    ],
    "egress": [
        {
            "title": "shared pictures",
            "identityType": "ANY_SERVICE_ACCOUNT",
            "toProjects": ["projects/1"],
            "services": {"storage.googleapis.com": []},
        }
    ],
}
SETTINGS: dict[str, Any] = {
    "campaigns": "",
    "labels": LABELS,
    "centralLogs": {"auditors": ["group:auditors@example.com"], "defaultKey": True},
    "contacts": [{"email": "security@example.com", "categories": ["SECURITY", "SUSPENSION"]}],
    "tags": {"keys": ["env"]},
    "organizationPolicies": {
        "enforcement": "enforced",
        "locations": ["in:eu-locations"],
        "memberCustomers": ["C012abcde"],
    },
    "perimeter": owned(**PERIMETER),
}
KEPT = {"gcp:accesscontextmanager:ServicePerimeter", "gcp:organizations:Project", "gcp:kms:CryptoKey"}


#: What this stack needs none of: it has no budget, no project with tags, no deny policy.
NOT_USED = {
    "roles/billing.costsManager",
    "roles/iam.denyAdmin",
    "roles/resourcemanager.tagUser",
}


@pytest.fixture(scope="module")
def organization(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Organization]:
    made = Organization.make(tmp_path_factory.mktemp("foundation"))
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def deployer(organization: Organization) -> Deployer:
    return Deployer.make(organization)


@pytest.fixture(scope="module")
def foundation(organization: Organization, deployer: Deployer) -> tuple[Organization, Stack]:
    stack = organization.stack("foundation", **SETTINGS, accessToken=deployer.token, quotaProject=SEED)
    organization.sandbox.post("grants", {"recording": True})
    stack.up()
    organization.sandbox.post("grants", {"recording": False})
    return organization, stack


def up_twice(stack: Stack) -> None:
    """The update that locks its deployer out may have nothing left to ask; the next one has."""
    for _ in range(2):
        stack.up()


def pulumi(organization: Organization, stack: Stack, *arguments: str) -> str:
    """A command of a runbook, as it is typed."""
    command = ["pulumi", *arguments, "--stack", stack.name, "--non-interactive"]
    if stack.config_file:
        command += ["--config-file", str(stack.config_file)]
    done = subprocess.run(
        command,
        cwd=organization.project,
        env=organization.environment(),
        text=True,
        capture_output=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def place(foundation: tuple[Organization, Stack]) -> Place:
    outputs = foundation[1].outputs()
    return Place(
        project=outputs["logs"]["projectId"],
        perimeter=outputs["perimeter"],
        tag=next(iter(outputs["tags"]["env"].values())),
        policy="organizations/123456789012/policies/gcp.resourceLocations",
    )


def test_every_right_of_the_deployer_that_this_stack_needs_was_the_only_one_that_helped(
    foundation: tuple[Organization, Stack],
) -> None:
    found = used_alone(foundation[0].sandbox.get("grants")["checks"], MEMBER)
    needed = {right.role for right in DEPLOYER_RIGHTS} - NOT_USED
    assert {grant.role for grant in found} & needed == needed


@pytest.mark.parametrize("right", DEPLOYER_RIGHTS, ids=lambda right: right.role)
def test_without_this_right_the_deployer_is_refused(deployer: Deployer, place: Place, right: Right) -> None:
    probe = PROBES[right.role]
    with deployer.without(right):
        reply = probe(deployer, place)
        assert reply.status_code == 403, reply.text
    reply = probe(deployer, place)
    assert reply.is_success, reply.text


def test_a_refresh_and_the_second_preview_find_no_change(foundation: tuple[Organization, Stack]) -> None:
    _, stack = foundation
    stack.refresh(expect_no_changes=True)
    stack.preview(expect_no_changes=True)


def test_an_audit_entry_of_any_project_lands_in_the_log_project(foundation: tuple[Organization, Stack]) -> None:
    organization, stack = foundation
    body = {"projectId": "elsewhere-1", "name": "x", "parent": {"type": "organization", "id": "123456789012"}}
    organization.call("POST", "cloudresourcemanager/v1/projects", body)
    organization.call("POST", "cloudresourcemanager/v1/projects/elsewhere-1:setIamPolicy", {"policy": {"bindings": []}})
    view = stack.outputs()["logs"]["view"]
    query = {"resourceNames": [view], "filter": 'protoPayload.methodName:"SetIamPolicy"'}
    entries = organization.call("POST", "logging/v2/entries:list", query).get("entries", [])
    assert any("elsewhere-1" in str(entry) for entry in entries)


def test_a_project_made_from_now_on_has_its_first_log_buckets_encrypted(
    foundation: tuple[Organization, Stack],
) -> None:
    organization, stack = foundation
    body = {"projectId": "later-1", "name": "x", "parent": {"type": "organization", "id": "123456789012"}}
    organization.call("POST", "cloudresourcemanager/v1/projects", body)
    bucket = organization.call("GET", "logging/v2/projects/later-1/locations/europe-west4/buckets/_Required")
    key = bucket["cmekSettings"]["kmsKeyName"]
    assert key.startswith(f"projects/{stack.outputs()['logs']['projectId']}/")
    assert key.endswith("/cryptoKeys/new-projects")


def test_changes_of_settings_replace_nothing_that_is_kept(foundation: tuple[Organization, Stack]) -> None:
    organization, stack = foundation
    levels = [*PERIMETER["accessLevels"], {"name": "office", "ipSubnetworks": ["198.51.100.0/24"]}]
    changed = {
        **PERIMETER,
        "accessLevels": levels,
        "egress": [],
        "proposed": {"additionalServices": ["redis.googleapis.com"]},
    }
    change(
        stack,
        perimeter=owned(**changed),
        centralLogs={"auditors": ["group:auditors@example.com"], "defaultKey": True, "retentionDays": 500},
        labels={**LABELS, "owner": "somebody-else"},
        contacts=[],
    )
    assert not changed_types(stack.preview()) & KEPT
    before = resources(stack)
    stack.up()
    stack.preview(expect_no_changes=True)
    perimeter = organization.call("GET", f"accesscontextmanager/v1/{stack.outputs()['perimeter']}")
    assert "redis.googleapis.com" in perimeter["spec"]["restrictedServices"]
    assert "redis.googleapis.com" not in perimeter["status"]["restrictedServices"]
    assert "egressPolicies" not in perimeter["status"]
    after = resources(stack)
    kept = [urn for urn in before if ":Project::" in urn or ":ProjectBucketConfig::" in urn]
    assert kept
    assert all(before[urn]["id"] == after[urn]["id"] for urn in kept)


def test_who_locked_himself_out_comes_back_by_an_update_of_the_perimeter_alone(
    foundation: tuple[Organization, Stack],
) -> None:
    organization, stack = foundation
    before = yaml.safe_load(stack.config_file.read_text())["config"] if stack.config_file else {}
    change(stack, perimeter=owned(**{**PERIMETER, "deployers": [ADMINISTRATOR]}))
    with pytest.raises(StackError, match=r"vpcServiceControlsUniqueIdentifier|prohibited by organization's policy"):
        up_twice(stack)
    change(stack, perimeter=before["plantain:perimeter"], accessToken="sandbox", quotaProject=None)
    pulumi(organization, stack, "up", "--yes", "--skip-preview", "--target", "**:ServicePerimeter::*")
    change(stack, accessToken=before["plantain:accessToken"], quotaProject=SEED)
    stack.up()
    stack.preview(expect_no_changes=True)


def test_destroy_ends(foundation: tuple[Organization, Stack]) -> None:
    _, stack = foundation
    stack.destroy()
    assert not resources(stack)
