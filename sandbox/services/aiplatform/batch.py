"""Batch prediction jobs of image models: JSON Lines in a bucket, answered line by line into another.

https://docs.cloud.google.com/gemini-enterprise-agent-platform/models/capabilities/batch-inference (read 2026-08):
at most 200,000 requests and 1 GB a job, pictures in the default size only, answers in no order that is promised.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sandbox.call import Call
from sandbox.description import Method
from sandbox.errors import ApiError, FailedPrecondition, InvalidArgument, NotFound
from sandbox.resources import Resource
from sandbox.services.aiplatform import generation
from sandbox.services.aiplatform.charges import charge
from sandbox.services.serviceusage.agent_roles import provide

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]

KIND = "aiplatform.batchPredictionJobs"
STORAGE = "https://storage.googleapis.com"
MOST_LINES = 200_000
MOST_BYTES = 1 << 30
DEFAULT_SIZE = "1K"
UNFINISHED = {"JOB_STATE_QUEUED", "JOB_STATE_PENDING", "JOB_STATE_RUNNING", "JOB_STATE_CANCELLING"}
SUPPORTED_INPUT = "gcsSource"
INVALID_ARGUMENT = 3


class JobError(Exception):
    """The job as a whole cannot go on; the message is what its ``error`` says."""


class BatchPredictionJob(Resource):
    """A job; its work goes on in the background."""

    kind = KIND
    package = "google.cloud.aiplatform.v1"

    def prepare(self, call: Call, document: Document) -> None:
        """Refuse what no job could do."""
        if not document.get("displayName"):
            raise InvalidArgument(
                "List of found errors:\t1.Field: batch_prediction_job.display_name; "
                "Message: Required field is not set.\t"
            )
        model = document.get("model", "").rpartition("/")[2]
        facts = generation.table()["models"].get(model)
        if facts is None or call.segment("locations") not in facts["locations"]:
            raise NotFound(
                f"Publisher Model `{document.get('model', '')}` was not found or is not served for batch prediction "
                f"in {call.segment('locations')}."
            )
        for uri in document.get("inputConfig", {}).get("gcsSource", {}).get("uris", []) or [""]:
            if not uri.startswith("gs://") or "/" not in uri.removeprefix("gs://"):
                raise InvalidArgument(f"inputConfig.gcsSource.uris: {uri!r} is no gs://BUCKET/OBJECT.")
        target = document.get("outputConfig", {}).get("gcsDestination", {}).get("outputUriPrefix", "")
        if not target.startswith("gs://"):
            raise InvalidArgument(f"outputConfig.gcsDestination.outputUriPrefix: {target!r} is no gs://BUCKET/PREFIX.")
        document["state"] = "JOB_STATE_PENDING"
        document["modelVersionId"] = "default"
        document["_facts"] = {"project": call.project, "location": call.segment("locations"), "model": model}

    def created(self, call: Call, document: Document) -> None:
        """The agent exists from the first job on, with the role that Google gives it."""
        provide(call.cloud, "aiplatform", str(call.project))
        start(call.cloud, document["name"])

    def deleting(self, call: Call, document: Document) -> None:
        """A job that still runs is cancelled first."""
        if document["state"] in UNFINISHED:
            raise FailedPrecondition(
                f"The BatchPredictionJob {call.name!r} is in state {document['state']}: cancel it, then delete it."
            )

    def view(self, call: Call, document: Document) -> Document:
        """Names speak of the project's number."""
        shown = super().view(call, document)
        return {**shown, "name": call.cloud.hierarchy.numbered(document["name"])}

    def missing(self, call: Call) -> NotFound:
        """In the service's words."""
        return NotFound(f"The BatchPredictionJob does not exist.: {call.name}")

    def list_field(self, method: Method) -> str:
        """The array in a list's answer."""
        del method
        return "batchPredictionJobs"


def cancel(call: Call) -> Document:
    """``:cancel``: asks; the job ends a moment later. A finished job stays as it is."""
    job = call.cloud.store.get(KIND, call.name)
    if job is None:
        raise NotFound(f"The BatchPredictionJob does not exist.: {call.name}")
    if job["state"] in UNFINISHED:
        change(call.cloud, call.name, state="JOB_STATE_CANCELLING")
        start(call.cloud, call.name)
    return {}


def start(cloud: Cloud, name: str) -> None:
    """Let the job's worker run."""
    cloud.background.wake(f"{KIND}/{name}", partial(work, cloud, name))


def resume(cloud: Cloud) -> None:
    """Begin again with the jobs that the end of the process interrupted."""
    for name, job in cloud.store.items(KIND):
        if job["state"] in UNFINISHED:
            start(cloud, name)


def change(cloud: Cloud, name: str, **fields: Any) -> Document:
    """Write fields of a job."""
    job = {**(cloud.store.get(KIND, name) or {}), **fields, "updateTime": cloud.clock.timestamp()}
    cloud.store.put(KIND, name, job)
    return job


