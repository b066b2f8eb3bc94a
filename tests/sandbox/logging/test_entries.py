from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.conftest import Caller

Document = dict[str, Any]
Read = Callable[..., list[Document]]


def test_an_entry_is_completed_and_found_again(write: Callable[..., None], read: Read, project: str) -> None:
    write(severity="ERROR", jsonPayload={"model": "m"}, labels={"a": "b"})
    (entry,) = read()
    assert entry["logName"] == f"projects/{project}/logs/app"
    assert entry["resource"] == {"type": "global", "labels": {"project_id": project}}
    assert entry["insertId"]
    assert entry["timestamp"] == entry["receiveTimestamp"]


def test_the_request_gives_what_its_entries_leave_out(admin: Caller, url: str, project: str, read: Read) -> None:
    assert url
    body = {
        "logName": f"projects/{project}/logs/app",
        "resource": {"type": "cloud_run_revision", "labels": {"service_name": "s"}},
        "labels": {"campaign": "c", "env": "dev"},
        "entries": [{"textPayload": "x", "labels": {"env": "prod"}}],
    }
    assert admin("POST", "/logging/v2/entries:write", body)[0] == 200
    (entry,) = read()
    assert entry["labels"] == {"campaign": "c", "env": "prod"}
    assert entry["resource"]["labels"] == {"service_name": "s", "project_id": project}


def test_the_same_insert_id_at_the_same_time_is_the_same_entry(write: Callable[..., None], read: Read) -> None:
    for text in ("one", "two"):
        write(insertId="i", timestamp="2026-01-01T00:00:00Z", textPayload=text)
    write(insertId="i", timestamp="2026-01-02T00:00:00Z", textPayload="three")
    assert [entry["textPayload"] for entry in read()] == ["two", "three"]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"resource": {"type": "global"}}, "resourceNames, or a logName"),
        ({"logName": "projects/test-project/logs/a"}, "a monitored resource with a type"),
        ({"logName": "projects/test-project/logs/a/b", "resource": {"type": "global"}}, "invalid log name"),
        (
            {"logName": "projects/test-project/logs/a", "resource": {"type": "global"}, "severity": "LOUD"},
            "Invalid value at 'entries[0].severity', \"LOUD\"",
        ),
    ],
)
def test_malformed_entries_are_refused(admin: Caller, url: str, entry: Document, reason: str) -> None:
    assert url
    status, body = admin("POST", "/logging/v2/entries:write", {"entries": [entry]})
    assert (status, reason in body["error"]["message"]) == (400, True)


def test_a_dry_run_keeps_nothing(admin: Caller, url: str, project: str, read: Read) -> None:
    assert url
    entry = {"logName": f"projects/{project}/logs/app", "resource": {"type": "global"}}
    assert admin("POST", "/logging/v2/entries:write", {"entries": [entry], "dryRun": True})[0] == 200
    assert read() == []


def test_pages_and_order(admin: Caller, write: Callable[..., None], read: Read, project: str) -> None:
    for day in (1, 2, 3):
        write(timestamp=f"2026-01-0{day}T00:00:00Z", textPayload=str(day))
    assert [e["textPayload"] for e in read(orderBy="timestamp desc")] == ["3", "2", "1"]
    asked = {"resourceNames": [f"projects/{project}"], "filter": 'LOG_ID("app")', "pageSize": 2}
    first = admin("POST", "/logging/v2/entries:list", asked)[1]
    second = admin("POST", "/logging/v2/entries:list", {**asked, "pageToken": first["nextPageToken"]})[1]
    assert [e["textPayload"] for e in first["entries"] + second["entries"]] == ["1", "2", "3"]
    assert "nextPageToken" not in second
    assert admin("POST", "/logging/v2/entries:list", {**asked, "orderBy": "severity"})[0] == 400


def test_a_log_writer_writes_and_a_viewer_reads(
    admin: Caller, as_member: Callable[[str], Caller], url: str, project: str
) -> None:
    assert url
    bindings = [
        {"role": "roles/logging.logWriter", "members": ["user:writer@example.com"]},
        {"role": "roles/logging.viewer", "members": ["user:viewer@example.com"]},
    ]
    path = f"/cloudresourcemanager/v1/projects/{project}:setIamPolicy"
    assert admin("POST", path, {"policy": {"bindings": bindings}})[0] == 200
    entry = {"logName": f"projects/{project}/logs/app", "resource": {"type": "global"}, "textPayload": "x"}
    asked = {"resourceNames": [f"projects/{project}"], "filter": 'LOG_ID("app")'}
    writer, viewer = as_member("user:writer@example.com"), as_member("user:viewer@example.com")
    assert writer("POST", "/logging/v2/entries:write", {"entries": [entry]})[0] == 200
    assert len(viewer("POST", "/logging/v2/entries:list", asked)[1]["entries"]) == 1
    for caller, verb, body in ((viewer, "write", {"entries": [entry]}), (writer, "list", asked)):
        status, answer = caller("POST", f"/logging/v2/entries:{verb}", body)
        assert (status, answer["error"]["status"]) == (403, "PERMISSION_DENIED")


