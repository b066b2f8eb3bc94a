"""Every fault at every stage: nothing is lost, nothing is made twice, and the failure is said for what it is."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from google.auth.exceptions import TransportError
from google.oauth2.credentials import Credentials
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from generation.clients import connect
from tests.functions.conftest import ENVIRONMENT, QUICK, Function
from tests.functions.fake_google import (
    AIPLATFORM,
    IAM,
    LOOPBACK,
    STORAGE,
    FakeGoogle,
    Fault,
    error_body,
    image_answer,
)
from tests.functions.pictures import png

PROMPT = "a lighthouse at dusk"
PASSING = {"retryable", "quota"}


@dataclass(frozen=True)
class Stage:
    """A step of a request.

    Attributes:
        part: what the path of its call contains.
        broken: reasons that an outage of it may have.
        full: reason of its 429.
    """

    host: str
    part: str
    broken: str
    full: str


REFERENCE = "brand/bag.png"
STAGES = {
    "reference": Stage(STORAGE, f"/o/{REFERENCE}", "STORAGE_UNAVAILABLE", "STORAGE_UNAVAILABLE"),
    "look": Stage(STORAGE, "/download/", "STORAGE_UNAVAILABLE", "STORAGE_UNAVAILABLE"),
    "claim": Stage(STORAGE, "/upload/", "STORAGE_UNAVAILABLE", "STORAGE_UNAVAILABLE"),
    "model": Stage(AIPLATFORM, ":generateContent", "MODEL_UNAVAILABLE", "CAPACITY_EXHAUSTED"),
    "image": Stage(STORAGE, "/upload/", "STORAGE_UNAVAILABLE", "STORAGE_UNAVAILABLE"),
    "record": Stage(STORAGE, "/upload/", "STORAGE_UNAVAILABLE", "STORAGE_UNAVAILABLE"),
    "sign": Stage(IAM, ":signBlob", "IDENTITY_UNAVAILABLE", "IDENTITY_UNAVAILABLE"),
}
BEFORE = {"image": 1, "record": 2}
"""Uploads that come before the stage's own."""


def refusal(code: int, **headers: str) -> Response:
    return JSONResponse(error_body(code, "FAILED", "The service said no."), code, headers)


def cut() -> Response:
    """A body that ends before its stated length."""

    async def half() -> Any:
        yield b'{"candidates": [{"content": {"parts": [{"inlineData": {"data": "AAAA'
        raise ConnectionError

    return StreamingResponse(half(), headers={"content-length": "1000"}, media_type="application/json")


def slow() -> Response:
    """A body that never ends within a request's time."""

    async def drops() -> Any:
        yield b"{"
        await asyncio.sleep(30)

    return StreamingResponse(drops(), media_type="application/json")


