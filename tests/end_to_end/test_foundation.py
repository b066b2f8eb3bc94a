"""The foundation of an organisation with the real engine: perimeter, rules, log project, policies, contacts, tags."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from plantain.stack import Stack

from .organization import LABELS, Organization, change, changed_types, owned, resources

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]

PERIMETER: dict[str, Any] = {
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
    "centralLogs": {"auditors": ["group:auditors@example.com"]},
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


@pytest.fixture(scope="module")
def foundation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Organization, Stack]]:
    made = Organization.make(tmp_path_factory.mktemp("foundation"))
    try:
        stack = made.stack("foundation", **SETTINGS)
        stack.up()
        yield made, stack
    finally:
        made.close()


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
        centralLogs={"auditors": ["group:auditors@example.com"], "retentionDays": 500},
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


def test_destroy_ends(foundation: tuple[Organization, Stack]) -> None:
    _, stack = foundation
    stack.destroy()
    assert not resources(stack)
