from __future__ import annotations

from typing import Any

import pytest

from sandbox.errors import InvalidArgument
from sandbox.services.logging.metrics import extract
from sandbox.services.logging.query import compile_filter

ENTRY: dict[str, Any] = {
    "logName": "projects/p/logs/cloudaudit.googleapis.com%2Factivity",
    "severity": "ERROR",
    "timestamp": "2026-03-01T12:00:00.123456789Z",
    "resource": {"type": "cloud_run_revision", "labels": {"service_name": "images", "project_id": "p"}},
    "labels": {"k8s-pod/app": "web", "campaign": "spring"},
    "jsonPayload": {"latencyMs": 1250, "ok": False, "models": [{"id": "flash"}, {"id": "pro"}], "text": "Hello World"},
    "httpRequest": {"status": 503},
}


@pytest.mark.parametrize(
    "text",
    [
        "",
        'resource.type="cloud_run_revision"',
        "resource.type=cloud_run_revision AND severity>=WARNING",
        "severity=ERROR",
        "severity>=400",
        "severity=(ERROR OR CRITICAL)",
        "severity!=INFO",
        'severity="error"',
        'resource.labels.service_name:"mag"',
        "jsonPayload.latencyMs>1000 jsonPayload.latencyMs<=1250",
        "jsonPayload.ok=false",
        "NOT jsonPayload.ok=true",
        "-jsonPayload.ok=true",
        "jsonPayload.models.id=pro",
        'jsonPayload.text=~"W[o]rld$"',
        'jsonPayload.text!~"moon"',
        'jsonPayload.text="hello world"',
        'labels."k8s-pod/app"="web"',
        "labels.campaign:*",
        "labels:campaign",
        'timestamp>="2026-03-01T00:00:00Z" AND timestamp<"2026-03-02"',
        'LOG_ID("cloudaudit.googleapis.com/activity")',
        'NOT LOG_ID("stdout")',
        'SOURCE("projects/p")',
        "http_request.status=503",
        '"Hello"',
        "spring",
        "(severity=INFO OR severity=ERROR) AND (httpRequest.status=503)",
        # OR binds tighter than AND.
        "severity=ERROR OR severity=INFO AND httpRequest.status=503 OR httpRequest.status=200",
        "-- a comment\nseverity=ERROR -- another\n",
        "httpRequest.status=(200 OR 503)",
        "sample(insertId, 0.5) OR severity=ERROR",
    ],
)
def test_filters_that_admit_the_entry(text: str) -> None:
    assert compile_filter(text)(ENTRY) is True


@pytest.mark.parametrize(
    "text",
    [
        "severity<ERROR",
        "severity=DEFAULT",
        "severity=(INFO OR DEBUG)",
        "NOT severity=ERROR",
        "jsonPayload.latencyMs>2000",
        "jsonPayload.missing=1",
        "jsonPayload.missing:*",
        'LOG_ID("stdout")',
        'SOURCE("projects/other")',
        "httpRequest.status!=503",
        '"moon"',
        "severity=INFO OR httpRequest.status=200 AND severity=ERROR",
        'timestamp>"2026-03-01T12:00:01Z"',
    ],
)
def test_filters_that_refuse_the_entry(text: str) -> None:
    assert compile_filter(text)(ENTRY) is False


def test_an_entry_without_severity_is_default() -> None:
    assert compile_filter("severity=DEFAULT")({"textPayload": "x"})
    assert not compile_filter("severity>DEFAULT")({"textPayload": "x"})


@pytest.mark.parametrize("text", ["severity>", "(severity=ERROR", "a=b)", "severity=~", 'a=~"["', "AND", "sample(a)"])
def test_filters_that_cannot_be_read(text: str) -> None:
    with pytest.raises(InvalidArgument, match="Unparseable filter"):
        compile_filter(text)(ENTRY)


def test_an_unknown_severity_and_a_false_time_are_refused() -> None:
    with pytest.raises(InvalidArgument, match="unknown severity 'LOUD'"):
        compile_filter("severity=LOUD")(ENTRY)
    with pytest.raises(InvalidArgument, match="no RFC 3339 time"):
        compile_filter('timestamp>"yesterday"')(ENTRY)


@pytest.mark.parametrize(
    ("extractor", "value"),
    [
        ("EXTRACT(jsonPayload.latencyMs)", "1250"),
        ('REGEXP_EXTRACT(jsonPayload.text, "(\\\\w+)$")', None),
        ('REGEXP_EXTRACT(jsonPayload.text, "(World)")', "World"),
        ("EXTRACT(jsonPayload.missing)", None),
        ("nonsense", None),
    ],
)
def test_extractors(extractor: str, value: str | None) -> None:
    assert extract(extractor, ENTRY) == value
