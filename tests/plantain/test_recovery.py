from __future__ import annotations

from typing import Any

import pytest

from plantain.recovery import IMPORT_IDS, adopted, import_id, pending_creations

PROJECT = "gcp:organizations/project:Project"
LIEN = "gcp:resourcemanager/lien:Lien"


def operation(kind: str, inputs: dict[str, Any], what: str = "creating") -> dict[str, Any]:
    return {"type": what, "resource": {"urn": f"urn:pulumi:s::p::{kind}::x", "type": kind, "inputs": inputs}}


def exported(*operations: dict[str, Any]) -> dict[str, Any]:
    resources = [{"urn": "urn:pulumi:s::p::pulumi:pulumi:Stack::p-s", "type": "pulumi:pulumi:Stack"}]
    return {"version": 3, "deployment": {"resources": resources, "pending_operations": list(operations)}}


def test_a_creation_whose_id_follows_from_its_inputs_becomes_a_resource() -> None:
    state = adopted(exported(operation(PROJECT, {"projectId": "spring-1"})))
    assert [r.get("id") for r in state["deployment"]["resources"]] == [None, "projects/spring-1"]
    assert "pending_operations" not in state["deployment"]


@pytest.mark.parametrize(
    "one",
    [
        operation(LIEN, {"parent": "projects/1"}),
        operation(PROJECT, {}),
        operation(PROJECT, {"projectId": "x"}, "updating"),
    ],
)
def test_what_cannot_be_adopted_is_forgotten(one: dict[str, Any]) -> None:
    state = adopted(exported(one))
    assert len(state["deployment"]["resources"]) == 1
    assert "pending_operations" not in state["deployment"]


def test_only_creations_are_reported_with_or_without_an_id() -> None:
    found = pending_creations(
        exported(operation(PROJECT, {"projectId": "x"}), operation(LIEN, {}), operation(PROJECT, {}, "deleting"))
    )
    assert [(one.type, one.id) for one in found] == [(PROJECT, "projects/x"), (LIEN, None)]


def test_a_state_without_pending_operations_stays_as_it_is() -> None:
    state = {"deployment": {"resources": [{"urn": "a"}]}}
    assert adopted(state) == state
    assert pending_creations({"deployment": {}}) == []


def test_ids_are_made_of_inputs_only() -> None:
    account = {"project": "p", "accountId": "runtime"}
    found = import_id("gcp:serviceaccount/account:Account", account)
    assert found == "projects/p/serviceAccounts/runtime@p.iam.gserviceaccount.com"
    assert import_id("gcp:unknown:Thing", {}) is None
    assert all("{" in template for template in IMPORT_IDS.values())
