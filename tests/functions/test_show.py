"""GET /images/{id}, /healthz and /readyz."""

import pytest

from tests.functions.conftest import Function
from tests.functions.fake_google import AIPLATFORM, IAM, STORAGE, FakeGoogle, error_body


async def test_a_record_comes_with_a_fresh_signed_url(function: Function) -> None:
    made = await function.made(prompt="a lighthouse", seed=7)

    response = await function.http.get(f"/images/{made['id']}")

    record = response.json()
    assert response.status_code == 200
    assert record["id"] == made["id"]
    assert record["prompt"] == "a lighthouse"
    assert record["images"][0]["uri"] == made["images"][0]["uri"]
    assert "X-Goog-Signature=" in record["images"][0]["signedUrl"]
    assert "thoughtSignature" not in record["images"][0]
    assert response.headers["cache-control"] == "no-store", "a signed URL is for nobody's cache"


@pytest.mark.parametrize("path", ["/healthz", "/health", "/healthz/"])
async def test_health_asks_nobody(function: Function, google: FakeGoogle, path: str) -> None:
    response = await function.http.get(path)

    assert response.json() == {"status": "ok"}
    assert not google.seen
    assert not function.log, "a probe is no outcome"


@pytest.mark.parametrize("path", ["/readyz", "/ready"])
async def test_ready_asks_everything_the_function_needs(function: Function, google: FakeGoogle, path: str) -> None:
    response = await function.http.get(path)

    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "checks": [{"name": name, "status": "ok"} for name in ("identity", "bucket", "signing", "model")],
    }
    assert not google.model_calls, "being ready costs no image"


async def test_what_is_not_ready_is_named_with_its_cure(function: Function, google: FakeGoogle) -> None:
    google.fail(AIPLATFORM, 404, error_body(404, "NOT_FOUND", "Publisher Model was not found."))
    google.fail(IAM, 403, error_body(403, "PERMISSION_DENIED", "Permission 'iam.serviceAccounts.signBlob' denied"))
    del google.objects["spring-images"]

    response = await function.http.get("/readyz")

    assert response.status_code == 503
    checks = {check["name"]: check for check in response.json()["checks"]}
    assert response.json()["status"] == "failing"
    assert checks["identity"] == {"name": "identity", "status": "ok"}
    assert checks["model"]["reason"] == "MODEL_NOT_FOUND"
    assert checks["signing"]["reason"] == "SIGNING_DENIED"
    assert checks["bucket"]["reason"] == "BUCKET_NOT_FOUND"
    assert all(check.get("hint") for check in checks.values() if check["status"] == "failing")
    assert {seen.host for seen in google.seen} == {AIPLATFORM, STORAGE, IAM}