async def work(cloud: Cloud, name: str, _: asyncio.Event) -> None:
    """Carry a job out from its first line to its last."""
    job = cloud.store.get(KIND, name)
    if job is None or job["state"] not in UNFINISHED:
        return
    if job["state"] == "JOB_STATE_CANCELLING":
        change(cloud, name, state="JOB_STATE_CANCELLED", endTime=cloud.clock.timestamp())
        return
    try:
        lines = [line async for line in read(cloud, job)]
        change(cloud, name, state="JOB_STATE_RUNNING", startTime=cloud.clock.timestamp())
        answers = await answered(cloud, name, lines)
        if answers is None:
            change(cloud, name, state="JOB_STATE_CANCELLED", endTime=cloud.clock.timestamp())
            return
        folder = await write(cloud, job, answers)
    except JobError as error:
        status = {"code": INVALID_ARGUMENT, "message": str(error)}
        change(cloud, name, state="JOB_STATE_FAILED", error=status, endTime=cloud.clock.timestamp())
        return
    failed = sum(1 for answer in answers if answer["status"])
    counts = {"successfulCount": str(len(answers) - failed), "failedCount": str(failed)}
    change(
        cloud,
        name,
        state="JOB_STATE_SUCCEEDED",
        completionStats={key: value for key, value in counts.items() if value != "0"},
        outputInfo={"gcsOutputDirectory": folder},
        endTime=cloud.clock.timestamp(),
    )


async def read(cloud: Cloud, job: Document) -> AsyncIterator[Document]:
    """The requests of all input files.

    Raises:
        JobError: a file cannot be read, is too large, or a line is no request.
    """
    count = size = 0
    for uri in job["inputConfig"]["gcsSource"]["uris"]:
        bucket, _, path = uri.removeprefix("gs://").partition("/")
        url = f"{STORAGE}/storage/v1/b/{bucket}/o/{quote(path, safe='')}?alt=media"
        content = await storage(cloud, job, "GET", url, f"Cannot read {uri}")
        size += len(content)
        for number, line in enumerate(content.splitlines(), start=1):
            if not line.strip():
                continue
            count += 1
            if count > MOST_LINES or size > MOST_BYTES:
                raise JobError(f"A batch holds at most {MOST_LINES} requests and {MOST_BYTES} bytes.")
            try:
                document = json.loads(line)
            except ValueError:
                raise JobError(f"{uri}, line {number}: not JSON.") from None
            if not isinstance(document, dict) or not isinstance(document.get("request"), dict):
                raise JobError(f"{uri}, line {number}: the field 'request' is missing.")
            yield document
    if not count:
        raise JobError("The input holds no request.")


async def answered(cloud: Cloud, name: str, lines: list[Document]) -> list[Document] | None:
    """The lines with their answers, in another order than asked; None when the job was cancelled meanwhile."""
    job = cloud.store.get(KIND, name) or {}
    order = list(range(len(lines)))
    random.Random(name).shuffle(order)  # noqa: S311 -- an order that nobody may rely on, not cryptography
    answers = []
    for index in order:
        now = cloud.store.get(KIND, name)
        if now is None or now["state"] == "JOB_STATE_CANCELLING":
            return None
        answers.append(await answer(cloud, job, lines[index]))
    return answers


async def answer(cloud: Cloud, job: Document, line: Document) -> Document:
    """One line: its answer, or the status that says why there is none."""
    facts, request = job["_facts"], line["request"]
    resource = f"projects/{facts['project']}/locations/{facts['location']}/publishers/google/models/{facts['model']}"
    route = cloud.description.match("aiplatform", "POST", f"v1/{resource}:generateContent")
    if route is None:
        raise JobError("The description of generateContent is missing.")
    call = Call(cloud, route.method, resource, route.parameters, {}, request)
    status, response = "", {}
    try:
        if request.get("generationConfig", {}).get("imageConfig", {}).get("imageSize", DEFAULT_SIZE) != DEFAULT_SIZE:
            raise InvalidArgument(f"Batch prediction makes images of the default size {DEFAULT_SIZE} only.")
        response = await generation.respond(call)
        charge(cloud, facts["project"], facts["model"], response, batch=True)
    except ApiError as error:
        status = json.dumps({"code": error.code, "status": error.status, "message": error.message})
    return {**line, "status": status, "processed_time": cloud.clock.timestamp(), "response": response}


async def write(cloud: Cloud, job: Document, answers: list[Document]) -> str:
    """Store the answers; returns the folder's address.

    Raises:
        JobError: the bucket takes nothing from the service's agent.
    """
    prefix = job["outputConfig"]["gcsDestination"]["outputUriPrefix"].rstrip("/")
    folder = f"{prefix}/prediction-model-{cloud.clock.timestamp()}"
    bucket, _, path = folder.removeprefix("gs://").partition("/")
    content = "".join(json.dumps(answer, ensure_ascii=False) + "\n" for answer in answers).encode()
    name = quote(f"{path}/predictions.jsonl", safe="")
    url = f"{STORAGE}/upload/storage/v1/b/{bucket}/o?uploadType=media&name={name}"
    headers = {"Content-Type": "application/octet-stream"}
    await storage(cloud, job, "POST", url, f"Cannot write to {prefix}", content=content, headers=headers)
    return folder


async def storage(cloud: Cloud, job: Document, verb: str, url: str, what: str, **options: Any) -> bytes:
    """A request of the service's agent to Cloud Storage: its permissions, the perimeter and the keys apply."""
    project = job["_facts"]["project"]
    token = cloud.agents.token(provide(cloud, "aiplatform", project))
    reply = await cloud.agents.request(verb, url, project=project, token=token, **options)
    if reply.is_success:
        return reply.content
    try:
        said = reply.json()["error"]["message"]
    except (ValueError, KeyError):
        said = reply.text
    raise JobError(f"{what}: {said}")


HANDLERS = {"aiplatform.batchPredictionJobs.cancel": cancel}
