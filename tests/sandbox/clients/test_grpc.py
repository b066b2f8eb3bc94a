"""What only gRPC has: clients without REST, streams, plain text, the emulator's variable, details of a refusal."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from google.api_core import exceptions
from google.api_core.operations_v1 import OperationsClient
from google.auth.credentials import AnonymousCredentials
from google.cloud import (  # type: ignore[attr-defined]  # they ship no types
    aiplatform_v1,
    kms_v1,
    logging_v2,
    monitoring_v3,
    pubsub_v1,
    resourcemanager_v3,
)
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client
from google.cloud.monitoring_v3.services.metric_service.transports import MetricServiceGrpcTransport
from google.protobuf.field_mask_pb2 import FieldMask

from plantain.sandbox_process import Sandbox


def until(found: Callable[[], bool], seconds: float = 20) -> bool:
    """Wait for something that a stream brings."""
    deadline = time.monotonic() + seconds
    while not found() and time.monotonic() < deadline:
        time.sleep(0.02)
    return found()


def test_monitoring_which_has_no_rest_transport(project: str, name: str) -> None:
    client, parent = monitoring_v3.AlertPolicyServiceClient(), f"projects/{project}"
    absent = {
        "filter": 'metric.type="run.googleapis.com/request_count" AND resource.type="cloud_run_revision"',
        "duration": {"seconds": 300},
    }
    policy = monitoring_v3.AlertPolicy(
        display_name=name, combiner="OR", conditions=[{"display_name": "absent", "condition_absent": absent}]
    )
    made = client.create_alert_policy(name=parent, alert_policy=policy)
    assert client.get_alert_policy(name=made.name).conditions[0].condition_absent.duration.seconds == 300
    made.user_labels["team"] = "images"
    changed = client.update_alert_policy(alert_policy=made, update_mask=FieldMask(paths=["user_labels"]))
    assert dict(changed.user_labels) == {"team": "images"}
    assert made.name in [item.name for item in client.list_alert_policies(name=parent)]
    client.delete_alert_policy(name=made.name)
    with pytest.raises(exceptions.NotFound, match="Cannot find alert policy"):
        client.get_alert_policy(name=made.name)


def test_a_streaming_pull_brings_messages_and_takes_acknowledgements(project: str, name: str) -> None:
    publisher, subscriber = pubsub_v1.PublisherClient(), pubsub_v1.SubscriberClient()
    topic, subscription = f"projects/{project}/topics/{name}", f"projects/{project}/subscriptions/{name}"
    publisher.create_topic(name=topic)
    subscriber.create_subscription(name=subscription, topic=topic)
    received: list[bytes] = []

    def take(message: Any) -> None:
        received.append(message.data)
        message.ack()

    stream = subscriber.subscribe(subscription, callback=take)
    try:
        for number in range(5):
            publisher.publish(topic, f"{number}".encode()).result(timeout=20)
        assert until(lambda: len(received) == 5)
    finally:
        stream.cancel()
        stream.result(timeout=20)
    assert sorted(received) == [b"0", b"1", b"2", b"3", b"4"]
    assert not subscriber.pull(subscription=subscription, max_messages=5).received_messages


def test_exactly_once_acknowledgements_are_confirmed(project: str, name: str) -> None:
    publisher, subscriber = pubsub_v1.PublisherClient(), pubsub_v1.SubscriberClient()
    topic, subscription = f"projects/{project}/topics/{name}", f"projects/{project}/subscriptions/{name}"
    publisher.create_topic(name=topic)
    subscriber.create_subscription(request={"name": subscription, "topic": topic, "enable_exactly_once_delivery": True})
    confirmed: list[Any] = []
    stream = subscriber.subscribe(
        subscription, callback=lambda message: confirmed.append(message.ack_with_response().result(timeout=20))
    )
    try:
        publisher.publish(topic, b"once").result(timeout=20)
        assert until(lambda: bool(confirmed))
    finally:
        stream.cancel()
        stream.result(timeout=20)
    assert [item.name for item in confirmed] == ["SUCCESS"]


def test_a_streaming_pull_of_nothing_ends_with_the_refusal(project: str) -> None:
    stream = pubsub_v1.SubscriberClient().subscribe(f"projects/{project}/subscriptions/none", callback=print)
    with pytest.raises(exceptions.NotFound):
        stream.result(timeout=20)


def test_the_logs_tail_brings_what_is_written_from_now_on(project: str, name: str) -> None:
    writer = logging_v2.Client(project=project)
    wanted = logging_v2.types.TailLogEntriesRequest(
        resource_names=[f"projects/{project}"], filter=f'logName="projects/{project}/logs/{name}"'
    )
    client = LoggingServiceV2Client()
    asked = threading.Event()

    def requests() -> Iterator[Any]:
        yield wanted
        asked.wait(30)

    writer.logger(name).log_struct({"event": "before"})
    responses = client.tail_log_entries(requests(), timeout=30)
    next(iter(responses))  # the first says that the tail begins
    writer.logger(name).log_struct({"event": "after"})
    found = next(entry for response in responses for entry in response.entries)
    asked.set()
    assert dict(found.json_payload) == {"event": "after"}


def test_contents_are_generated_as_a_stream(project: str) -> None:
    client = aiplatform_v1.PredictionServiceClient()
    model = f"projects/{project}/locations/global/publishers/google/models/gemini-3-pro-image"
    wanted = aiplatform_v1.GenerateContentRequest(
        model=model, contents=[aiplatform_v1.Content(role="user", parts=[{"text": "a red kite"}])]
    )
    parts = [
        part
        for response in client.stream_generate_content(wanted)
        for part in response.candidates[0].content.parts
        if part.inline_data.data
    ]
    assert [part.inline_data.mime_type for part in parts] == ["image/png"]


def test_a_refusal_carries_its_details(project: str) -> None:
    del project
    with pytest.raises(exceptions.PermissionDenied) as caught:
        resourcemanager_v3.ProjectsClient().get_project(name="projects/none-of-ours")
    assert caught.value.reason == "IAM_PERMISSION_DENIED"
    assert caught.value.metadata["permission"] == "resourcemanager.projects.get"


def test_operations_are_found_by_their_names(project: str, name: str) -> None:
    keys = resourcemanager_v3.TagKeysClient()
    made = keys.create_tag_key(tag_key=resourcemanager_v3.TagKey(parent=f"projects/{project}", short_name=name))
    assert made.result(timeout=20).short_name == name
    operations: OperationsClient = keys.transport.operations_client
    assert operations.get_operation(made.operation.name).done
    with pytest.raises(exceptions.NotFound):
        operations.get_operation("operations/none")


def test_policies_of_resources_are_a_service_of_their_own(project: str, name: str) -> None:
    publisher, topic = pubsub_v1.PublisherClient(), f"projects/{project}/topics/{name}"
    publisher.create_topic(name=topic)
    binding = {"role": "roles/pubsub.publisher", "members": ["user:jo@example.com"]}
    publisher.set_iam_policy(request={"resource": topic, "policy": {"bindings": [binding]}})
    policy = publisher.get_iam_policy(request={"resource": topic})
    assert [(item.role, list(item.members)) for item in policy.bindings] == [(binding["role"], binding["members"])]
    held = publisher.test_iam_permissions(request={"resource": topic, "permissions": ["pubsub.topics.publish"]})
    assert list(held.permissions) == ["pubsub.topics.publish"]


def test_locations_are_a_service_of_their_own(project: str) -> None:
    client = kms_v1.KeyManagementServiceClient()
    found = client.list_locations(request={"name": f"projects/{project}"})
    assert "europe-west4" in [item.location_id for item in found.locations]
    place = f"projects/{project}/locations/europe-west4"
    assert client.get_location(request={"name": place}).location_id == "europe-west4"


def test_a_call_comes_from_the_network_of_its_proxy_credentials(
    project: str, process: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = f"projects/{project}/global/networks/vpc"
    wanted, _ = process.environment(member="user:jo@example.com", network=network)
    for variable, value in wanted.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(exceptions.PermissionDenied):
        kms_v1.KeyManagementServiceClient().get_key_ring(
            name=f"projects/{project}/locations/europe-west4/keyRings/none"
        )
    (last,) = [item for item in process.get("requests?count=5") if item["method"].endswith("keyRings.get")][-1:]
    assert (last["network"], last["principal"]) == (network, "user:jo@example.com")


@pytest.fixture
def address(process: Sandbox) -> str:
    return process.url.removeprefix("http://")


def test_in_plain_text_everybody_is_the_administrator(project: str, address: str) -> None:
    with grpc.insecure_channel(address) as channel:
        client = monitoring_v3.MetricServiceClient(transport=MetricServiceGrpcTransport(channel=channel))
        assert list(client.list_metric_descriptors(name=f"projects/{project}"))


def test_in_plain_text_a_token_still_counts(project: str, address: str) -> None:
    with grpc.insecure_channel(address) as channel:
        client = monitoring_v3.MetricServiceClient(transport=MetricServiceGrpcTransport(channel=channel))
        with pytest.raises(exceptions.Unauthenticated):
            client.list_metric_descriptors(
                name=f"projects/{project}", metadata=[("authorization", "Bearer nonsense")], retry=None
            )


def test_the_variable_of_the_pubsub_emulator_works(
    project: str, name: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", address)
    publisher, topic = (
        pubsub_v1.PublisherClient(credentials=AnonymousCredentials()),
        f"projects/{project}/topics/{name}",
    )
    publisher.create_topic(name=topic)
    policy = publisher.get_iam_policy(request={"resource": topic})  # no host says whose policy: its name does
    assert not policy.bindings
    with pytest.raises(exceptions.NotFound, match="No service has"):
        publisher.get_iam_policy(request={"resource": f"{topic}-none"})


@pytest.mark.parametrize("method", ["google.spanner.v1.Spanner/Commit", "google.pubsub.v1.Publisher/None"])
def test_a_method_the_sandbox_does_not_have_is_unimplemented_and_counted(
    process: Sandbox, address: str, method: str
) -> None:
    with grpc.insecure_channel(address) as channel:
        call: Any = channel.unary_unary(f"/{method}")
        with pytest.raises(grpc.RpcError) as caught:
            call(b"")
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.UNIMPLEMENTED
    assert f"does not emulate the gRPC method {method}" in error.details()
    assert process.get("status")["notEmulated"][method] >= 1


def test_bytes_that_are_no_message_are_refused(address: str) -> None:
    with grpc.insecure_channel(address) as channel:
        call: Any = channel.unary_unary("/google.pubsub.v1.Publisher/GetTopic")
        with pytest.raises(grpc.RpcError) as caught:
            call(b"\xff\xff")
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.INTERNAL


def test_a_reset_connection_is_unavailable_and_the_client_tries_again(project: str, process: Sandbox) -> None:
    process.post("faults", {"method": "monitoring.projects.groups.list", "kind": "reset", "count": 1})
    client = monitoring_v3.GroupServiceClient()
    assert list(client.list_groups(name=f"projects/{project}")) == []
    statuses = [item["status"] for item in process.get("requests?count=2")]
    assert statuses == [444, 200]


def test_a_reset_that_is_not_tried_again_is_seen(project: str, process: Sandbox) -> None:
    process.post("faults", {"method": "monitoring.projects.groups.create", "kind": "reset", "count": 1})
    client = monitoring_v3.GroupServiceClient()
    group = monitoring_v3.Group(display_name="x", filter='resource.type = "cloud_run_revision"')
    with pytest.raises(exceptions.ServiceUnavailable):
        client.create_group(name=f"projects/{project}", group=group)
