from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import httpx
import pytest

from plantain.errors import GoogleCloudError
from plantain.google_cloud import GoogleCloud
from plantain.recovery.import_ids import IMPORT_IDS, PROJECT, READ_IDS, import_id
from plantain.recovery.pending import Pending, adopted, pending_creations
from plantain.recovery.resource_search import SEARCHES, searched

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


ALERT = "gcp:monitoring/alertPolicy:AlertPolicy"
ASKED: dict[str, tuple[dict[str, Any], str, dict[str, Any], str]] = {
    ALERT: (
        {"project": "p", "displayName": "slow"},
        "/v3/projects/p/alertPolicies",
        {"name": "projects/p/alertPolicies/7", "displayName": "slow"},
        "projects/p/alertPolicies/7",
    ),
    LIEN: (
        {"parent": "projects/12", "origin": "plantain", "reason": "kept"},
        "/v1/liens?parent=projects/12",
        {"name": "liens/p12-l9", "origin": "plantain", "reason": "kept"},
        "12/p12-l9",
    ),
    "gcp:billing/budget:Budget": (
        {"billingAccount": "0-1-2", "displayName": "b"},
        "/v1/billingAccounts/0-1-2/budgets",
        {"name": "billingAccounts/0-1-2/budgets/u", "displayName": "b"},
        "billingAccounts/0-1-2/budgets/u",
    ),
    "gcp:monitoring/dashboard:Dashboard": (
        {"project": "p", "dashboardJson": json.dumps({"displayName": "all"})},
        "/v1/projects/p/dashboards",
        {"name": "projects/12/dashboards/d", "displayName": "all"},
        "projects/p/dashboards/d",
    ),
    "gcp:monitoring/notificationChannel:NotificationChannel": (
        {"project": "p", "type": "email", "displayName": "oncall"},
        "/v3/projects/p/notificationChannels",
        {"name": "projects/p/notificationChannels/3", "type": "email", "displayName": "oncall"},
        "projects/p/notificationChannels/3",
    ),
    "gcp:accesscontextmanager/accessPolicy:AccessPolicy": (
        {"parent": "organizations/1", "title": "plantain", "scopes": "folders/2"},
        "/v1/accessPolicies?parent=organizations/1",
        {"name": "accessPolicies/99", "title": "plantain", "scopes": ["folders/2"]},
        "99",
    ),
    "gcp:essentialcontacts/contact:Contact": (
        {"parent": "organizations/1", "email": "a@example.com"},
        "/v1/organizations/1/contacts",
        {"name": "organizations/1/contacts/4", "email": "a@example.com"},
        "organizations/1/contacts/4",
    ),
    "gcp:tags/tagKey:TagKey": (
        {"parent": "organizations/1", "shortName": "env"},
        "/v3/tagKeys?parent=organizations/1",
        {"name": "tagKeys/5", "shortName": "env"},
        "tagKeys/5",
    ),
    "gcp:tags/tagValue:TagValue": (
        {"parent": "tagKeys/5", "shortName": "prod"},
        "/v3/tagValues?parent=tagKeys/5",
        {"name": "tagValues/6", "shortName": "prod"},
        "tagValues/6",
    ),
    "gcp:tags/tagBinding:TagBinding": (
        {"parent": "//cloudresourcemanager.googleapis.com/projects/12", "tagValue": "tagValues/6"},
        "/v3/tagBindings?parent=//cloudresourcemanager.googleapis.com/projects/12",
        {"name": "tagBindings/%2F%2Fx/tagValues/6", "tagValue": "tagValues/6"},
        "tagBindings/%2F%2Fx/tagValues/6",
    ),
}


def cloud(answer: Callable[[httpx.Request], httpx.Response]) -> GoogleCloud:
    return GoogleCloud(lambda _: "token", transport=httpx.MockTransport(answer))


def listing(field: str, *items: dict[str, Any]) -> GoogleCloud:
    return cloud(lambda _: httpx.Response(200, json={field: list(items)}))


def test_every_search_is_tried_below() -> None:
    assert set(ASKED) == set(SEARCHES)


@pytest.mark.parametrize("kind", SEARCHES)
def test_a_resource_whose_id_the_server_draws_is_found_by_what_was_asked_for(kind: str) -> None:
    inputs, address, item, expected = ASKED[kind]
    asked: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        other = {**item, "name": f"{item['name']}0", "displayName": "x", "title": "x", "origin": "x", "email": "x"}
        other |= {"shortName": "x", "tagValue": "x"}
        return httpx.Response(200, json={SEARCHES[kind].field: [other, item]})

    with cloud(answer) as google:
        assert searched(google, kind, inputs) == expected
    path, _, parent = address.partition("?parent=")
    assert (asked[0].path, asked[0].params.get("parent", "")) == (path, parent)


