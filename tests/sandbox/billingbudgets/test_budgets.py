from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.conftest import Caller

Document = dict[str, Any]
ACCOUNT = "billingAccounts/010101-010101-010101"
URL = f"/billingbudgets/v1/{ACCOUNT}/budgets"
AMOUNT = {"specifiedAmount": {"units": 1000}}


def test_a_budget_has_googles_defaults(admin: Caller, cloud: Any, project: str) -> None:
    body = {
        "displayName": "b",
        "amount": AMOUNT,
        "budgetFilter": {"projects": [f"projects/{project}"]},
        "thresholdRules": [{"thresholdPercent": 0.85}],
        "notificationsRule": {"pubsubTopic": f"projects/{project}/topics/t"},
    }
    made = admin("POST", URL, body)[1]
    assert made["amount"] == {"specifiedAmount": {"units": "1000", "currencyCode": "USD"}}
    assert made["budgetFilter"] == {
        "projects": [f"projects/{cloud.hierarchy.project_number(project)}"],
        "creditTypesTreatment": "INCLUDE_ALL_CREDITS",
        "calendarPeriod": "MONTH",
    }
    assert made["thresholdRules"] == [{"thresholdPercent": 0.85, "spendBasis": "CURRENT_SPEND"}]
    assert made["notificationsRule"]["schemaVersion"] == "1.0"
    assert admin("GET", f"/billingbudgets/v1/{made['name']}")[1] == made


def test_the_server_names_a_budget_whatever_the_caller_writes(admin: Caller) -> None:
    made = admin("POST", URL, {"name": f"{ACCOUNT}/budgets/mine", "amount": AMOUNT})[1]
    assert made["name"] != f"{ACCOUNT}/budgets/mine"
    status, body = admin("GET", f"{URL}/mine")
    assert (status, body["error"]["message"]) == (404, f'budget "{ACCOUNT}/budgets/mine" not found')


def test_a_nested_mask_changes_one_field_and_a_stale_etag_none(admin: Caller) -> None:
    made = admin("POST", URL, {"displayName": "b", "amount": AMOUNT})[1]
    path, mask = f"/billingbudgets/v1/{made['name']}", {"updateMask": "amount.specifiedAmount.units"}
    body = {"amount": {"specifiedAmount": {"units": "5"}}, "displayName": "ignored", "etag": made["etag"]}
    changed = admin("PATCH", path, body, params=mask)[1]
    assert changed["amount"]["specifiedAmount"] == {"units": "5", "currencyCode": "USD"}
    assert changed["displayName"] == "b"
    status, answer = admin("PATCH", path, body, params=mask)
    assert (status, answer["error"]["status"]) == (409, "ABORTED")


def test_the_beta_wraps_the_budget_and_names_a_rule_otherwise(admin: Caller, project: str) -> None:
    beta = URL.replace("/v1/", "/v1beta1/")
    rule = {"pubsubTopic": f"projects/{project}/topics/t"}
    made = admin("POST", beta, {"budget": {"amount": AMOUNT, "allUpdatesRule": rule}})[1]
    assert made["allUpdatesRule"]["pubsubTopic"] == rule["pubsubTopic"]
    assert "notificationsRule" in admin("GET", f"/billingbudgets/v1/{made['name']}")[1]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "amount must be set"),
        ({"amount": {"specifiedAmount": {"units": 1, "currencyCode": "EUR"}}}, "currency must be that of"),
        ({"amount": AMOUNT, "thresholdRules": [{"thresholdPercent": 1}] * 101}, "at most 100 threshold rules"),
    ],
)
def test_what_cannot_be_a_budget_is_refused(admin: Caller, body: Document, reason: str) -> None:
    status, answer = admin("POST", URL, body)
    assert (status, reason in answer["error"]["message"]) == (400, True)


def test_a_costs_manager_of_the_account_may_make_budgets(admin: Caller, as_member: Callable[[str], Caller]) -> None:
    jo = as_member("user:jo@example.com")
    status, body = jo("POST", URL, {"amount": AMOUNT})
    assert (status, "billing.budgets.create" in body["error"]["message"]) == (403, True)
    policy = {"policy": {"bindings": [{"role": "roles/billing.costsManager", "members": ["user:jo@example.com"]}]}}
    assert admin("POST", f"/cloudbilling/v1/{ACCOUNT}:setIamPolicy", policy)[0] == 200
    assert jo("POST", URL, {"amount": AMOUNT})[0] == 200
    assert jo("POST", URL.replace("010101-010101", "999999-010101"), {"amount": AMOUNT})[0] == 403


def test_reporting_to_a_topic_needs_the_right_to_change_who_may_publish_there(
    admin: Caller, as_member: Callable[[str], Caller], project: str, enable: Callable[..., None]
) -> None:
    enable("pubsub")
    topic = f"projects/{project}/topics/budgets"
    assert admin("PUT", f"/pubsub/v1/{topic}", {})[0] == 200
    account = "/cloudbilling/v1/billingAccounts/010101-010101-010101"
    manager = {"role": "roles/billing.costsManager", "members": ["user:jo@example.com"]}
    policy = admin("GET", f"{account}:getIamPolicy")[1]
    bindings = [*policy.get("bindings", []), manager]
    assert admin("POST", f"{account}:setIamPolicy", {"policy": {"bindings": bindings}})[0] == 200
    body = {
        "displayName": "reported",
        "amount": {"specifiedAmount": {"units": "1"}},
        "notificationsRule": {"pubsubTopic": topic, "schemaVersion": "1.0"},
    }
    budgets = "/billingbudgets/v1/billingAccounts/010101-010101-010101/budgets"
    code, answer = as_member("user:jo@example.com")("POST", budgets, body)
    assert (code, answer["error"]["status"]) == (403, "PERMISSION_DENIED")
    assert "pubsub.topics.setIamPolicy" in answer["error"]["message"]
    assert admin("POST", budgets, body)[0] == 200
    sender = "serviceAccount:billing-budget-alert@system.gserviceaccount.com"
    assert sender in str(admin("GET", f"/pubsub/v1/{topic}:getIamPolicy")[1])


def test_a_changed_amount_is_in_the_accounts_currency(admin: Caller) -> None:
    name = admin("POST", URL, {"displayName": "b", "amount": AMOUNT})[1]["name"]
    change = {"amount": {"specifiedAmount": {"units": "5"}}}
    answer = admin("PATCH", f"/billingbudgets/v1/{name}?updateMask=amount", change)[1]
    assert answer["amount"] == {"specifiedAmount": {"units": "5", "currencyCode": "USD"}}
    change = {"amount": {"specifiedAmount": {"units": "5", "currencyCode": "EUR"}}}
    assert admin("PATCH", f"/billingbudgets/v1/{name}?updateMask=amount", change)[0] == 400
