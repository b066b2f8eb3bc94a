"""Jobs of Cloud Run: kept with Google's defaults."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.sandbox.conftest import Caller

JOBS = "/run/v2/projects/test-project/locations/us-central1/jobs"
TYPE = "type.googleapis.com/google.cloud.run.v2.Job"
BODY = {"template": {"template": {"containers": [{"image": "us-docker.pkg.dev/cloudrun/container/job"}]}}}


@pytest.fixture
def job(admin: Caller, enable: Callable[..., None]) -> str:
    """A job's path."""
    enable("run", "iam", "compute")
    status, operation = admin("POST", f"{JOBS}?jobId=nightly", BODY)
    assert (status, operation["metadata"]["@type"], operation["response"]["@type"]) == (200, TYPE, TYPE)
    return f"{JOBS}/nightly"


def test_a_job_gets_the_defaults_of_its_tasks(admin: Caller, job: str) -> None:
    found = admin("GET", job)[1]
    tasks = found["template"]["template"]
    assert found["template"]["taskCount"] == 1
    assert (tasks["maxRetries"], tasks["timeout"]) == (3, "600s")
    assert tasks["executionEnvironment"] == "EXECUTION_ENVIRONMENT_GEN2"
    assert tasks["serviceAccount"].endswith("-compute@developer.gserviceaccount.com")
    assert tasks["containers"][0]["resources"]["limits"] == {"cpu": "1000m", "memory": "512Mi"}
    assert (found["generation"], found["observedGeneration"], found["launchStage"]) == ("1", "1", "GA")
    assert found["terminalCondition"]["state"] == "CONDITION_SUCCEEDED"


def test_a_change_is_a_new_generation_and_replaces_the_template(admin: Caller, job: str) -> None:
    before = admin("GET", job)[1]
    changed = {"template": {"template": {"containers": [{"image": "other"}], "maxRetries": 1}}}
    assert admin("PATCH", job, changed)[0] == 200
    after = admin("GET", job)[1]
    assert (after["generation"], after["template"]["template"]["maxRetries"]) == ("2", 1)
    assert (after["uid"], after["creator"]) == (before["uid"], before["creator"])
    status, body = admin("PATCH", job, {**changed, "etag": before["etag"]})
    assert (status, body["error"]["status"]) == (409, "ABORTED")
    assert admin("PATCH", f"{job}?updateMask=labels", {"labels": {"a": "b"}})[0] == 200
    assert admin("GET", job)[1]["template"]["template"]["maxRetries"] == 1


def test_a_deleted_job_is_gone(admin: Caller, job: str) -> None:
    assert admin("DELETE", job)[1]["response"]["name"].endswith("/jobs/nightly")
    status, body = admin("GET", job)
    assert (status, body["error"]["message"]) == (404, f'job "{job.removeprefix("/run/v2/")}" not found')


@pytest.mark.usefixtures("job")
def test_a_job_needs_a_good_name_and_an_account_that_exists(admin: Caller) -> None:
    status, body = admin("POST", f"{JOBS}?jobId=Nightly", BODY)
    assert (status, "at most 63" in body["error"]["message"]) == (400, True)
    absent = {"template": {"template": {"serviceAccount": "absent@test-project.iam.gserviceaccount.com"}}}
    status, body = admin("POST", f"{JOBS}?jobId=other", absent)
    assert (status, body["error"]["status"]) == (400, "FAILED_PRECONDITION")
