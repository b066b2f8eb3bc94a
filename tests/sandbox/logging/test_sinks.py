from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.conftest import Caller

Document = dict[str, Any]
Read = Callable[..., list[Document]]


def texts(entries: list[Document]) -> list[str]:
    return [entry["textPayload"] for entry in entries]


@pytest.fixture
def bucket(admin: Caller, url: str, project: str) -> str:
    """An empty bucket."""
    assert admin("POST", f"{url}/locations/global/buckets", {}, params={"bucketId": "b"})[0] == 200
    return f"projects/{project}/locations/global/buckets/b"


def test_built_in_sinks_are_there_and_stay(admin: Caller, url: str) -> None:
    names = {sink["name"] for sink in admin("GET", f"{url}/sinks")[1]["sinks"]}
    assert names == {"_Default", "_Required"}
    status, body = admin("DELETE", f"{url}/sinks/_Default")
    assert (status, "disable _Default instead" in body["error"]["message"]) == (400, True)


@pytest.mark.parametrize(
    ("parent", "account"),
    [
        ("projects/test-project", "service-{}@gcp-sa-logging.iam.gserviceaccount.com"),
        ("organizations/123456789012", "service-org-123456789012@gcp-sa-logging.iam.gserviceaccount.com"),
    ],
)
def test_a_sink_to_elsewhere_writes_as_its_own_account(
    admin: Caller, url: str, cloud: Any, parent: str, account: str
) -> None:
    del url
    body = {"name": "s", "destination": "pubsub.googleapis.com/projects/test-project/topics/t"}
    sink = admin("POST", f"/logging/v2/{parent}/sinks", body, params={"uniqueWriterIdentity": "true"})[1]
    number = cloud.hierarchy.project_number("test-project")
    assert sink["writerIdentity"] == f"serviceAccount:{account.format(number)}"
    policy = {"policy": {"bindings": [{"role": "roles/pubsub.publisher", "members": [sink["writerIdentity"]]}]}}
    assert admin("POST", "/cloudresourcemanager/v1/projects/test-project:setIamPolicy", policy)[0] == 200


def test_a_sink_to_the_projects_own_bucket_has_no_account(admin: Caller, url: str, bucket: str) -> None:
    body = {"name": "s", "destination": f"logging.googleapis.com/{bucket}", "disabled": False}
    sink = admin("POST", f"{url}/sinks", body, params={"uniqueWriterIdentity": "true"})[1]
    assert "writerIdentity" not in sink
    assert "disabled" not in sink


def test_a_sink_changes_by_mask_in_both_ways(admin: Caller, url: str, bucket: str) -> None:
    destination = f"logging.googleapis.com/{bucket}"
    admin("POST", f"{url}/sinks", {"name": "s", "destination": destination, "description": "d"})
    for verb, text in (("PATCH", "severity>=ERROR"), ("PUT", "severity>=WARNING")):
        body = {"destination": destination, "filter": text}
        changed = admin(verb, f"{url}/sinks/s", body, params={"updateMask": "filter"})[1]
        assert (changed["filter"], changed["description"]) == (text, "d")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"destination": "https://example.com"}, "Invalid sink destination"),
        ({"filter": "severity >"}, "Unparseable filter"),
        ({"name": "a b"}, "Invalid sink name"),
    ],
)
def test_what_cannot_be_a_sink_is_refused(admin: Caller, url: str, bucket: str, change: Document, reason: str) -> None:
    body = {"name": "s", "destination": f"logging.googleapis.com/{bucket}", **change}
    status, answer = admin("POST", f"{url}/sinks", body)
    assert (status, reason in answer["error"]["message"]) == (400, True)


def test_missing_sinks_are_404_in_googles_words(admin: Caller, url: str) -> None:
    assert admin("GET", f"{url}/sinks/gone")[1]["error"]["message"] == "Sink gone does not exist"


def test_a_bucket_holds_what_its_sinks_let_through(
    admin: Caller, url: str, bucket: str, write: Callable[..., None], read: Read
) -> None:
    sink = {
        "name": "s",
        "destination": f"logging.googleapis.com/{bucket}",
        "filter": 'LOG_ID("app") AND severity>=WARNING',
        "exclusions": [{"name": "noise", "filter": "textPayload:noise"}],
    }
    admin("POST", f"{url}/sinks", sink)
    for severity, text in (("ERROR", "kept"), ("ERROR", "only noise"), ("INFO", "too low")):
        write(severity=severity, textPayload=text)
    assert texts(read(name=f"{bucket}/views/_AllLogs")) == ["kept"]
    default = "projects/test-project/locations/global/buckets/_Default/views/_AllLogs"
    assert texts(read(name=default)) == ["kept", "only noise", "too low"]


def test_audit_entries_lie_in_the_required_bucket_only(admin: Caller, url: str, read: Read, project: str) -> None:
    admin("POST", f"{url}/exclusions", {"name": "x", "filter": "severity=DEBUG"})
    text = 'protoPayload.methodName="logging.projects.exclusions.create"'
    path = f"projects/{project}/locations/global/buckets"
    assert len(read(text, f"{path}/_Required/views/_AllLogs")) == 1
    assert read(text, f"{path}/_Default/views/_AllLogs") == []


def test_an_exclusion_keeps_entries_out_of_the_default_bucket(
    admin: Caller, url: str, write: Callable[..., None], read: Read, project: str
) -> None:
    made = admin("POST", f"{url}/exclusions", {"name": "x", "filter": "severity<ERROR"})[1]
    assert made["name"] == "x"
    write(severity="INFO", textPayload="out")
    write(severity="ERROR", textPayload="in")
    path = f"projects/{project}/locations/global/buckets/_Default/views/_AllLogs"
    assert texts(read(name=path)) == ["in"]
    admin("PATCH", f"{url}/exclusions/x", {"disabled": True}, params={"updateMask": "disabled"})
    assert texts(read(name=path)) == ["out", "in"]


def test_a_view_shows_a_part_of_its_bucket(
    admin: Caller, url: str, write: Callable[..., None], read: Read, project: str
) -> None:
    path = f"{url}/locations/global/buckets/_Default/views"
    admin("POST", path, {"filter": 'LOG_ID("one")'}, params={"viewId": "v"})
    write("one", textPayload="1")
    write("two", textPayload="2")
    assert texts(read("", f"projects/{project}/locations/global/buckets/_Default/views/v")) == ["1"]
    assert admin("DELETE", f"{path}/_AllLogs")[0] == 400
    status, body = admin("GET", f"{path}/gone")
    assert (status, body["error"]["message"]) == (404, "View gone does not exist")


def test_an_organisations_sink_needs_the_right_to_write_elsewhere(
    admin: Caller, url: str, bucket: str, write: Callable[..., None], read: Read, project: str
) -> None:
    assert url
    body = {"name": "all", "destination": f"logging.googleapis.com/{bucket}", "includeChildren": True}
    path = "/logging/v2/organizations/123456789012/sinks"
    writer = admin("POST", path, {**body, "filter": 'LOG_ID("app")'})[1]["writerIdentity"]
    write(textPayload="from below")
    assert read(name=f"{bucket}/views/_AllLogs") == []
    policy = {"policy": {"bindings": [{"role": "roles/logging.bucketWriter", "members": [writer]}]}}
    assert admin("POST", f"/cloudresourcemanager/v1/projects/{project}:setIamPolicy", policy)[0] == 200
    assert texts(read(name=f"{bucket}/views/_AllLogs")) == ["from below"]
