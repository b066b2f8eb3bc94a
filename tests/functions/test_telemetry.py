"""Traces and metrics reach Cloud Trace and Cloud Monitoring; no word of a caller is in them."""

import json
import sys
from typing import Any

import pytest

from tests.functions.conftest import ENVIRONMENT, Function
from tests.functions.fake_google import MONITORING, TRACE, FakeGoogle, refusal_answer

SECRET = "the-unannounced-product"
PARENT = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
async def measured(google: FakeGoogle) -> FakeGoogle:
    """The fake, after a request that succeeds, one from the bucket and one that is declined."""
    function = Function(ENVIRONMENT | {"PLANTAIN_TELEMETRY": "metrics,traces"})
    headers = {"traceparent": f"00-{PARENT}-b7ad6b7169203331-01"}
    try:
        for _ in range(2):
            await function.http.post("/images", json={"prompt": SECRET, "requestId": "deck-7"}, headers=headers)
        google.answers = [refusal_answer("IMAGE_SAFETY", text=SECRET)]
        await function.http.post("/images", json={"prompt": SECRET, "seed": 1}, headers=headers)
    finally:
        await function.close()
    return google


def series(google: FakeGoogle) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for call in google.calls(MONITORING):
        for item in call.json["timeSeries"]:
            found.setdefault(item["metric"]["type"].rpartition("/")[2], []).append(item)
    return found


def value(item: dict[str, Any]) -> Any:
    return item["points"][0]["value"]


def test_metrics_count_outcomes_images_tokens_cost_and_time(measured: FakeGoogle) -> None:
    assert measured.calls(MONITORING)[0].path == "/v3/projects/spring-launch-4711/timeSeries"
    found = series(measured)
    outcomes = {(i["metric"]["labels"]["class"], i["metric"]["labels"]["cached"]): value(i) for i in found["outcomes"]}
    assert outcomes == {
        ("ok", "false"): {"doubleValue": 1.0},
        ("ok", "true"): {"doubleValue": 1.0},
        ("safety", "false"): {"doubleValue": 1.0},
    }
    assert sum(value(item)["doubleValue"] for item in found["images"]) == 1
    assert sum(value(item)["doubleValue"] for item in found["tokens"]) == 1332 + 12
    assert sum(value(item)["doubleValue"] for item in found["cost"]) == pytest.approx(0.136824 + 0.000024)
    stages = {item["metric"]["labels"]["stage"] for item in found["latency"]}
    assert stages == {"queue", "model", "store", "total"}
    distribution = value(found["latency"][0])["distributionValue"]
    assert int(distribution["count"]) == sum(map(int, distribution["bucketCounts"]))
    assert len(distribution["bucketCounts"]) == len(distribution["bucketOptions"]["explicitBuckets"]["bounds"]) + 1
    gauge = found["bytes_in_flight"][0]
    assert (gauge["metricKind"], "startTime" in gauge["points"][0]["interval"]) == ("GAUGE", False)
    assert found["outcomes"][0]["resource"]["labels"]["namespace"] == "spring-launch"


def test_traces_go_on_from_the_callers(measured: FakeGoogle) -> None:
    call = measured.calls(TRACE)[0]
    assert call.path == "/v2/projects/spring-launch-4711/traces:batchWrite"
    spans = [span for seen in measured.calls(TRACE) for span in seen.json["spans"]]
    assert {span["displayName"]["value"] for span in spans} == {"/images", "generateContent"}
    assert all(f"/traces/{PARENT}/" in span["name"] for span in spans)
    requests = {s["spanId"]: s for s in spans if s["spanKind"] == "SERVER"}
    assert {span["parentSpanId"] for span in requests.values()} == {"b7ad6b7169203331"}
    calls = [span for span in spans if span["displayName"]["value"] == "generateContent"]
    assert {span["parentSpanId"] for span in calls} <= set(requests)
    assert calls[0]["attributes"]["attributeMap"] == {"model": {"stringValue": {"value": "gemini-3-pro-image"}}}


def test_no_word_of_a_caller_is_in_them(measured: FakeGoogle) -> None:
    sent = [call.body for host in (MONITORING, TRACE) for call in measured.calls(host)]
    assert sent
    for body in sent:
        assert SECRET.encode() not in body
        assert b"deck-7" not in body


async def test_a_cloud_that_does_not_take_them_costs_no_image(google: FakeGoogle) -> None:
    google.unreachable = {MONITORING}
    google.fail(TRACE, 403, json.dumps({"error": {"code": 403}}), times=9)
    function = Function(ENVIRONMENT | {"PLANTAIN_TELEMETRY": "metrics,traces"})
    headers = {"x-cloud-trace-context": f"{PARENT}/1;o=1"}
    try:
        response = await function.http.post("/images", json={"prompt": "x"}, headers=headers)
    finally:
        await function.close()

    assert response.status_code == 200


async def test_nothing_of_it_is_loaded_unless_asked_for(function: Function, google: FakeGoogle) -> None:
    loaded = {name for name in sys.modules if name.startswith("opentelemetry.sdk")}
    await function.made(prompt="x")

    assert {name for name in sys.modules if name.startswith("opentelemetry.sdk")} == loaded
    assert not google.calls(MONITORING)
    assert not google.calls(TRACE)