FAULTS: dict[str, Any] = {
    "429": partial(refusal, 429),
    "429 with Retry-After": partial(refusal, 429, **{"retry-after": "1"}),
    "429 with a date": partial(refusal, 429, **{"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}),
    "500": partial(refusal, 500),
    "503": partial(refusal, 503),
    "503 without JSON": partial(PlainTextResponse, "<html>busy</html>", 503),
    "cut body": cut,
    "reset": "reset",
}
"""What answers instead; "reset" resets the connection."""


def inject(google: FakeGoogle, stage: str, answer: Any, times: int) -> None:
    """Fail calls of a stage; those of earlier stages that look alike pass."""
    place = STAGES[stage]
    for _ in range(BEFORE.get(stage, 0)):
        google.faults.append(Fault(place.host, place.part, lambda: None, 1))
    answers = google.reset_connections if answer == "reset" else answer
    google.faults.append(Fault(place.host, place.part, answers, times))


def request(google: FakeGoogle, stage: str) -> dict[str, Any]:
    """A request that comes by the stage."""
    if stage != "reference":
        return {"prompt": PROMPT}
    google.put("spring-images", REFERENCE, png(4, 4))
    return {"prompt": PROMPT, "references": [{"uri": f"gs://spring-images/{REFERENCE}"}]}


def complete(google: FakeGoogle) -> list[dict[str, Any]]:
    """The records in the bucket; each names images that are there as it says."""
    objects = google.objects["spring-images"]
    records = [json.loads(o.data) for name, o in objects.items() if name.endswith("/record.json")]
    for record in records:
        for image in record["images"]:
            stored = objects[image["object"]]
            assert stored.metadata["sha256"] == image["sha256"]
            assert len(stored.data) == image["bytes"]
    return records


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_that_passes_costs_an_attempt_and_nothing_else(
    function: Function, google: FakeGoogle, stage: str, fault: str
) -> None:
    fields = request(google, stage)
    inject(google, stage, FAULTS[fault], 1)

    first = await function.post(**fields)
    again = await function.made(**fields)

    if first.status_code == 200:
        assert again["cached"] is True
    else:
        detail = first.json()["error"]["details"][0]
        assert (stage, detail["class"]) in {("sign", "retryable"), ("sign", "quota"), ("model", "retryable")}
        assert detail["hint"] or stage == "model"
    drawn = [call for call in google.model_calls if ":generateContent" in call.path]
    assert len(drawn) <= 1 + (stage == "model"), "what is paid for is used"
    assert len(complete(google)) == 1


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("fault", [fault for fault in FAULTS if "Retry-After" not in fault])
async def test_a_fault_that_lasts_is_said_and_mended_by_asking_again(
    google: FakeGoogle, stage: str, fault: str
) -> None:
    function = Function(ENVIRONMENT)
    fields = request(google, stage)
    inject(google, stage, FAULTS[fault], 50)
    try:
        error = await function.refused(**fields, timeoutSeconds=5)
        google.faults.clear()
        assert function.application._generator is not None
        await function.application._generator._flights.land()
        claims = [name for name in google.objects["spring-images"] if name.startswith("claims/")]
        for name in claims:  # as when the lease has run out
            google.objects["spring-images"][name].created = "2020-01-01T00:00:00.000Z"
        again = await function.made(**fields)
    finally:
        await function.close()

    detail = error["details"][0]
    place = STAGES[stage]
    expected = place.full if fault.startswith("429") else place.broken
    assert detail["reason"] == expected
    assert detail["class"] in PASSING
    assert detail["hint"]
    assert detail["retryAfterSeconds"] >= 1
    assert again["images"]
    assert len(complete(google)) == 1


@pytest.mark.parametrize("stage", ["claim", "image", "record"])
async def test_a_condition_that_is_not_met_though_nothing_is_there_leaves_nothing_half(
    function: Function, google: FakeGoogle, stage: str
) -> None:
    """As when somebody deletes the object in the same moment."""
    inject(google, stage, partial(refusal, 412), 1)

    first = await function.post(prompt=PROMPT)
    kept = complete(google)
    again = await function.made(prompt=PROMPT)

    assert len(kept) == (first.status_code == 200), "what is answered is there"
    assert len(complete(google)) == 1
    assert again["images"]


@pytest.mark.parametrize("stage", ["reference", "look", "claim", "model", "image", "record", "sign"])
async def test_a_body_that_does_not_end_is_given_up_at_the_deadline(
    google: FakeGoogle, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("generation.bucket.CALL_SECONDS", 0.3)
    monkeypatch.setattr("generation.signing.SECONDS", 0.3)
    function = Function(ENVIRONMENT)
    fields = request(google, stage)
    inject(google, stage, slow, 50)
    try:
        error = await function.refused(**fields, timeoutSeconds=1)
    finally:
        google.faults.clear()
        await function.close()

    assert error["details"][0]["class"] == "retryable"
    assert error["details"][0]["reason"] in {"DEADLINE_EXCEEDED", STAGES[stage].broken}


@pytest.mark.parametrize(
    "body",
    [
        '{"candidates": [{"content": {"parts": [{"inlineData": {"mimeType": "image/png", "data": "%%%%"}}]}}]}',
        '{"candidates": [{"content": {"parts": [{"inlineData": {"data": 7}}]}, "finishReason": "STOP"}]}',
        '{"candidates": 7}',
        '{"candidates": [7]}',
        '{"candidates": [{"content": []}]}',
        '{"candidates": [{"content": {"parts": ["x"]}}]}',
        '{"candidates": [{"content": {"parts": [{"thoughtSignature": "%", "inlineData": {"data": "AAAA"}}]}}]}',
        '{"usageMetadata": {"promptTokenCount": "many"}}',
        "[]",
        "null",
        "",
    ],
)
async def test_an_answer_of_another_shape_is_a_failure_of_the_model(
    function: Function, google: FakeGoogle, body: str
) -> None:
    google.fail(AIPLATFORM, 200, body, part=":generateContent", times=9)

    error = await function.refused(prompt=PROMPT)

    assert error["details"][0]["reason"] == "MODEL_FAILED"
    assert error["details"][0]["class"] == "retryable"
    assert not complete(google)


@pytest.mark.parametrize("host", [AIPLATFORM, STORAGE, IAM])
async def test_a_connection_that_is_refused(google: FakeGoogle, host: str) -> None:
    function = Function(ENVIRONMENT)
    google.unreachable = {host}
    try:
        error = await function.refused(prompt=PROMPT, timeoutSeconds=5)
    finally:
        google.unreachable = set()
        await function.close()

    assert error["details"][0]["class"] == "retryable"
    assert "restricted.googleapis.com" in error["details"][0]["hint"]


async def test_an_upload_whose_answer_is_lost_is_found_again(function: Function, google: FakeGoogle) -> None:
    """Cloud Storage stored it and said so to nobody: the next try meets 412, and its own contents."""
    real = google._upload
    lost: list[str] = []

    def upload(*arguments: Any) -> Response:
        answer = real(*arguments)
        if len(lost) < 3:
            lost.append("answer")
            return refusal(503)
        return answer

    google._upload = upload  # type: ignore[method-assign,assignment] # a fault of this test
    try:
        made = await function.made(prompt=PROMPT)
    finally:
        del google._upload

    assert made["cached"] is False
    assert len(lost) == 3
    assert len(google.model_calls) == 1
    assert len(complete(google)) == 1
    assert made["images"][0]["uri"].endswith("/0.png")


class Failing(Credentials):  # type: ignore[misc,unused-ignore] # google-auth leaves it untyped
    """Credentials whose token endpoint is down for some calls."""

    def __init__(self, failures: int) -> None:
        super().__init__(token=None)  # type: ignore[no-untyped-call] # google-auth leaves it untyped
        self.failures = failures

    def refresh(self, request: object) -> None:
        self.failures -= 1
        if self.failures >= 0:
            raise TransportError("the metadata server does not answer")
        self.token = "fresh"


async def test_a_token_endpoint_that_is_down_for_a_while(google: FakeGoogle) -> None:
    function = Function(ENVIRONMENT, connector=partial(connect, credentials=Failing(2), storage_policy=QUICK))
    try:
        made = await function.made(prompt=PROMPT)
    finally:
        await function.close()

    assert made["cached"] is False
    assert google.model_calls[0].headers["authorization"] == "Bearer fresh"


async def test_a_token_endpoint_that_stays_down(google: FakeGoogle) -> None:
    function = Function(ENVIRONMENT, connector=partial(connect, credentials=Failing(999), storage_policy=QUICK))
    try:
        error = await function.refused(prompt=PROMPT)
    finally:
        await function.close()

    assert error["details"][0]["reason"] == "IDENTITY_UNAVAILABLE"
    assert error["details"][0]["class"] == "retryable"
    assert not google.seen


KILLED_AT = ["/download/", "/upload/#1", ":generateContent", "/upload/#2", "/upload/#3", ":signBlob"]


@pytest.mark.parametrize("stage", KILLED_AT)
def test_a_killed_process_leaves_nothing_or_all(google: FakeGoogle, tmp_path: Path, stage: str) -> None:
    """The instance is killed while a call of the stage is on its way; another one takes over."""
    part, _, number = stage.partition("#")
    reached = tmp_path / "reached"
    seen = 0

    async def answer(request: Any) -> Response:
        nonlocal seen
        if part in str(request.url) and not reached.exists():
            seen += 1
            if seen == int(number or 1):
                if number != "1":
                    await google.answered(request)  # it arrives, and nobody hears of it
                reached.touch()
                await asyncio.sleep(5)
                return refusal(503)
        return await google.answered(request)

    google.hook = answer
    environment = ENVIRONMENT | google.environment | {"PATH": os.environ["PATH"], "FUNCTION_TARGET": "images"}
    try:
        process, address = started(environment, tmp_path)
        with httpx.Client(base_url=address, trust_env=False, timeout=20) as client:
            asking = subprocess.Popen(
                [sys.executable, "-c", ASK, address, PROMPT], env={"PATH": os.environ["PATH"]}, start_new_session=True
            )
            deadline = time.monotonic() + 20
            while not reached.exists() and time.monotonic() < deadline:
                time.sleep(0.01)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)
            asking.wait(20)
            client.close()
    finally:
        google.hook = None
    assert reached.exists()
    complete(google)
    for name, stored in google.objects["spring-images"].items():
        if name.startswith("claims/"):
            stored.created = "2020-01-01T00:00:00.000Z"

    async def taken_over() -> dict[str, Any]:
        other = Function(ENVIRONMENT)
        try:
            return await other.made(prompt=PROMPT)
        finally:
            await other.close()

    again = asyncio.run(taken_over())

    assert again["images"][0]["bytes"] > 0
    assert len(complete(google)) == 1
    assert len(google.model_calls) <= 2


ASK = (
    "import sys, urllib.request as u, json\n"
    "try: u.urlopen(u.Request(sys.argv[1] + '/images', json.dumps({'prompt': sys.argv[2]}).encode(),"
    " {'Content-Type': 'application/json'}), timeout=15)\n"
    "except OSError: pass\n"
)


def started(environment: dict[str, str], folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    source = Path(__file__).parents[2] / "functions"
    with (folder / "log").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "functions_framework", f"--host={LOOPBACK}", "--port=0", "--asgi", "--debug"],
            cwd=source,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        for member in family:
            for connection in member.net_connections("tcp"):
                if connection.status == "LISTEN":
                    return process, f"http://{LOOPBACK}:{connection.laddr.port}"
        time.sleep(0.05)
    raise AssertionError("the function does not listen")


async def test_more_images_than_room_wait_and_are_all_made(google: FakeGoogle) -> None:
    function = Function(ENVIRONMENT | {"PLANTAIN_BYTES_IN_FLIGHT": "300000"})
    google.answers = [image_answer(png(4, 4, colour=n, padding=200_000)) for n in range(8)]
    try:
        made = await asyncio.gather(*(function.made(prompt=PROMPT, seed=seed) for seed in range(8)))
    finally:
        await function.close()

    assert len({answer["images"][0]["sha256"] for answer in made}) == 8
