from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.cloud import Cloud
from sandbox.consistency import ABSENCES
from sandbox.errors import InvalidArgument
from sandbox.services.pubsub.filters import compile_filter
from tests.sandbox.conftest import Caller

ROOT = "/pubsub/v1/projects/test-project"
TOPIC = "projects/test-project/topics/events"


@pytest.fixture
def topic(admin: Caller, enable: Callable[..., None]) -> str:
    enable("pubsub")
    assert admin("PUT", f"/pubsub/v1/{TOPIC}", {"labels": {"a": "b"}})[0] == 200
    return TOPIC


@pytest.fixture
def subscribe(admin: Caller, topic: str) -> Callable[..., str]:
    """Creates a subscription; returns its path."""

    def make(name: str = "reader", **fields: Any) -> str:
        status, made = admin("PUT", f"{ROOT}/subscriptions/{name}", {"topic": topic, **fields})
        assert status == 200, made
        return f"{ROOT}/subscriptions/{name}"

    return make


def publish(admin: Caller, *messages: dict[str, Any]) -> list[str]:
    status, answer = admin("POST", f"/pubsub/v1/{TOPIC}:publish", {"messages": list(messages)})
    assert status == 200, answer
    return list(answer["messageIds"])


def pull(admin: Caller, subscription: str, most: int = 10) -> list[dict[str, Any]]:
    status, answer = admin("POST", f"{subscription}:pull", {"maxMessages": most})
    assert status == 200, answer
    return list(answer.get("receivedMessages", []))


def text(data: str) -> str:
    return base64.b64encode(data.encode()).decode()


def test_a_subscription_gets_the_recorded_defaults(admin: Caller, subscribe: Callable[..., str]) -> None:
    shown = admin("GET", subscribe())[1]
    assert shown == {
        "name": "projects/test-project/subscriptions/reader",
        "topic": TOPIC,
        "pushConfig": {},
        "ackDeadlineSeconds": 10,
        "messageRetentionDuration": "604800s",
        "expirationPolicy": {"ttl": "2678400s"},
        "state": "ACTIVE",
    }


def test_missing_and_taken_names_are_told_by_their_id(admin: Caller, topic: str) -> None:
    status, body = admin("GET", f"{ROOT}/topics/absent")
    assert (status, body["error"]["message"]) == (404, "Resource not found (resource=absent).")
    status, body = admin("PUT", f"/pubsub/v1/{topic}", {})
    assert (status, body["error"]["message"]) == (409, "Resource already exists in the project (resource=events).")
    status, body = admin("PUT", f"{ROOT}/subscriptions/lonely", {"topic": f"{TOPIC}-absent"})
    assert (status, body["error"]["message"]) == (404, "Resource not found (resource=events-absent).")
    status, body = admin("PUT", f"{ROOT}/topics/1", {})
    assert (status, "Invalid resource name" in body["error"]["message"]) == (400, True)


def test_a_message_is_delivered_until_it_is_acknowledged(
    admin: Caller, cloud: Cloud, subscribe: Callable[..., str]
) -> None:
    reader = subscribe()
    (identifier,) = publish(admin, {"data": text("hello"), "attributes": {"k": "v"}})
    (first,) = pull(admin, reader)
    assert (first["message"]["messageId"], first["message"]["data"]) == (identifier, text("hello"))
    assert pull(admin, reader) == []
    cloud.clock.advance(11)
    (second,) = pull(admin, reader)
    admin("POST", f"{reader}:acknowledge", {"ackIds": [first["ackId"]]})
    cloud.clock.advance(11)
    (third,) = pull(admin, reader)
    assert second["message"] == third["message"]
    admin("POST", f"{reader}:acknowledge", {"ackIds": [third["ackId"]]})
    cloud.clock.advance(11)
    assert pull(admin, reader) == []


def test_every_subscription_gets_what_its_filter_admits(admin: Caller, subscribe: Callable[..., str]) -> None:
    everything, images = subscribe("everything"), subscribe("images", filter='attributes.type = "image"')
    publish(admin, {"attributes": {"type": "image"}}, {"attributes": {"type": "text"}})
    assert len(pull(admin, everything)) == 2
    assert [m["message"]["attributes"]["type"] for m in pull(admin, images)] == ["image"]


def test_ordered_messages_wait_for_the_one_before(admin: Caller, subscribe: Callable[..., str]) -> None:
    reader = subscribe(enableMessageOrdering=True)
    publish(admin, {"data": text("1"), "orderingKey": "a"}, {"data": text("2"), "orderingKey": "a"})
    (first,) = pull(admin, reader, 1)
    assert pull(admin, reader) == []
    admin("POST", f"{reader}:acknowledge", {"ackIds": [first["ackId"]]})
    assert [m["message"]["data"] for m in pull(admin, reader)] == [text("2")]


