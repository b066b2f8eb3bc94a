"""With async a request is answered at once, and made when Cloud Tasks sends it back."""

import base64
import json
from typing import Any

import httpx
import pytest

from generation.caller import caller_of
from tests.functions.conftest import ENVIRONMENT, Function, token_of
from tests.functions.fake_google import AIPLATFORM, EMAIL, TASKS, FakeGoogle, error_body, refusal_answer

QUEUE = "projects/spring-launch-4711/locations/us-central1/queues/images"
PROMPT = "a lighthouse at dusk"
SELF = {"authorization": f"Bearer {token_of(EMAIL)}"}


@pytest.fixture
async def function(google: FakeGoogle) -> Any:  # noqa: ARG001 -- its environment must be set first
    running = Function(ENVIRONMENT | {"PLANTAIN_QUEUE": QUEUE})
    yield running
    await running.close()


async def dispatched(function: Function, google: FakeGoogle) -> httpx.Response:
    """What Cloud Tasks does with the newest task."""
    task = google.calls(TASKS)[-1].json["task"]["httpRequest"]
    path = httpx.URL(task["url"]).path
    return await function.http.request(
        task["httpMethod"], path, content=base64.b64decode(task["body"]), headers=task["headers"] | SELF
    )


async def test_a_request_is_accepted_waits_and_is_made(function: Function, google: FakeGoogle) -> None:
    accepted = await function.http.post("/images", json={"prompt": PROMPT, "async": True, "labels": {"team": "x"}})
    identifier = accepted.json()["id"]
    waiting = await function.http.get(f"/images/{identifier}")
    made = await dispatched(function, google)
    shown = await function.http.get(f"/images/{identifier}")

    assert accepted.status_code == 202
    assert accepted.json() == {"id": identifier, "state": "QUEUED"}
    assert accepted.headers["location"] == f"/images/{identifier}"
    assert (waiting.status_code, waiting.json()["state"]) == (202, "QUEUED")
    assert made.status_code == 200
    assert made.json()["id"] == identifier
    assert shown.status_code == 200
    assert shown.json()["labels"]["team"] == "x"
    assert [line["event"] for line in function.log] == ["queued", "request", "outcome", "request"]


async def test_the_task_names_the_request_and_holds_no_word_of_it(function: Function, google: FakeGoogle) -> None:
    await function.http.post("/images", json={"prompt": PROMPT, "async": True, "timeoutSeconds": 100})

    call = google.calls(TASKS)[0]
    task = call.json["task"]
    assert call.path == f"/v2/{QUEUE}/tasks"
    assert task["httpRequest"]["url"] == "http://function/tasks"
    assert task["httpRequest"]["oidcToken"] == {"serviceAccountEmail": EMAIL, "audience": "http://function"}
    assert task["dispatchDeadline"] == "220s"
    body = base64.b64decode(task["httpRequest"]["body"]).decode()
    assert PROMPT not in body
    assert PROMPT in google.objects["spring-images"][json.loads(body)["request"]].data.decode()


async def test_an_equal_request_is_queued_once(function: Function, google: FakeGoogle) -> None:
    answers = [(await function.http.post("/images", json={"prompt": PROMPT, "async": True})).json() for _ in range(3)]

    assert len({answer["id"] for answer in answers}) == 1
    assert len(google.calls(TASKS)) == 1


async def test_an_image_that_is_there_is_answered_at_once(function: Function) -> None:
    made = await function.made(prompt=PROMPT)
    again = await function.http.post("/images", json={"prompt": PROMPT, "async": True})

    assert again.status_code == 200
    assert again.json()["id"] == made["id"]


async def test_a_failure_that_may_pass_is_given_back_to_the_queue(function: Function, google: FakeGoogle) -> None:
    body = error_body(429, "RESOURCE_EXHAUSTED", "Resource exhausted.")
    google.fail(AIPLATFORM, 429, body, part=":generateContent", times=4)
    accepted = await function.http.post("/images", json={"prompt": PROMPT, "async": True})

    first = await dispatched(function, google)
    waiting = await function.http.get(f"/images/{accepted.json()['id']}")
    second = await dispatched(function, google)

    assert first.status_code == 429
    assert waiting.json()["state"] == "QUEUED"
    assert second.status_code == 200


