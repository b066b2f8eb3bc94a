from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from tests.sandbox.conftest import Caller

KMS = "/cloudkms/v1/projects/test-project/locations/us-west1/keyRings"
PREFERENCES = "/cloudquotas/v1/projects/test-project/locations/global/quotaPreferences"
INFOS = "/cloudquotas/v1/projects/test-project/locations/global/services"
READS = "ReadRequestsPerMinutePerProject"
IMAGES = "GenerateContentImageGenPerMinutePerProjectPerBaseModelGlobal"
MODEL = "gemini-3-pro-image"


@pytest.fixture(autouse=True)
def apis(enable: Callable[..., None]) -> None:
    enable("cloudkms", "cloudquotas", "aiplatform")


def prefer(admin: Caller, quota_id: str, value: int, service: str = "cloudkms", **dimensions: str) -> tuple[int, Any]:
    body = {
        "service": f"{service}.googleapis.com",
        "quotaId": quota_id,
        "quotaConfig": {"preferredValue": str(value)},
        **({"dimensions": dimensions} if dimensions else {}),
    }
    name = f"{quota_id}-{'-'.join(dimensions.values())}".lower()[:60].rstrip("-")
    return admin("POST", f"{PREFERENCES}?quotaPreferenceId={name}", body)


def test_a_limit_holds_for_a_minute_and_opens_again(admin: Caller, client: TestClient) -> None:
    assert prefer(admin, READS, 3)[1]["quotaConfig"]["grantedValue"] == "3"
    client.post("/_sandbox/clock", json={"seconds": 61})  # not at the end of a minute by chance
    assert [admin("GET", KMS)[0] for _ in range(4)] == [200, 200, 200, 429]
    client.post("/_sandbox/clock", json={"seconds": 61})
    assert admin("GET", KMS)[0] == 200


def test_the_refusal_has_google_s_shape_and_says_how_to_raise_the_limit(admin: Caller, client: TestClient) -> None:
    prefer(admin, READS, 0)
    status, body = admin("GET", KMS)
    assert (status, body["error"]["status"]) == (429, "RESOURCE_EXHAUSTED")
    info = body["error"]["details"][0]
    assert (info["reason"], info["metadata"]["quota_limit"]) == ("RATE_LIMIT_EXCEEDED", READS)
    assert info["metadata"]["quota_limit_value"] == "0"
    found = client.get("/_sandbox/denials?count=1").json()[0]
    assert found["refusedBy"] == "quota"
    assert f"--quota-id={READS}" in found["cure"][0]


def test_a_preference_for_one_model_leaves_the_others_alone(admin: Caller) -> None:
    def status(model: str) -> int:
        path = f"/aiplatform/v1/projects/test-project/locations/global/publishers/google/models/{model}:generateContent"
        return admin("POST", path, {})[0]

    assert prefer(admin, IMAGES, 1, "aiplatform", base_model=MODEL)[0] == 200
    assert [status(MODEL), status(MODEL), status("gemini-2.5-flash-image")] == [400, 429, 400]


def test_what_google_set_for_a_project_counts_until_a_preference_does(admin: Caller, client: TestClient) -> None:
    quota = {"project": "test-project", "service": "cloudkms.googleapis.com", "quotaId": READS, "value": 0}
    assert client.post("/_sandbox/quotas", json=quota).status_code == 200
    assert admin("GET", KMS)[0] == 429
    prefer(admin, READS, 5)
    assert admin("GET", KMS)[0] == 200
    assert client.post("/_sandbox/quotas", json={**quota, "quotaId": "None"}).status_code == 404


def test_infos_show_the_value_in_force_for_each_dimension(admin: Caller) -> None:
    prefer(admin, IMAGES, 7, "aiplatform", base_model=MODEL)
    found = admin("GET", f"{INFOS}/aiplatform.googleapis.com/quotaInfos/{IMAGES}")[1]
    assert found["dimensionsInfos"] == [
        {"dimensions": {"base_model": MODEL}, "details": {"value": "7"}, "applicableLocations": ["global"]},
        {"details": {"value": "-1"}, "applicableLocations": ["global"]},
    ]
    listed = admin("GET", f"{INFOS}/cloudkms.googleapis.com/quotaInfos")[1]["quotaInfos"]
    assert [info["dimensionsInfos"][0]["details"]["value"] for info in listed] == ["60000", "300", "60"]
    assert admin("GET", f"{INFOS}/cloudkms.googleapis.com/quotaInfos/None")[0] == 404


def test_a_preference_is_changed_and_there_is_one_for_a_quota(admin: Caller) -> None:
    name = prefer(admin, READS, 5)[1]["name"]
    status, body = admin(
        "POST",
        f"{PREFERENCES}?quotaPreferenceId=second",
        {"service": "cloudkms.googleapis.com", "quotaId": READS, "quotaConfig": {"preferredValue": "6"}},
    )
    assert (status, body["error"]["status"]) == (409, "ALREADY_EXISTS")
    changed = admin("PATCH", f"/cloudquotas/v1/{name}?updateMask=quotaConfig", {"quotaConfig": {"preferredValue": "9"}})
    assert changed[1]["quotaConfig"]["grantedValue"] == "9"


@pytest.mark.parametrize(
    "change", [{"quotaConfig": {"preferredValue": "many"}}, {"quotaId": ""}, {"dimensions": {"colour": "red"}}]
)
def test_a_malformed_preference_is_refused(admin: Caller, change: dict[str, Any]) -> None:
    body = {"service": "cloudkms.googleapis.com", "quotaId": READS, "quotaConfig": {"preferredValue": "1"}, **change}
    assert admin("POST", f"{PREFERENCES}?quotaPreferenceId=x", body)[0] == 400


def test_a_consumer_override_lowers_a_limit(admin: Caller) -> None:
    base = "/serviceusage/v1beta1/projects/test-project/services/cloudkms.googleapis.com/consumerQuotaMetrics"
    (metric,) = [m for m in admin("GET", base)[1]["metrics"] if m["metric"].endswith("read_requests")]
    limit = f"/serviceusage/v1beta1/{metric['consumerQuotaLimits'][0]['name']}"
    assert admin("GET", limit)[1]["quotaBuckets"][0]["effectiveLimit"] == "300"
    assert admin("POST", f"{limit}/consumerOverrides?force=true", {"overrideValue": "0"})[0] == 200
    assert admin("GET", KMS)[0] == 429
    assert admin("GET", limit)[1]["quotaBuckets"][0] == {"effectiveLimit": "0", "defaultLimit": "300"}
    assert quote("/min/project", safe="") in limit


def test_the_adjuster_is_off_until_it_is_switched_on(admin: Caller) -> None:
    path = "/cloudquotas/v1beta/projects/test-project/locations/global/quotaAdjusterSettings"
    assert admin("GET", path)[1]["enablement"] == "DISABLED"
    assert admin("PATCH", path, {"enablement": "ENABLED"})[1]["enablement"] == "ENABLED"
    assert admin("GET", path)[1]["enablement"] == "ENABLED"
    assert admin("PATCH", path, {"enablement": "MAYBE"})[0] == 400