def test_a_message_refused_too_often_goes_to_the_dead_letters(admin: Caller, subscribe: Callable[..., str]) -> None:
    dead = "projects/test-project/topics/dead"
    admin("PUT", f"/pubsub/v1/{dead}", {})
    assert admin("PUT", f"{ROOT}/subscriptions/morgue", {"topic": dead})[0] == 200
    reader = subscribe(deadLetterPolicy={"deadLetterTopic": dead, "maxDeliveryAttempts": 5})
    publish(admin, {"data": text("poison")})
    for attempt in range(1, 6):
        (message,) = pull(admin, reader)
        assert message["deliveryAttempt"] == attempt
        admin("POST", f"{reader}:modifyAckDeadline", {"ackIds": [message["ackId"]], "ackDeadlineSeconds": 0})
    assert pull(admin, reader) == []
    assert pull(admin, f"{ROOT}/subscriptions/morgue")[0]["message"]["data"] == text("poison")


def test_seeking_back_replays_what_was_acknowledged(admin: Caller, subscribe: Callable[..., str]) -> None:
    reader = subscribe(retainAckedMessages=True)
    body = {"subscription": "projects/test-project/subscriptions/reader"}
    status, snapshot = admin("PUT", f"{ROOT}/snapshots/before", body)
    assert (status, snapshot["topic"]) == (200, TOPIC)
    publish(admin, {"data": text("again")})
    (message,) = pull(admin, reader)
    admin("POST", f"{reader}:acknowledge", {"ackIds": [message["ackId"]]})
    assert admin("POST", f"{reader}:seek", {"snapshot": snapshot["name"]})[0] == 200
    assert pull(admin, reader)[0]["message"]["data"] == text("again")


def test_updates_are_wrapped_and_masked(admin: Caller, subscribe: Callable[..., str]) -> None:
    reader = subscribe(retainAckedMessages=True, labels={"a": "1"})
    body = {"subscription": {"ackDeadlineSeconds": 60}, "updateMask": "ackDeadlineSeconds,retainAckedMessages"}
    after = admin("PATCH", reader, body)[1]
    assert (after["ackDeadlineSeconds"], "retainAckedMessages" in after, after["labels"]) == (60, False, {"a": "1"})
    assert admin("PATCH", reader, {"subscription": {}})[0] == 400
    changed = {"subscription": {"filter": "attributes:x"}, "updateMask": "filter"}
    assert "immutable" in admin("PATCH", reader, changed)[1]["error"]["message"]


def test_a_deleted_topic_leaves_its_subscriptions(admin: Caller, topic: str, subscribe: Callable[..., str]) -> None:
    reader = subscribe()
    assert admin("GET", f"/pubsub/v1/{topic}/subscriptions")[1] == {
        "subscriptions": ["projects/test-project/subscriptions/reader"]
    }
    assert admin("DELETE", f"/pubsub/v1/{topic}") == (200, {})
    assert admin("GET", reader)[1]["topic"] == "_deleted-topic_"


def test_an_empty_message_is_refused(admin: Caller, topic: str) -> None:
    status, body = admin("POST", f"/pubsub/v1/{topic}:publish", {"messages": [{}]})
    assert (status, "is empty" in body["error"]["message"]) == (400, True)


def test_subscribing_needs_a_permission_on_the_topic(
    admin: Caller, topic: str, as_member: Callable[[str], Caller]
) -> None:
    path = "/cloudresourcemanager/v1/projects/test-project"
    policy = admin("POST", f"{path}:getIamPolicy", {})[1]
    member = "user:jo@example.com"
    policy["bindings"].append({"role": "roles/pubsub.publisher", "members": [member]})
    admin("POST", f"{path}:setIamPolicy", {"policy": policy})
    status, body = as_member(member)("PUT", f"{ROOT}/subscriptions/own", {"topic": topic})
    assert (status, body["error"]["details"][0]["metadata"]["permission"]) == (403, "pubsub.subscriptions.create")
    assert as_member(member)("POST", f"/pubsub/v1/{topic}:publish", {"messages": [{"data": text("x")}]})[0] == 200


@pytest.mark.parametrize(
    ("expression", "attributes", "admitted"),
    [
        ("attributes:a", {"a": ""}, True),
        ('attributes.a = "1" AND NOT attributes:b', {"a": "1"}, True),
        ('attributes.a = "1" AND NOT attributes:b', {"a": "1", "b": ""}, False),
        ('hasPrefix(attributes.a, "im") OR attributes.b != "x"', {"a": "image", "b": "x"}, True),
        ('(attributes.a = "1" OR attributes.a = "2") AND attributes:b', {"a": "2"}, False),
        ("", {}, True),
    ],
)
def test_filters_follow_the_documented_grammar(expression: str, attributes: dict[str, str], admitted: bool) -> None:
    assert compile_filter(expression)(attributes) is admitted


@pytest.mark.parametrize("expression", ["attributes.a", "a = 1", "attributes.a = ", "(attributes:a", "attributes:a )"])
def test_a_filter_that_does_not_parse_is_refused(expression: str) -> None:
    with pytest.raises(InvalidArgument, match="Invalid filter expression"):
        compile_filter(expression)


