"""What a running service leaves behind in Logging and Monitoring."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from sandbox.cloud import Cloud
from sandbox.runtime import telemetry
from sandbox.runtime.instances import Instance
from sandbox.services.monitoring.aggregation import Series
from sandbox.services.monitoring.distributions import Distribution
from sandbox.services.monitoring.selection import select
from tests.sandbox.conftest import Caller

Document = dict[str, Any]
SERVICE = "projects/test-project/locations/europe-west4/services/images"


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    folder = tempfile.TemporaryDirectory(dir=tmp_path)
    log = tmp_path / "output.log"
    log.touch()
    process: Any = None  # telemetry reads only what an instance has written
    yield Instance(SERVICE, f"{SERVICE}/revisions/images-00001", 8080, process, log, folder)
    folder.cleanup()


@pytest.fixture
def entries(
    admin: Caller, enable: Callable[..., None], cloud: Cloud, instance: Instance
) -> Callable[[str], list[Document]]:
    """Entries of one log after collecting."""
    enable("logging")

    def read(log: str) -> list[Document]:
        telemetry.collect(cloud, instance)
        asked = {"resourceNames": ["projects/test-project"], "filter": f'LOG_ID("run.googleapis.com/{log}")'}
        status, body = admin("POST", "/logging/v2/entries:list", asked)
        assert status == 200, body
        return list(body.get("entries", []))

    return read


def write(instance: Instance, *lines: str, end: str = "\n") -> None:
    with instance.log.open("a") as output:
        output.write("\n".join(lines) + end)


def request(**headers: str) -> Request:
    given = {"host": "images.run.app", **headers}
    raw = [(key.replace("_", "-").encode(), value.encode()) for key, value in given.items()]
    return Request({"type": "http", "method": "POST", "path": "/images", "headers": raw, "query_string": b""})


def by_label(found: list[Series], label: str) -> dict[str, Any]:
    return {series.metric["labels"][label]: series.points[-1].value for series in found}


def test_a_structured_line_is_an_entry_with_its_own_fields(
    instance: Instance, entries: Callable[[str], list[Document]]
) -> None:
    line = {
        "severity": "warning",
        "message": "image done",
        "model": "flash",
        "logging.googleapis.com/trace": "projects/test-project/traces/abc",
        "logging.googleapis.com/labels": {"campaign": "c"},
        "timestamp": "2026-01-01T00:00:00Z",
    }
    write(instance, json.dumps(line))
    (entry,) = entries("stdout")
    assert (entry["severity"], entry["trace"]) == ("WARNING", "projects/test-project/traces/abc")
    assert (entry["labels"], entry["timestamp"]) == ({"campaign": "c"}, "2026-01-01T00:00:00Z")
    assert entry["jsonPayload"] == {"message": "image done", "model": "flash"}
    assert entry["resource"]["labels"]["revision_name"] == "images-00001"


def test_plain_lines_are_text_and_a_lone_message_too(
    instance: Instance, entries: Callable[[str], list[Document]]
) -> None:
    write(instance, "Traceback", "", '{"message": "hello", "severity": "loud"}', "[1]")
    assert [entry["textPayload"] for entry in entries("stderr")] == ["Traceback", "[1]"]
    (entry,) = entries("stdout")
    assert (entry["textPayload"], entry["severity"]) == ("hello", "DEFAULT")


def test_a_line_is_taken_once_and_only_when_it_is_whole(
    instance: Instance, entries: Callable[[str], list[Document]]
) -> None:
    write(instance, "one", "tw", end="")
    assert [entry["textPayload"] for entry in entries("stderr")] == ["one"]
    write(instance, "o")
    assert [entry["textPayload"] for entry in entries("stderr")] == ["one", "two"]


def test_requests_are_logged_counted_and_timed(
    cloud: Cloud, project: str, instance: Instance, entries: Callable[[str], list[Document]]
) -> None:
    for status in (200, 200, 503):
        sent = request(x_cloud_trace_context="abc/1;o=1", user_agent="test")
        telemetry.served(cloud, instance, sent, status, 10, 0.25)
    found = entries("requests")
    assert [entry["severity"] for entry in found] == ["INFO", "INFO", "ERROR"]
    assert found[0]["trace"] == "projects/test-project/traces/abc"
    assert found[0]["httpRequest"] == {
        "requestMethod": "POST",
        "requestUrl": "https://images.run.app/images",
        "status": 200,
        "responseSize": "10",
        "userAgent": "test",
        "latency": "0.250000s",
    }
    counts = by_label(select(cloud, project, 'metric.type="run.googleapis.com/request_count"'), "response_code_class")
    assert counts == {"2xx": 2.0, "5xx": 1.0}
    latencies = by_label(select(cloud, project, 'metric.type="run.googleapis.com/request_latencies"'), "response_code")
    assert isinstance(latencies["200"], Distribution)
    assert latencies["200"].count == 2
    assert latencies["200"].mean == pytest.approx(250)


@pytest.mark.parametrize(("in_flight", "active"), [(0, 0), (1, 1), (4, 1), (5, 2), (99, 3)])
def test_instances_follow_the_requests_in_flight(
    cloud: Cloud, project: str, instance: Instance, in_flight: int, active: int
) -> None:
    template = {"maxInstanceRequestConcurrency": 4, "scaling": {"maxInstanceCount": 3}}
    cloud.store.put("run.services", SERVICE, {"name": SERVICE, "template": template})
    instance.in_flight = in_flight
    telemetry.count_instances(cloud, instance)
    found = select(cloud, project, 'metric.type="run.googleapis.com/container/instance_count"')
    assert by_label(found, "state") == {"active": float(active), "idle": 0.0 if active else 1.0}


def test_a_model_counts_its_answers_and_its_refusals(
    admin: Caller, cloud: Cloud, enable: Callable[..., None], project: str
) -> None:
    enable("aiplatform")
    path = f"/aiplatform/v1/projects/{project}/locations/global/publishers/google/models/gemini-3-pro-image"
    body = {
        "contents": [{"role": "user", "parts": [{"text": "a red ball"}]}],
        "generationConfig": {"responseModalities": ["IMAGE"]},
    }
    status, answer = admin("POST", f"{path}:generateContent", body)
    assert status == 200, answer
    assert admin("POST", f"{path}:generateContent", {"contents": []})[0] == 400
    prefix = "aiplatform.googleapis.com/publisher/online_serving"
    counts = by_label(select(cloud, project, f'metric.type="{prefix}/model_invocation_count"'), "response_code")
    assert counts == {"200": 1.0, "400": 1.0}
    tokens = by_label(select(cloud, project, f'metric.type="{prefix}/token_count"'), "type")
    used = answer["usageMetadata"]
    assert tokens == {"input": used["promptTokenCount"], "output": used["candidatesTokenCount"]}
