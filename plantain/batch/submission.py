"""Uploads inputs and creates jobs; done twice it changes nothing, because both are named by their content."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from plantain.batch.plan import CUT_SHORT, ENDED, Part, Plan
from plantain.errors import GoogleCloudError, InputError

if TYPE_CHECKING:
    from plantain.google_cloud import GoogleCloud

PRECONDITION_FAILED = 412
SHORT = 12


def host(location: str) -> str:
    """The host that serves a location."""
    return "aiplatform" if location == "global" else f"{location}-aiplatform"


def submit(cloud: GoogleCloud, plan: Plan, folder: Path, told: Callable[[Part], None] = lambda _: None) -> None:
    """Upload what is not there and create the jobs that do not exist. The plan is saved after each.

    Raises:
        InputError: an input was changed after it was prepared.
        GoogleCloudError: the bucket or Vertex AI refused.
    """
    existing = jobs(cloud, plan)
    for part in plan.parts:
        if not part.uri:
            part.uri = upload(cloud, plan, part, folder)
            plan.save(folder)
        if not part.job:
            name = display_name(plan, part)
            known = existing.get(name, {})
            usable = known and known.get("state") not in CUT_SHORT
            job = known if usable else create(cloud, plan, part, name)
            part.job, part.state = job["name"], job.get("state", "JOB_STATE_PENDING")
            plan.save(folder)
        told(part)


def display_name(plan: Plan, part: Part) -> str:
    """The job's name for people, which says what it holds: the same input never makes a second job."""
    return f"plantain-{plan.name}-{part.file.removesuffix('.jsonl')}-{part.sha256[:SHORT]}"


def jobs(cloud: GoogleCloud, plan: Plan) -> dict[str, dict[str, Any]]:
    """Existing jobs by display name; of several with one name, one that was not cut short."""
    path = f"v1/projects/{plan.project}/locations/{plan.location}/batchPredictionJobs"
    found: dict[str, dict[str, Any]] = {}
    for job in cloud.pages(host(plan.location), path, "batchPredictionJobs", pageSize=100):
        if job.get("state") not in CUT_SHORT or job["displayName"] not in found:
            found[job["displayName"]] = job
    return found


def upload(cloud: GoogleCloud, plan: Plan, part: Part, folder: Path) -> str:
    """Put a part's input into the bucket; an equal object that is there already is taken for it."""
    try:
        content = (folder / part.file).read_bytes()
    except OSError as error:
        raise InputError(
            f"{folder / part.file} cannot be read: {error.strerror}.", cure="prepare the batch again"
        ) from None
    if hashlib.sha256(content).hexdigest() != part.sha256:
        raise InputError(
            f"{folder / part.file} was changed after it was prepared, so it was not uploaded.",
            cure=f"plantain batch prepare {plan.source} --folder {folder}",
        )
    name = f"batch/{plan.name}/{part.sha256[:SHORT]}/{part.file}"
    try:
        cloud.upload(
            "storage",
            f"upload/storage/v1/b/{plan.bucket}/o",
            content,
            content_type="application/jsonl",
            params={"uploadType": "media", "name": name, "ifGenerationMatch": 0},
        )
    except GoogleCloudError as error:
        if error.status != PRECONDITION_FAILED:
            raise
        there = cloud.call("GET", "storage", f"storage/v1/b/{plan.bucket}/o/{quote(name, safe='')}")
        digest = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
        if there.get("md5Hash") not in {digest, None}:
            raise InputError(
                f"gs://{plan.bucket}/{name} holds something else; nothing was overwritten.", cure="another --name"
            ) from None
    return f"gs://{plan.bucket}/{name}"


def create(cloud: GoogleCloud, plan: Plan, part: Part, name: str) -> dict[str, Any]:
    """Create a part's job."""
    prefix = f"gs://{plan.bucket}/batch/{plan.name}/{part.sha256[:SHORT]}/out"
    body = {
        "displayName": name,
        "model": f"publishers/google/models/{plan.model}",
        "inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": [part.uri]}},
        "outputConfig": {"predictionsFormat": "jsonl", "gcsDestination": {"outputUriPrefix": prefix}},
        "labels": plan.labels,
    }
    path = f"v1/projects/{plan.project}/locations/{plan.location}/batchPredictionJobs"
    return cloud.call("POST", host(plan.location), path, body=body)


def refresh(cloud: GoogleCloud, plan: Plan) -> None:
    """Read the state of every job that has not ended."""
    for part in plan.parts:
        if not part.job or part.state in ENDED:
            continue
        job = cloud.call("GET", host(plan.location), f"v1/{part.job}")
        part.state = job.get("state", "")
        part.output = job.get("outputInfo", {}).get("gcsOutputDirectory", part.output)
        part.error = job.get("error", {}).get("message", "")


def cancel(cloud: GoogleCloud, plan: Plan, folder: Path, told: Callable[[Part], None] = lambda _: None) -> list[Part]:
    """Ask for the end of every job that has not ended; returns those parts. The plan is saved after each.

    Vertex AI cancels when it can: a job that ends first keeps its result, and what was made until then is charged.
    Source: https://docs.cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.batchPredictionJobs/cancel
    (read 2026-11).

    Raises:
        GoogleCloudError: Vertex AI refused.
    """
    refresh(cloud, plan)
    asked = []
    for part in plan.parts:
        if part.job and part.state not in ENDED:
            try:
                cloud.call("POST", host(plan.location), f"v1/{part.job}:cancel", body={})
            except GoogleCloudError as error:
                if error.reason != "FAILED_PRECONDITION":  # it has ended since it was looked at
                    raise
            else:
                part.state = "JOB_STATE_CANCELLING"
                asked.append(part)
        plan.save(folder)
        told(part)
    refresh(cloud, plan)
    plan.save(folder)
    return asked