def test_what_the_state_has_already_is_not_found_again() -> None:
    inputs, _, item, expected = ASKED[ALERT]
    twin = {**item, "name": "projects/p/alertPolicies/8"}
    with listing("alertPolicies", item, twin) as google:
        assert searched(google, ALERT, inputs, [expected]) == twin["name"]
        assert searched(google, ALERT, inputs, [expected, twin["name"]]) is None


def test_two_unfinished_creations_of_the_same_name_are_two_resources() -> None:
    inputs, _, item, expected = ASKED[ALERT]
    twin = {**item, "name": "projects/p/alertPolicies/8"}
    state = exported(operation(ALERT, inputs), operation(ALERT, inputs))
    with listing("alertPolicies", item, twin) as google:
        assert [one.id for one in pending_creations(state, google)] == [expected, twin["name"]]


def test_a_refused_search_leaves_the_state_alone() -> None:
    refusing = cloud(lambda _: httpx.Response(403, json={"error": {"status": "PERMISSION_DENIED", "message": "no"}}))
    state = exported(operation(ALERT, {"project": "p", "displayName": "slow"}))
    with refusing as google, pytest.raises(GoogleCloudError, match="no"):
        pending_creations(state, google)


@pytest.mark.parametrize("awaited", [True, False])
def test_a_project_that_is_still_to_be_created_holds_nothing(awaited: bool) -> None:
    """Google refuses a list in a project that does not exist, in the words for one that the caller may not see."""
    refusing = cloud(lambda _: httpx.Response(403, json={"error": {"status": "PERMISSION_DENIED", "message": "no"}}))
    projects = [operation(PROJECT, {"projectId": "p" if awaited else "other"})]
    state = exported(*projects, operation(ALERT, {"project": "p", "displayName": "slow"}))
    with refusing as google, nullcontext() if awaited else pytest.raises(GoogleCloudError, match="no"):
        assert [one.id for one in pending_creations(state, google)] == ["projects/p", None]


def test_an_api_that_is_still_to_be_enabled_holds_nothing() -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED"}]
    error = {"status": "PERMISSION_DENIED", "message": "not enabled", "details": details}
    state = exported(operation(ALERT, {"project": "p", "displayName": "slow"}))
    with cloud(lambda _: httpx.Response(403, json={"error": error})) as google:
        assert [one.id for one in pending_creations(state, google)] == [None]


def test_a_search_without_the_inputs_it_needs_finds_nothing() -> None:
    with listing("alertPolicies") as google:
        assert searched(google, ALERT, {"displayName": "slow"}) is None
        assert searched(google, LIEN, {"origin": "plantain"}) is None
        assert searched(google, PROJECT, {"projectId": "x"}) is None


def test_what_cannot_be_imported_is_read_with_what_was_asked_for() -> None:
    inputs = {"project": "p", "name": "requests", "__defaults": [], "bucketOptions": {"__defaults": [], "growth": 2}}
    metric = "gcp:logging/metric:Metric"
    [_, found] = adopted(exported(operation(metric, inputs)))["deployment"]["resources"]
    assert found["id"] == "requests"
    assert found["outputs"] == {"project": "p", "name": "requests", "bucketOptions": {"growth": 2}}


def test_what_the_provider_reads_by_an_output_has_it() -> None:
    inputs = {"project": "p", "service": "images", "sloId": "latency"}
    [_, found] = adopted(exported(operation("gcp:monitoring/slo:Slo", inputs)))["deployment"]["resources"]
    assert found["outputs"]["name"] == found["id"] == "projects/p/services/images/serviceLevelObjectives/latency"


def test_a_resource_under_replacement_is_not_put_into_the_state_twice() -> None:
    state = exported(operation(PROJECT, {"projectId": "x"}))
    state["deployment"]["resources"].append({**operation(PROJECT, {})["resource"], "id": "projects/x"})
    assert adopted(state)["deployment"]["resources"] == state["deployment"]["resources"]


def test_what_was_found_is_taken_over() -> None:
    state = exported(operation(LIEN, {"parent": "projects/1"}))
    pending = [Pending(f"urn:pulumi:s::p::{LIEN}::x", LIEN, "1/p1-l2")]
    assert adopted(state, pending)["deployment"]["resources"][-1]["id"] == "1/p1-l2"


def test_no_type_has_two_ways_to_its_id() -> None:
    assert not (IMPORT_IDS.keys() & READ_IDS.keys() | SEARCHES.keys() & (IMPORT_IDS.keys() | READ_IDS.keys()))


def test_ids_are_made_of_inputs_only() -> None:
    account = {"project": "p", "accountId": "runtime"}
    found = import_id("gcp:serviceaccount/account:Account", account)
    assert found == "projects/p/serviceAccounts/runtime@p.iam.gserviceaccount.com"
    assert import_id("gcp:unknown:Thing", {}) is None
    assert all("{" in template for template in IMPORT_IDS.values())
