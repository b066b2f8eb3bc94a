"""All that is held in memory is counted before it is there, and nobody waits for ever."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.requests import Request

from generation.app import LARGEST_BODY, Streamed
from generation.generator import INLINE, Generator
from tests.functions.conftest import ENVIRONMENT, Function, token_of
from tests.functions.fake_google import EMAIL, FakeGoogle, image_answer
from tests.functions.pictures import png

ROOM = 1_000_000
QUEUE = "projects/spring-launch-4711/locations/europe-west4/queues/images"
LARGE = png(4, 4, padding=1_500_000)


@pytest.fixture
async def narrow(google: FakeGoogle) -> AsyncIterator[Function]:  # noqa: ARG001 -- its environment must be set first
    """An instance with room for a megabyte."""
    running = Function(ENVIRONMENT | {"PLANTAIN_BYTES_IN_FLIGHT": str(ROOM), "PLANTAIN_QUEUE": QUEUE})
    yield running
    await running.close()


def inside(function: Function) -> Generator:
    """What counts."""
    assert function.application._generator is not None
    return function.application._generator


def reference(colour: int) -> dict[str, str]:
    return {"data": b64encode(png(4, 4, colour=colour, padding=400_000)).decode()}


async def pieces(body: bytes, *, pause: float = 0.0) -> AsyncIterator[bytes]:
    """A body that does not say how long it is."""
    for at in range(0, len(body), 50_000):
        yield body[at : at + 50_000]
        await asyncio.sleep(pause)


async def test_requests_that_hold_references_do_not_wait_for_each_other(narrow: Function, google: FakeGoogle) -> None:
    """The second waits for the room of the first, which must not wait behind it for its answer's."""
    google.answers = [image_answer(png(4, 4, colour=number, padding=600_000)) for number in range(6)]

    made = await asyncio.gather(
        *(narrow.made(prompt="x", references=[reference(number)], timeoutSeconds=30) for number in range(6))
    )

    assert len({answer["id"] for answer in made}) == 6
    assert inside(narrow).admission.taken == 0


async def test_a_body_of_unknown_length_is_counted_as_the_longest(narrow: Function, google: FakeGoogle) -> None:
    google.pause = 1
    body = json.dumps({"prompt": "x", "references": [reference(1)]}).encode()
    asked = asyncio.ensure_future(narrow.http.post("/images", content=pieces(body)))
    await asyncio.to_thread(google.asked.wait, 20)

    assert inside(narrow).admission.taken >= LARGEST_BODY
    assert (await asked).status_code == 200
    assert inside(narrow).admission.taken == 0


async def test_a_body_that_comes_slowly_is_given_up(narrow: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("generation.app.READ_SECONDS", 0.3)
    body = json.dumps({"prompt": "x", "references": [reference(1)]}).encode()

    response = await narrow.http.post("/images", content=pieces(body, pause=0.2))

    detail = response.json()["error"]["details"][0]
    assert (response.status_code, detail["reason"], detail["class"]) == (504, "DEADLINE_EXCEEDED", "retryable")
    assert "gcloud storage cp" in detail["hint"]
    assert narrow.log[-1]["reason"] == "DEADLINE_EXCEEDED"
    assert inside(narrow).admission.taken == 0


async def test_the_wait_for_room_is_part_of_the_time(narrow: Function, google: FakeGoogle) -> None:
    await narrow.made(prompt="the first, which makes connections")
    room = inside(narrow).admission
    await room.take(ROOM)
    asyncio.get_running_loop().call_later(1.2, room.give_back, ROOM)

    error = await narrow.refused(prompt="x", references=[reference(1)], timeoutSeconds=1)

    assert error["details"][0]["reason"] == "DEADLINE_EXCEEDED"
    assert len(google.model_calls) == 1


async def answered(function: Function, **fields: Any) -> Any:
    """The answer as the server gets it, before it is sent."""
    body = json.dumps(fields).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    scope = {"type": "http", "method": "POST", "path": "/images", "headers": headers, "query_string": b""}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return await function.application.handle(Request(scope, receive))


@pytest.mark.parametrize("cached", [False, True])
async def test_an_image_within_the_answer_is_counted_until_it_is_sent(
    narrow: Function, google: FakeGoogle, cached: bool
) -> None:
    google.answers = [image_answer(LARGE)]
    if cached:
        await narrow.made(prompt="x")
    response = await answered(narrow, prompt="x", delivery="inline")
    assert isinstance(response, Streamed)
    assert inside(narrow).admission.taken == INLINE * len(LARGE)

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(_: Any) -> None:
        raise OSError("the caller is gone")

    with pytest.raises(Exception):  # noqa: B017, PT011 -- whatever the server makes of it
        await response({"type": "http", "asgi": {"spec_version": "2.4"}}, receive, send)
    assert inside(narrow).admission.taken == 0


async def test_images_are_read_from_the_bucket_only_when_there_is_room(narrow: Function, google: FakeGoogle) -> None:
    made = await narrow.made(prompt="x")
    room = inside(narrow).admission
    await room.take(ROOM)
    google.seen.clear()
    google.objects["spring-images"][f"images/{made['id']}/record.json"].data = google.objects["spring-images"][
        f"images/{made['id']}/record.json"
    ].data.replace(f'"bytes": {made["images"][0]["bytes"]}'.encode(), b'"bytes": 9000000')
    google.answers = []

    error = await narrow.refused(prompt="x", delivery="inline", timeoutSeconds=1)
    room.give_back(ROOM)

    assert error["details"][0]["reason"] == "DEADLINE_EXCEEDED"
    assert not [seen for seen in google.seen if seen.path.endswith("0.png?alt=media")]


async def test_a_request_of_the_queue_is_read_when_there_is_room(
    narrow: Function, google: FakeGoogle, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted = await narrow.post(prompt="x", references=[reference(1)], delivery="inline", **{"async": True})
    assert accepted.status_code == 202
    name = next(name for name in google.objects["spring-images"] if name.startswith("queue/"))
    assert b"inline" not in google.objects["spring-images"][name].data, "nobody would read the bytes"
    headers = {"authorization": f"Bearer {token_of(EMAIL)}"}
    room = inside(narrow).admission
    await room.take(ROOM)
    monkeypatch.setattr("generation.app.READ_SECONDS", 0.3)

    full = await narrow.http.post("/tasks", json={"request": name}, headers=headers)
    room.give_back(ROOM)
    made = await narrow.http.post("/tasks", json={"request": name}, headers=headers)

    assert (full.status_code, full.json()["error"]["details"][0]["class"]) == (504, "retryable")
    assert made.status_code == 200
    assert room.taken == 0