def test_schemas_have_revisions(admin: Caller, topic: str) -> None:
    assert topic
    body = {"type": "AVRO", "definition": "{}"}
    made = admin("POST", f"{ROOT}/schemas?schemaId=records", body)[1]
    assert (made["name"], made["definition"]) == ("projects/test-project/schemas/records", "{}")
    changed = admin("POST", f"{ROOT}/schemas/records:commit", {"schema": {"type": "AVRO", "definition": '{"a":1}'}})[1]
    assert changed["revisionId"] != made["revisionId"]
    assert "definition" not in admin("GET", f"{ROOT}/schemas")[1]["schemas"][0]


def test_revisions_are_listed_rolled_back_and_deleted(admin: Caller, topic: str) -> None:
    assert topic
    url = f"{ROOT}/schemas/records"
    first = admin("POST", f"{ROOT}/schemas?schemaId=records", {"type": "AVRO", "definition": "{}"})[1]
    second = admin("POST", f"{url}:commit", {"schema": {"type": "AVRO", "definition": '{"a":1}'}})[1]
    listed = admin("GET", f"{url}:listRevisions")[1]["schemas"]
    assert [one["revisionId"] for one in listed] == [second["revisionId"], first["revisionId"]]
    assert "definition" not in listed[0]
    full = admin("GET", f"{url}:listRevisions", params={"view": "FULL", "pageSize": "1"})[1]
    assert full["schemas"] == [second]
    assert full["nextPageToken"]
    assert admin("GET", f"{url}@{first['revisionId']}")[1] == first
    assert admin("GET", f"{url}@00000000")[0] == 404
    back = admin("POST", f"{url}:rollback", {"revisionId": first["revisionId"]})[1]
    assert (back["definition"], back["revisionId"] not in {first["revisionId"], second["revisionId"]}) == ("{}", True)
    assert admin("POST", f"{url}:rollback", {"revisionId": "00000000"})[0] == 404
    assert admin("DELETE", f"{url}@{back['revisionId']}:deleteRevision")[1] == second
    assert admin("DELETE", f"{url}:deleteRevision", params={"revisionId": second["revisionId"]})[1] == first
    status, refusal = admin("DELETE", f"{url}@{first['revisionId']}:deleteRevision")
    assert (status, refusal["error"]["status"]) == (400, "FAILED_PRECONDITION")
    assert admin("DELETE", f"{url}:deleteRevision")[0] == 400


def test_a_subscription_that_was_sought_before_it_was_made_is_missed_once_more(
    admin: Caller, cloud: Cloud, subscribe: Callable[..., str]
) -> None:
    reader = f"{ROOT}/subscriptions/reader"
    assert admin("GET", reader)[0] == 404
    subscribe()
    assert [admin("GET", reader)[0] for _ in range(3)] == [404, 200, 200]
    other = f"{ROOT}/subscriptions/other"
    assert admin("GET", other)[0] == 404
    cloud.clock.advance(11)
    subscribe("other")
    assert admin("GET", other)[0] == 200


def test_only_a_read_misses_a_new_subscription(admin: Caller, subscribe: Callable[..., str]) -> None:
    assert admin("GET", f"{ROOT}/subscriptions/reader")[0] == 404
    reader = subscribe()
    publish(admin, {"data": text("hello")})
    assert len(pull(admin, reader)) == 1
    assert admin("DELETE", reader)[0] == 200


def test_only_the_latest_absences_are_remembered(admin: Caller, cloud: Cloud, subscribe: Callable[..., str]) -> None:
    assert admin("GET", f"{ROOT}/subscriptions/reader")[0] == 404
    for number in range(ABSENCES):
        cloud.consistency.sought(f"subscription-{number}")
    assert admin("GET", subscribe())[0] == 200


def test_another_key_is_taken_when_the_agent_may_use_it(admin: Caller, topic: str, enable: Callable[..., None]) -> None:
    enable("cloudkms")
    rings = "/cloudkms/v1/projects/test-project/locations/europe-west4/keyRings"
    assert admin("POST", f"{rings}?keyRingId=ring")[0] == 200
    for name in ("first", "second"):
        assert admin("POST", f"{rings}/ring/cryptoKeys?cryptoKeyId={name}", {"purpose": "ENCRYPT_DECRYPT"})[0] == 200
    number = admin("GET", "/cloudresourcemanager/v1/projects/test-project")[1]["projectNumber"]
    agent = f"serviceAccount:service-{number}@gcp-sa-pubsub.iam.gserviceaccount.com"
    admin("POST", "/serviceusage/v1beta1/projects/test-project/services/pubsub.googleapis.com:generateServiceIdentity")
    binding = {"role": "roles/cloudkms.cryptoKeyEncrypterDecrypter", "members": [agent]}
    key = f"{rings.removeprefix('/cloudkms/v1/')}/ring/cryptoKeys/second"
    changed = {"topic": {"kmsKeyName": key}, "updateMask": "kmsKeyName"}
    assert admin("PATCH", f"/pubsub/v1/{topic}", changed)[0] in {400, 403}
    assert admin("POST", f"/cloudkms/v1/{key}:setIamPolicy", {"policy": {"bindings": [binding]}})[0] == 200
    assert admin("PATCH", f"/pubsub/v1/{topic}", changed)[1].get("kmsKeyName") == key
    assert publish(admin, {"data": text("hello")})
