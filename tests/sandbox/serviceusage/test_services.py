"""APIs of a project, one by one and in batches."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandbox.services.serviceusage import generate_titles
from tests.sandbox.conftest import Caller

SERVICES = "/serviceusage/v1/projects/test-project/services"


def test_a_batch_tells_what_is_enabled(admin: Caller, project: str) -> None:
    assert admin("POST", f"{SERVICES}/cloudkms.googleapis.com:enable")[0] == 200
    hosts = ("cloudkms.googleapis.com", "run.googleapis.com")
    names = "&".join(f"names=projects/{project}/services/{host}" for host in hosts)
    found = admin("GET", f"{SERVICES}:batchGet?{names}")[1]["services"]
    assert [item["state"] for item in found] == ["ENABLED", "DISABLED"]


def test_a_batch_is_neither_empty_nor_of_another_project(admin: Caller, project: str) -> None:
    status, body = admin("GET", f"{SERVICES}:batchGet")
    assert (status, "1 to 30" in body["error"]["message"]) == (400, True)
    status, body = admin("GET", f"{SERVICES}:batchGet?names=projects/other/services/x")
    assert (status, f"below projects/{project}" in body["error"]["message"]) == (400, True)


def test_a_misspelled_api_is_refused_as_one_that_is_not_there(admin: Caller, project: str) -> None:
    assert project == "test-project"
    batch = {"serviceIds": ["run.googleapis.com", "secretmanger.googleapis.com"]}
    attempts = [
        ("POST", f"{SERVICES}/secretmanger.googleapis.com:enable", None),
        ("GET", f"{SERVICES}/secretmanger.googleapis.com", None),
        ("POST", f"{SERVICES}:batchEnable", batch),
    ]
    for verb, path, body in attempts:
        status, answer = admin(verb, path, body)
        assert (status, answer["error"]["status"]) == (403, "PERMISSION_DENIED")
        found = "Not found or permission denied for service(s): secretmanger.googleapis.com."
        assert answer["error"]["message"] == found
        precondition, info = answer["error"]["details"]
        assert precondition["violations"][0]["subject"] == "?error_code=220002&services=secretmanger.googleapis.com"
        assert info["reason"] == "SERVICE_CONFIG_NOT_FOUND_OR_PERMISSION_DENIED"
    assert admin("POST", f"{SERVICES}/run:enable")[0] == 403
    for host in ("eventarcpublishing", "storage-component", "containerscanning"):
        assert admin("POST", f"{SERVICES}/{host}.googleapis.com:enable")[0] == 200


def test_an_api_is_disabled_once_and_only_when_nothing_needs_it(admin: Caller, project: str) -> None:
    assert project == "test-project"
    assert admin("POST", f"{SERVICES}/cloudfunctions.googleapis.com:enable")[0] == 200
    status, answer = admin("POST", f"{SERVICES}/cloudbuild.googleapis.com:disable", {})
    assert (status, answer["error"]["status"]) == (400, "FAILED_PRECONDITION")
    assert (
        "depended on by the following active service(s): cloudfunctions.googleapis.com;" in answer["error"]["message"]
    )
    body = {"disableDependentServices": True}
    assert admin("POST", f"{SERVICES}/cloudbuild.googleapis.com:disable", body)[0] == 200
    for host in ("cloudbuild", "cloudfunctions"):
        assert admin("GET", f"{SERVICES}/{host}.googleapis.com")[1]["state"] == "DISABLED"
    status, answer = admin("POST", f"{SERVICES}/cloudbuild.googleapis.com:disable", {})
    assert (status, "is not enabled" in answer["error"]["message"]) == (400, True)


def test_apis_have_their_titles_and_are_listed_by_state(admin: Caller, project: str) -> None:
    assert project == "test-project"
    assert admin("POST", f"{SERVICES}/redis.googleapis.com:enable")[0] == 200
    title = "Google Cloud Memorystore for Redis API"
    assert admin("GET", f"{SERVICES}/redis.googleapis.com")[1]["config"]["title"] == title

    def listed(**params: str) -> dict[str, str]:
        found = admin("GET", SERVICES, params={"pageSize": "1000", **params})[1]["services"]
        return {service["config"]["name"]: service["state"] for service in found}

    assert listed(filter="state:ENABLED")["redis.googleapis.com"] == "ENABLED"
    assert set(listed(filter="state:ENABLED").values()) == {"ENABLED"}
    assert "redis.googleapis.com" not in listed(filter="state:DISABLED")
    assert listed()["file.googleapis.com"] == "DISABLED"


def test_titles_are_made_from_discovery_documents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    facts = {"name": "things", "title": "Things API", "rootUrl": "https://things-eu.googleapis.com/"}
    (documents / "things.v1.json").write_text(json.dumps(facts))
    (documents / "index.json").write_text("{}")
    monkeypatch.setattr(generate_titles, "FILE", tmp_path / "titles.json")
    generate_titles.main([str(documents), "1.2.3"])
    made = json.loads((tmp_path / "titles.json").read_text())
    hosts = ("things-eu.googleapis.com", "things.googleapis.com")
    assert made == {"source": "google-api-python-client 1.2.3", "titles": dict.fromkeys(hosts, "Things API")}
