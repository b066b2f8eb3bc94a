from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.conftest import Caller

Document = dict[str, Any]
INSTANCES = 'metric.type="run.googleapis.com/container/instance_count" AND resource.type="cloud_run_revision"'


@pytest.fixture
def url(enable: Callable[..., None], project: str) -> str:
    """Where the project's resources lie in v3."""
    enable("monitoring", "logging")
    return f"/monitoring/v3/projects/{project}"


@pytest.fixture
def policy() -> Callable[..., Document]:
    """An alert policy with one threshold condition."""

    def build(text: str = INSTANCES, **threshold: Any) -> Document:
        condition = {
            "filter": text,
            "comparison": "COMPARISON_GT",
            "thresholdValue": 8,
            "duration": "0s",
            "aggregations": [{"alignmentPeriod": "60s", "perSeriesAligner": "ALIGN_MAX"}],
            **threshold,
        }
        return {
            "displayName": "too many",
            "combiner": "OR",
            "conditions": [{"displayName": "instances", "conditionThreshold": condition}],
        }

    return build


@pytest.fixture
def create(admin: Caller, url: str) -> Callable[[str, Document], Document]:
    """Create a resource of a collection."""

    def make(collection: str, body: Document) -> Document:
        status, answer = admin("POST", f"{url}/{collection}", body)
        assert status == 200, answer
        return dict(answer)

    return make