def test_data_access_logs_are_private(
    admin: Caller, as_member: Callable[[str], Caller], write: Callable[..., None], project: str
) -> None:
    write("cloudaudit.googleapis.com%2Fdata_access", textPayload="secret")
    bindings = [
        {"role": "roles/logging.viewer", "members": ["user:viewer@example.com"]},
        {"role": "roles/logging.privateLogViewer", "members": ["user:auditor@example.com"]},
    ]
    path = f"/cloudresourcemanager/v1/projects/{project}:setIamPolicy"
    assert admin("POST", path, {"policy": {"bindings": bindings}})[0] == 200
    text = 'LOG_ID("cloudaudit.googleapis.com/data_access")'
    asked = {"resourceNames": [f"projects/{project}"], "filter": text}
    assert "entries" not in as_member("user:viewer@example.com")("POST", "/logging/v2/entries:list", asked)[1]
    found = as_member("user:auditor@example.com")("POST", "/logging/v2/entries:list", asked)[1]["entries"]
    assert [entry["textPayload"] for entry in found] == ["secret"]


def test_logs_are_listed_and_deleted(admin: Caller, url: str, write: Callable[..., None], project: str) -> None:
    write("my%2Flog", textPayload="x")
    assert f"projects/{project}/logs/my%2Flog" in admin("GET", f"{url}/logs")[1]["logNames"]
    assert admin("DELETE", f"{url}/logs/my%2Flog") == (200, {})
    assert admin("DELETE", f"{url}/logs/my%2Flog")[0] == 404
    assert admin("DELETE", f"{url}/logs/cloudaudit.googleapis.com%2Factivity")[0] == 400


def test_log_metrics_are_described_and_keep_their_kind(admin: Caller, url: str, project: str) -> None:
    body = {"name": "errors", "filter": "severity>=ERROR", "description": "d"}
    metric = admin("POST", f"{url}/metrics", body)[1]
    assert metric["metricDescriptor"] == {
        "name": f"projects/{project}/metricDescriptors/logging.googleapis.com/user/errors",
        "type": "logging.googleapis.com/user/errors",
        "metricKind": "DELTA",
        "valueType": "INT64",
        "unit": "1",
        "description": "d",
    }
    distribution = {"metricDescriptor": {"valueType": "DISTRIBUTION"}, "valueExtractor": "EXTRACT(jsonPayload.x)"}
    status, answer = admin("PUT", f"{url}/metrics/errors", {**body, **distribution})
    assert (status, "valueType of metric errors cannot be changed" in answer["error"]["message"]) == (400, True)
    assert admin("PUT", f"{url}/metrics/errors", {**body, "filter": "severity=ALERT"})[1]["filter"] == "severity=ALERT"
    assert admin("DELETE", f"{url}/metrics/errors") == (200, {})
    assert admin("GET", f"{url}/metrics/errors")[1]["error"]["message"] == "Metric errors does not exist."


def test_names_of_log_metrics_may_hold_slashes(admin: Caller, url: str) -> None:
    assert admin("POST", f"{url}/metrics", {"name": "a/b", "filter": "severity>=ERROR"})[1]["name"] == "a/b"
    assert admin("GET", f"{url}/metrics/a%2Fb")[1]["name"] == "a/b"
    assert [metric["name"] for metric in admin("GET", f"{url}/metrics")[1]["metrics"]] == ["a/b"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"filter": ""}, "needs a filter"),
        ({"metricDescriptor": {"valueType": "DISTRIBUTION"}}, "needs a valueExtractor"),
        ({"labelExtractors": {"a": "EXTRACT(x)"}}, "without a label in the descriptor: a"),
        ({"valueExtractor": "jsonPayload.x"}, "Invalid extractor"),
    ],
)
def test_what_cannot_be_a_log_metric_is_refused(admin: Caller, url: str, change: Document, reason: str) -> None:
    status, answer = admin("POST", f"{url}/metrics", {"name": "m", "filter": "severity>=ERROR", **change})
    assert (status, reason in answer["error"]["message"]) == (400, True)