async def test_a_failure_that_lasts_ends_the_task_and_is_told_to_who_asks(
    function: Function, google: FakeGoogle
) -> None:
    google.answers = [refusal_answer("IMAGE_SAFETY")]
    accepted = await function.http.post("/images", json={"prompt": PROMPT, "async": True})

    done = await dispatched(function, google)
    shown = await function.http.get(f"/images/{accepted.json()['id']}")

    assert done.status_code == 200, "the queue has nothing to try again"
    assert done.json()["error"]["details"][0]["reason"] == "IMAGE_SAFETY"
    assert function.log[1]["class"] == "safety"
    assert shown.status_code == 400
    assert shown.json()["error"]["details"][0]["reason"] == "IMAGE_SAFETY"


async def test_nobody_but_the_queue_may_hand_work_in(function: Function, google: FakeGoogle) -> None:
    await function.http.post("/images", json={"prompt": PROMPT, "async": True})
    name = {"request": next(name for name in google.objects["spring-images"] if name.startswith("queue/"))}

    stranger = await function.http.post(
        "/tasks", json=name, headers={"authorization": f"Bearer {token_of('artist@example.com')}"}
    )
    nobody = await function.http.post("/tasks", json=name)

    for response in (stranger, nobody):
        assert response.status_code == 403
        assert response.json()["error"]["details"][0]["reason"] == "CALLER_NOT_ALLOWED"
    assert not google.model_calls


@pytest.mark.parametrize("name", ["images/x/record.json", "queue/../x", "", "queue/" + "0" * 64 + "/00000.json"])
async def test_only_requests_of_the_queue_can_be_named(function: Function, name: str) -> None:
    response = await function.http.post("/tasks", json={"request": name}, headers=SELF)

    assert response.status_code == 404


async def test_without_a_queue_async_is_refused(google: FakeGoogle) -> None:
    plain = Function(ENVIRONMENT)
    try:
        error = await plain.refused(prompt=PROMPT, **{"async": True})
    finally:
        await plain.close()

    assert error["details"][0]["reason"] == "ASYNC_UNAVAILABLE"
    assert "pulumi up" in error["details"][0]["hint"]
    assert not google.seen


@pytest.mark.parametrize(
    ("code", "reason", "hint"),
    [
        (403, "PERMISSION_DENIED", "roles/cloudtasks.enqueuer"),
        (404, "QUEUE_REFUSED", "gcloud tasks queues describe"),
        (400, "QUEUE_REFUSED", "gcloud tasks queues describe"),
        (503, "QUEUE_UNAVAILABLE", "status.cloud.google.com"),
    ],
)
async def test_a_queue_that_refuses(function: Function, google: FakeGoogle, code: int, reason: str, hint: str) -> None:
    google.fail(TASKS, code, error_body(code, "FAILED", "No."))

    error = await function.refused(prompt=PROMPT, **{"async": True})

    assert error["details"][0]["reason"] == reason
    assert hint in error["details"][0]["hint"]


async def test_no_way_to_the_queue(function: Function, google: FakeGoogle) -> None:
    google.unreachable = {TASKS}

    error = await function.refused(prompt=PROMPT, **{"async": True})

    assert error["details"][0]["reason"] == "QUEUE_UNAVAILABLE"


def test_an_identity_is_read_from_the_platforms_token_alone() -> None:
    token = token_of("Artist@example.com")
    assert caller_of({"authorization": f"Bearer {token}"}).email == "artist@example.com"
    assert caller_of({"x-serverless-authorization": f"bearer {token}", "authorization": "x"}).domain == "example.com"
    for headers in (
        {},
        {"authorization": "Bearer x"},
        {"authorization": "Bearer a.%%%.b"},
        {"authorization": "Bearer a.W10.b"},
        {"x-goog-authenticated-user-email": "artist@example.com"},
    ):
        assert caller_of(headers).email == ""


@pytest.mark.parametrize(
    ("caller", "code"), [("artist@example.com", 200), ("bot@agency.example", 200), ("x@other.example", 403), ("", 403)]
)
async def test_a_campaign_may_name_its_callers(google: FakeGoogle, caller: str, code: int) -> None:
    function = Function(ENVIRONMENT | {"PLANTAIN_CALLERS": "artist@example.com, domain:agency.example"})
    headers = {"authorization": f"Bearer {token_of(caller)}"} if caller else {}
    try:
        response = await function.http.post("/images", json={"prompt": PROMPT}, headers=headers)
        shown = await function.http.get("/images/" + "0" * 64, headers=headers)
    finally:
        await function.close()

    assert response.status_code == code
    assert (shown.status_code == 403) == (code == 403)
    assert len(google.model_calls) == (code == 200)
    if code == 403:
        assert response.json()["error"]["details"][0]["reason"] == "CALLER_NOT_ALLOWED"
