"""Events reach the destination of their trigger as CloudEvents, with the token of its account."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import jwt
import pytest
from starlette.testclient import TestClient

from sandbox.cloud import Cloud
from tests.sandbox.conftest import Caller

PLACE = "projects/test-project/locations/europe-west4"
TRIGGERS = f"/eventarc/v1/{PLACE}/triggers"
ACCOUNT = "events@test-project.iam.gserviceaccount.com"
POLICY = "/cloudresourcemanager/v1/projects/test-project"


class Destination:
    """Takes the place of a running container; everything before it is real."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 204

    async def request(self, verb: str, url: str, **options: Any) -> httpx.Response:
        assert verb == "POST"
        headers = {**options["headers"], "authorization": options["token"]}
        self.requests.append((url, headers, options["content"]))
        return httpx.Response(self.status)

    def taken(self) -> tuple[str, dict[str, str], Any]:
        for _ in range(400):
            if self.requests:
                url, headers, content = self.requests.pop(0)
                return url, headers, json.loads(content)
            time.sleep(0.01)
        raise AssertionError("nothing was delivered")


@pytest.fixture
def destination(
    client: TestClient,
    cloud: Cloud,
    admin: Caller,
    project: str,
    enable: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Destination]:
    """A Cloud Run service, an account that may receive events, a bucket; one event loop for the whole test."""
    with client:
        enable("eventarc", "iam", "run", "pubsub", "storage", "logging")
        accounts = f"/iam/v1/projects/{project}/serviceAccounts"
        assert admin("POST", accounts, {"accountId": "events"})[0] == 200
        template = {"containers": [{"image": "gcr.io/cloudrun/hello"}], "serviceAccount": ACCOUNT}
        assert admin("POST", f"/run/v2/{PLACE}/services?serviceId=images", {"template": template})[0] == 200
        bucket = {"name": "arrivals", "location": "EUROPE-WEST4"}
        assert admin("POST", f"/storage/v1/b?project={project}", bucket)[0] == 200
        found = Destination()
        monkeypatch.setattr(cloud.agents, "request", found.request)
        yield found


def grant(admin: Caller, role: str, member: str) -> None:
    policy = admin("POST", f"{POLICY}:getIamPolicy", {})[1]
    policy.setdefault("bindings", []).append({"role": role, "members": [f"serviceAccount:{member}"]})
    assert admin("POST", f"{POLICY}:setIamPolicy", {"policy": policy})[0] == 200


def trigger(admin: Caller, kind: str, **filters: str) -> tuple[int, Any]:
    wanted = [{"attribute": key, "value": value} for key, value in {"type": kind, **filters}.items()]
    body = {
        "eventFilters": wanted,
        "destination": {"cloudRun": {"service": "images", "region": "europe-west4", "path": "/events"}},
        "serviceAccount": ACCOUNT,
    }
    return admin("POST", f"{TRIGGERS}?triggerId=t", body)


def storage_agent(admin: Caller) -> str:
    return str(admin("GET", "/storage/v1/projects/test-project/serviceAccount")[1]["email_address"])


def test_a_message_is_delivered_with_the_triggers_identity(destination: Destination, admin: Caller) -> None:
    status, answer = trigger(admin, "google.cloud.pubsub.topic.v1.messagePublished")
    assert status == 200, answer
    topic = answer["response"]["transport"]["pubsub"]["topic"]
    data = base64.b64encode(b"a plantain").decode()
    assert admin("POST", f"/pubsub/v1/{topic}:publish", {"messages": [{"data": data}]})[0] == 200
    url, headers, event = destination.taken()
    assert url.startswith("https://images-")
    assert url.endswith(".europe-west4.run.app/events")
    assert (headers["ce-type"], headers["ce-specversion"]) == ("google.cloud.pubsub.topic.v1.messagePublished", "1.0")
    assert (headers["ce-source"], event["message"]["data"]) == (f"//pubsub.googleapis.com/{topic}", data)
    assert headers["ce-id"] == event["message"]["messageId"]
    claims = jwt.decode(headers["authorization"], options={"verify_signature": False})
    assert (claims["email"], claims["aud"]) == (ACCOUNT, url.removesuffix("/events"))


