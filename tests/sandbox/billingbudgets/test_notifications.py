"""What a project spends on images reaches its budget's topic when a threshold is passed, once."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.cloud import Cloud
from sandbox.services.aiplatform.charges import price
from tests.sandbox.conftest import Caller

URL = "/billingbudgets/v1/billingAccounts/010101-010101-010101/budgets"
MODEL = "gemini-3-pro-image"


@pytest.fixture
def budget(admin: Caller, project: str, enable: Callable[..., None]) -> str:
    """A budget of a quarter dollar, told at 85 % of it; the path of its subscription."""
    enable("aiplatform", "pubsub")
    root = f"/pubsub/v1/projects/{project}"
    assert admin("PUT", f"{root}/topics/budget", {})[0] == 200
    subscription = f"{root}/subscriptions/told"
    assert admin("PUT", subscription, {"topic": f"projects/{project}/topics/budget"})[0] == 200
    body = {
        "displayName": "spring launch",
        "amount": {"specifiedAmount": {"nanos": 250_000_000}},
        "budgetFilter": {"projects": [f"projects/{project}"]},
        "thresholdRules": [{"thresholdPercent": 0.85}],
        "notificationsRule": {"pubsubTopic": f"projects/{project}/topics/budget"},
    }
    assert admin("POST", URL, body)[0] == 200
    return subscription


def generate(admin: Caller, project: str) -> dict[str, Any]:
    path = f"/aiplatform/v1/projects/{project}/locations/global/publishers/google/models/{MODEL}:generateContent"
    status, answer = admin("POST", path, {"contents": [{"role": "user", "parts": [{"text": "A plantain"}]}]})
    assert status == 200
    return dict(answer)


def told(admin: Caller, subscription: str) -> list[dict[str, Any]]:
    pulled = admin("POST", f"{subscription}:pull", {"maxMessages": 10})[1].get("receivedMessages", [])
    return [json.loads(base64.b64decode(entry["message"]["data"])) for entry in pulled]


def test_passing_a_threshold_is_told_once(admin: Caller, project: str, budget: str, cloud: Cloud) -> None:
    first = price(MODEL, generate(admin, project))
    assert 0.13 < first < 0.15
    assert told(admin, budget) == []
    generate(admin, project)
    (message,) = told(admin, budget)
    assert message["budgetDisplayName"] == "spring launch"
    assert message["alertThresholdExceeded"] == 0.85
    assert message["costAmount"] == pytest.approx(2 * first, abs=0.001)
    assert message["costAmount"] == pytest.approx(sum(float(str(e["amount"])) for e in cloud.spend.items()), abs=1e-5)
    generate(admin, project)
    assert told(admin, budget) == []


def test_a_forecast_looks_at_the_rest_of_the_month(admin: Caller, project: str, budget: str, cloud: Cloud) -> None:
    rules = [{"thresholdPercent": 1.0, "spendBasis": "FORECASTED_SPEND"}]
    found = admin("GET", URL)[1]["budgets"][0]
    mask = {"updateMask": "thresholdRules"}
    assert admin("PATCH", f"/billingbudgets/v1/{found['name']}", {"thresholdRules": rules}, params=mask)[0] == 200
    passed = cloud.clock.now()
    cloud.clock.advance((32 - passed.day) * 86400)  # into the first days of the next month
    generate(admin, project)
    (message,) = told(admin, budget)
    assert message["forecastThresholdExceeded"] == 1.0


def test_half_the_price_in_a_batch() -> None:
    answer = {"usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 1120}}
    assert price(MODEL, answer, batch=True) == price(MODEL, answer) / 2
    assert price("another-model", answer) == 0


def test_without_its_grant_nothing_is_told_and_images_are_made_all_the_same(
    admin: Caller, project: str, budget: str
) -> None:
    topic = f"/pubsub/v1/projects/{project}/topics/budget"
    given = admin("GET", f"{topic}:getIamPolicy")[1]
    assert admin("POST", f"{topic}:setIamPolicy", {"policy": {"bindings": []}})[0] == 200
    generate(admin, project)
    generate(admin, project)
    assert told(admin, budget) == []
    assert admin("POST", f"{topic}:setIamPolicy", {"policy": {"bindings": given["bindings"]}})[0] == 200
    generate(admin, project)
    assert len(told(admin, budget)) == 1
