from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.sandbox.conftest import Caller


@pytest.fixture
def place(project: str, enable: Callable[..., None]) -> str:
    enable("eventarc")
    return f"projects/{project}/locations/europe-west4"


def test_the_google_channel_of_a_location_is_always_there(admin: Caller, place: str) -> None:
    url = f"/eventarc/v1/{place}/googleChannelConfig"
    name = f"{place}/googleChannelConfig"
    assert admin("GET", url) == (200, {"name": name})
    body = {"name": name, "labels": {"env": "prod"}, "cryptoKeyName": "projects/p/locations/l/keyRings/r/cryptoKeys/k"}
    changed = admin("PATCH", url, body, params={"updateMask": "cryptoKeyName"})[1]
    assert changed == {"name": name, "cryptoKeyName": body["cryptoKeyName"], "updateTime": changed["updateTime"]}
    assert admin("GET", url)[1] == changed


def test_a_bus_knows_its_enrolments_and_stays_while_it_has_any(admin: Caller, place: str) -> None:
    root = f"/eventarc/v1/{place}"
    bus, pipe, enrolment = (f"{place}/{kind}/x" for kind in ("messageBuses", "pipelines", "enrollments"))
    body = {"messageBus": bus, "destination": pipe, "celMatch": "true"}
    status, refusal = admin("POST", f"{root}/enrollments?enrollmentId=x", body)
    assert (status, refusal["error"]["message"]) == (404, f"Resource '{bus}' was not found")
    assert admin("GET", f"{root}/messageBuses/x:listEnrollments")[0] == 404
    assert admin("POST", f"{root}/messageBuses?messageBusId=x", {})[0] == 200
    status, refusal = admin("POST", f"{root}/pipelines?pipelineId=x", {"destinations": []})
    assert (status, refusal["error"]["message"]) == (400, "A pipeline needs exactly one destination.")
    pipeline = {"destinations": [{"httpEndpoint": {"uri": "https://x.example.com"}}]}
    assert admin("POST", f"{root}/pipelines?pipelineId=x", pipeline)[0] == 200
    status, refusal = admin("POST", f"{root}/enrollments?enrollmentId=x", {**body, "celMatch": ""})
    assert (status, "cel_match" in refusal["error"]["message"]) == (400, True)
    assert admin("GET", f"{root}/messageBuses/x:listEnrollments") == (200, {})
    assert admin("POST", f"{root}/enrollments?enrollmentId=x", body)[0] == 200
    assert admin("GET", f"{root}/messageBuses/x:listEnrollments") == (200, {"enrollments": [enrolment]})
    status, refusal = admin("DELETE", f"{root}/messageBuses/x")
    assert (status, refusal["error"]["status"]) == (400, "FAILED_PRECONDITION")
    assert admin("DELETE", f"{root}/enrollments/x")[0] == 200
    assert admin("DELETE", f"{root}/messageBuses/x")[0] == 200