def test_an_object_is_told_of_once_it_is_there(destination: Destination, admin: Caller) -> None:
    grant(admin, "roles/eventarc.eventReceiver", ACCOUNT)
    grant(admin, "roles/pubsub.publisher", storage_agent(admin))
    status, answer = trigger(admin, "google.cloud.storage.object.v1.finalized", bucket="arrivals")
    assert status == 200, answer
    upload = "/upload/storage/v1/b/arrivals/o?uploadType=media&name=red%20kite.png"
    assert admin("POST", upload, {"any": "thing"})[0] == 200
    _, headers, event = destination.taken()
    assert headers["ce-subject"] == "objects/red kite.png"
    assert (headers["ce-bucket"], headers["ce-type"]) == ("arrivals", "google.cloud.storage.object.v1.finalized")
    assert headers["ce-source"] == "//storage.googleapis.com/projects/_/buckets/arrivals"
    assert (event["name"], event["kind"]) == ("red kite.png", "storage#object")
    assert admin("DELETE", f"{TRIGGERS}/t")[0] == 200
    assert admin("GET", "/storage/v1/b/arrivals/notificationConfigs")[1].get("items", []) == []
    topics = admin("GET", "/pubsub/v1/projects/test-project/topics")[1]
    assert topics.get("topics", []) == []


def test_an_audit_log_entry_is_told_of(destination: Destination, admin: Caller) -> None:
    grant(admin, "roles/eventarc.eventReceiver", ACCOUNT)
    wanted = {"serviceName": "pubsub.googleapis.com", "methodName": "pubsub.projects.topics.create"}
    status, answer = trigger(admin, "google.cloud.audit.log.v1.written", **wanted)
    assert status == 200, answer
    assert admin("PUT", "/pubsub/v1/projects/test-project/subscriptions/none", {"topic": "none"})[0] == 404
    assert admin("PUT", "/pubsub/v1/projects/test-project/topics/news", {})[0] == 200
    _, headers, event = destination.taken()
    assert headers["ce-methodname"] == "pubsub.projects.topics.create"
    assert headers["ce-subject"] == "pubsub.googleapis.com/projects/test-project/topics/news"
    assert event["protoPayload"]["resourceName"] == "projects/test-project/topics/news"
    assert destination.requests == []


def test_a_refused_event_stays_and_is_sent_again(destination: Destination, admin: Caller) -> None:
    destination.status = 503
    transport = trigger(admin, "google.cloud.pubsub.topic.v1.messagePublished")[1]["response"]["transport"]["pubsub"]
    message = {"messages": [{"attributes": {"a": "b"}}]}
    assert admin("POST", f"/pubsub/v1/{transport['topic']}:publish", message)[0] == 200
    first = destination.taken()[1]["ce-id"]
    destination.status = 204
    for _ in range(200):  # the refusal is taken down a moment after it was given
        assert admin("POST", "/_sandbox/clock", {"seconds": 15})[0] == 200
        if destination.requests:
            break
        time.sleep(0.02)
    assert destination.taken()[1]["ce-id"] == first


def test_without_the_receivers_role_no_trigger_is_made(destination: Destination, admin: Caller) -> None:
    del destination
    status, answer = trigger(admin, "google.cloud.storage.object.v1.finalized", bucket="arrivals")
    assert (status, answer["error"]["status"]) == (400, "FAILED_PRECONDITION")
    assert 'Permission "eventarc.events.receiveEvent" denied' in answer["error"]["message"]
    grant(admin, "roles/eventarc.eventReceiver", ACCOUNT)
    status, answer = trigger(admin, "google.cloud.storage.object.v1.finalized", bucket="arrivals")
    assert status == 400
    assert "is unable to publish to Cloud Pub/Sub topics" in answer["error"]["message"]
    assert admin("GET", TRIGGERS) == (200, {})


@pytest.mark.parametrize(
    ("kind", "filters", "status", "words"),
    [
        ("google.cloud.storage.object.v1.finalized", {}, 400, "needs a filter for bucket"),
        ("google.cloud.storage.object.v1.finalized", {"bucket": "none"}, 404, "not found"),
        ("google.cloud.storage.object.v1.finalized", {"bucket": "elsewhere"}, 400, "does not match trigger location"),
        ("google.cloud.audit.log.v1.written", {"serviceName": "a"}, 400, "serviceName and methodName"),
    ],
)
def test_filters_that_lead_nowhere_are_refused(
    destination: Destination, admin: Caller, kind: str, filters: dict[str, str], status: int, words: str
) -> None:
    del destination
    grant(admin, "roles/eventarc.eventReceiver", ACCOUNT)
    body = {"name": "elsewhere", "location": "US-CENTRAL1"}
    assert admin("POST", "/storage/v1/b?project=test-project", body)[0] == 200
    found, answer = trigger(admin, kind, **filters)
    assert found == status
    assert words in answer["error"]["message"]


def test_a_topic_that_is_not_there_carries_nothing(destination: Destination, admin: Caller) -> None:
    del destination
    body = {
        "eventFilters": [{"attribute": "type", "value": "google.cloud.pubsub.topic.v1.messagePublished"}],
        "destination": {"cloudRun": {"service": "images", "region": "europe-west4"}},
        "serviceAccount": ACCOUNT,
        "transport": {"pubsub": {"topic": "projects/test-project/topics/none"}},
    }
    assert admin("POST", f"{TRIGGERS}?triggerId=t", body)[0] == 404
