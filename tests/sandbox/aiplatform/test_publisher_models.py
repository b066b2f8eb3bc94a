"""Publisher models as the model garden describes them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from sandbox.cloud import Cloud
from tests.sandbox.conftest import Caller


@pytest.fixture(autouse=True)
def api(enable: Callable[..., None]) -> None:
    enable("aiplatform")


def test_a_model_tells_its_stage(admin: Caller) -> None:
    status, answer = admin("GET", "/aiplatform/v1/publishers/google/models/gemini-3-pro-image")
    assert (status, answer["launchStage"]) == (200, "GA")
    assert answer["name"] == "publishers/google/models/gemini-3-pro-image"


@pytest.mark.parametrize("name", ["publishers/google/models/none", "publishers/other/models/gemini-3-pro-image"])
def test_an_unknown_model_is_404(admin: Caller, name: str) -> None:
    status, answer = admin("GET", f"/aiplatform/v1/{name}")
    assert (status, answer["error"]["status"]) == (404, "NOT_FOUND")


def test_a_model_ends_on_its_announced_day(admin: Caller, cloud: Cloud) -> None:
    path = "/aiplatform/v1/publishers/google/models/gemini-2.5-flash-image"
    assert admin("GET", path)[0] == 200
    cloud.clock.advance(timedelta(days=365).total_seconds())
    assert admin("GET", path)[0] == 404
    body = {"contents": [{"role": "user", "parts": [{"text": "a cat"}]}]}
    place = "projects/test-project/locations/global/publishers/google/models"
    assert admin("POST", f"/aiplatform/v1/{place}/gemini-2.5-flash-image:generateContent", body)[0] == 404
