"""Calls that the sandbox does not know are listed at the end of a run."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.cloud import Cloud
from sandbox.server import unanswered
from tests.sandbox.conftest import Caller


def test_a_run_that_met_unknown_calls_lists_them(admin: Caller, cloud: Cloud, enable: Callable[..., None]) -> None:
    assert unanswered(cloud.log) == ""
    enable("run")
    path = "/run/v2/projects/test-project/locations/europe-west4/jobs/j:run"
    assert [admin("POST", path)[0] for _ in range(2)] == [501, 501]
    admin("GET", "/v1/x", headers={"Host": "unknown.googleapis.com"})
    text = unanswered(cloud.log)
    assert "run.projects.locations.jobs.run (2 times)" in text
    assert "host unknown.googleapis.com (1 times)" in text
