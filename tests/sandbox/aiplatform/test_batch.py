"""Batch prediction jobs run with the rights of the service's agent, and answer each line."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from sandbox.cloud import Cloud
from sandbox.services.aiplatform import batch

Answer = tuple[int, Any]
JOBS = "/aiplatform/v1/projects/test-project/locations/global/batchPredictionJobs"
FINISHED = {"JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED"}


pytestmark = pytest.mark.usefixtures("running")


@pytest.fixture
def running(client: TestClient) -> Iterator[TestClient]:
    """One event loop for the whole test, on which jobs go on between requests."""
    with client:
        yield client


@pytest.fixture
def bucket(admin: Callable[..., Answer], project: str, enable: Callable[..., None]) -> str:
    enable("aiplatform", "storage")
    assert admin("POST", f"/storage/v1/b?project={project}", {"name": "in-and-out", "location": "EU"})[0] == 200
    return "in-and-out"


def line(prompt: str, **image: Any) -> dict[str, Any]:
    config = {"generationConfig": {"imageConfig": image}} if image else {}
    return {"request": {"contents": [{"role": "user", "parts": [{"text": prompt}]}], **config}}


def upload(admin: Callable[..., Answer], bucket: str, lines: list[Any]) -> str:
    content = "\n".join(entry if isinstance(entry, str) else json.dumps(entry) for entry in lines)
    path = f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name=in.jsonl"
    reply = admin.client.post(path, content=content, headers={"Authorization": "Bearer sandbox"})  # type: ignore[attr-defined]
    assert reply.status_code == 200
    return f"gs://{bucket}/in.jsonl"


def job(source: str, model: str = "gemini-3-pro-image", **fields: Any) -> dict[str, Any]:
    return {
        "displayName": "posters",
        "model": f"publishers/google/models/{model}",
        "inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": [source]}},
        "outputConfig": {"predictionsFormat": "jsonl", "gcsDestination": {"outputUriPrefix": "gs://in-and-out/out"}},
        **fields,
    }


def finished(admin: Callable[..., Answer], name: str) -> dict[str, Any]:
    for _ in range(400):
        _, document = admin("GET", f"/aiplatform/v1/{name}")
        if document["state"] in FINISHED:
            return dict(document)
        time.sleep(0.02)
    raise AssertionError(document)


def submitted(admin: Callable[..., Answer], body: dict[str, Any]) -> dict[str, Any]:
    status, created = admin("POST", JOBS, body)
    assert status == 200, created
    return dict(created)


def answers(admin: Callable[..., Answer], folder: str) -> list[dict[str, Any]]:
    path = folder.removeprefix("gs://in-and-out/").replace("/", "%2F")
    url = f"/storage/v1/b/in-and-out/o/{path}%2Fpredictions.jsonl?alt=media"
    reply = admin.client.get(url, headers={"Authorization": "Bearer sandbox"})  # type: ignore[attr-defined]
    assert reply.status_code == 200
    return [json.loads(entry) for entry in reply.text.splitlines()]


def test_every_line_is_answered_and_one_that_cannot_be_says_why(admin: Callable[..., Answer], bucket: str) -> None:
    lines = [*(line(f"A plantain, number {n}") for n in range(5)), line("A large one", imageSize="4K")]
    created = submitted(admin, job(upload(admin, bucket, lines)))
    assert created["state"] == "JOB_STATE_PENDING"
    assert created["name"].split("/")[1].isdigit()
    done = finished(admin, created["name"])
    assert done["state"] == "JOB_STATE_SUCCEEDED"
    assert done["completionStats"] == {"successfulCount": "5", "failedCount": "1"}
    found = answers(admin, done["outputInfo"]["gcsOutputDirectory"])
    assert sorted(json.dumps(entry["request"]) for entry in found) == sorted(json.dumps(e["request"]) for e in lines)
    assert [entry["request"] for entry in found] != [entry["request"] for entry in lines]
    for entry in found:
        if entry["status"]:
            assert "default size 1K" in json.loads(entry["status"])["message"]
        else:
            assert entry["response"]["candidates"][0]["content"]["parts"][0]["inlineData"]["mimeType"] == "image/png"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["no json"], "line 1: not JSON."),
        ([{"prompt": "x"}], "line 1: the field 'request' is missing."),
        ([""], "no request"),
    ],
)
def test_a_bad_input_file_fails_the_job_with_its_line(
    admin: Callable[..., Answer], bucket: str, lines: list[Any], message: str
) -> None:
    done = finished(admin, submitted(admin, job(upload(admin, bucket, lines)))["name"])
    assert done["state"] == "JOB_STATE_FAILED"
    assert message in done["error"]["message"]


def test_a_file_that_the_agent_cannot_read_fails_the_job(admin: Callable[..., Answer], bucket: str) -> None:
    done = finished(admin, submitted(admin, job(f"gs://{bucket}/absent.jsonl"))["name"])
    assert done["state"] == "JOB_STATE_FAILED"
    assert done["error"]["message"].startswith("Cannot read gs://in-and-out/absent.jsonl: ")


@pytest.mark.parametrize(
    ("changes", "status", "message"),
    [
        ({"model": "publishers/google/models/gemini-9"}, 404, "gemini-9"),
        ({"inputConfig": {"gcsSource": {"uris": ["in.jsonl"]}}}, 400, "is no gs://BUCKET/OBJECT"),
        ({"outputConfig": {}}, 400, "is no gs://BUCKET/PREFIX"),
        ({"displayName": ""}, 400, "display_name"),
    ],
)
def test_a_job_that_could_never_run_is_refused(
    admin: Callable[..., Answer], bucket: str, changes: dict[str, Any], status: int, message: str
) -> None:
    code, refusal = admin("POST", JOBS, {**job(f"gs://{bucket}/in.jsonl"), **changes})
    assert code == status
    assert message in refusal["error"]["message"]


def test_a_running_job_is_cancelled_before_it_is_deleted(
    admin: Callable[..., Answer], bucket: str, cloud: Cloud
) -> None:
    created = submitted(admin, job(upload(admin, bucket, [line(f"Plantain {n}") for n in range(300)])))
    name = f"/aiplatform/v1/{created['name']}"
    status, refusal = admin("DELETE", name)
    assert (status, refusal["error"]["status"]) == (400, "FAILED_PRECONDITION")
    assert admin("POST", f"{name}:cancel")[0] == 200
    assert finished(admin, created["name"])["state"] == "JOB_STATE_CANCELLED"
    assert admin("DELETE", name)[0] == 200
    assert cloud.store.documents(batch.KIND) == []


def test_a_job_that_was_interrupted_begins_again(
    admin: Callable[..., Answer], bucket: str, cloud: Cloud, running: TestClient
) -> None:
    source = upload(admin, bucket, [line("A plantain")])
    name = finished(admin, submitted(admin, job(source))["name"])["name"]
    stored = cloud.hierarchy.canonical(name)
    batch.change(cloud, stored, state="JOB_STATE_RUNNING")
    assert running.portal
    running.portal.call(batch.resume, cloud)
    assert finished(admin, name)["state"] == "JOB_STATE_SUCCEEDED"
