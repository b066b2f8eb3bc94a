"""Triggers: filters, destination, identity, transport."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.conftest import Caller

TRIGGERS = "/eventarc/v1/projects/test-project/locations/europe-west4/triggers"
ACCOUNT = "events@test-project.iam.gserviceaccount.com"
PUBSUB = {"attribute": "type", "value": "google.cloud.pubsub.topic.v1.messagePublished"}
BODY: dict[str, Any] = {
    "eventFilters": [PUBSUB],
    "destination": {"cloudRun": {"service": "s", "region": "europe-west4"}},
    "serviceAccount": ACCOUNT,
}


@pytest.fixture(autouse=True)
def account(admin: Caller, enable: Callable[..., None]) -> None:
    enable("eventarc", "iam")
    admin("POST", "/iam/v1/projects/test-project/serviceAccounts", {"accountId": "events"})


def test_a_pubsub_trigger_gets_a_topic_of_its_own(admin: Caller) -> None:
    made = admin("POST", f"{TRIGGERS}?triggerId=t", BODY)[1]["response"]
    assert made["transport"]["pubsub"]["topic"].startswith("projects/test-project/topics/eventarc-europe-west4-t-")
    assert (made["eventDataContentType"], bool(made["uid"]), bool(made["etag"])) == ("application/json", True, True)
    status, answer = admin("PATCH", f"{TRIGGERS}/t?updateMask=transport", {"transport": {}})
    assert (status, "immutable" in answer["error"]["message"]) == (400, True)
    assert admin("GET", TRIGGERS)[1]["triggers"][0]["name"] == made["name"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"eventFilters": []}, "exactly one with the attribute 'type'"),
        ({"destination": {}}, "exactly one destination"),
        ({"serviceAccount": ""}, "needs a service account"),
        ({"serviceAccount": "none@test-project.iam.gserviceaccount.com"}, "was not found"),
    ],
)
def test_a_wrong_trigger_is_refused(admin: Caller, change: dict[str, Any], words: str) -> None:
    status, answer = admin("POST", f"{TRIGGERS}?triggerId=t", {**BODY, **change})
    assert status in {400, 404}
    assert words in answer["error"]["message"]
