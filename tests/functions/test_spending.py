"""What was paid for is counted, whatever became of it, and a burst does not outrun the ledger."""

import asyncio
import json
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from starlette.requests import Request
from starlette.responses import Response

from generation.errors import QuotaExhausted
from generation.ledger import UNSEEN
from tests.functions.conftest import ENVIRONMENT, Function
from tests.functions.fake_google import AIPLATFORM, STORAGE, FakeGoogle, error_body, image_answer, refusal_answer
from tests.functions.pictures import png
from tests.functions.test_budget import Clock, Shelf, ledger

ONE_IMAGE = 0.136824
"""What an answer of the fake costs."""


def spent(google: FakeGoogle) -> float:
    """The sum of the slips in the bucket."""
    slips = (o for name, o in google.objects["spring-images"].items() if name.startswith("spend/"))
    return sum(float(slip.metadata["amount"]) for slip in slips)


@pytest.fixture
async def thrifty(google: FakeGoogle) -> AsyncIterator[Function]:  # noqa: ARG001 -- its environment must be set first
    """An instance of a campaign that may spend what some images cost."""
    running = Function(ENVIRONMENT | {"PLANTAIN_BUDGET": json.dumps({"amount": 1})})
    yield running
    await running.close()


@pytest.mark.parametrize("processes", [1, 2, 8])
async def test_a_burst_that_comes_to_several_processes_at_once_does_not_outrun_the_budget(processes: int) -> None:
    shelf, clock = Shelf(), Clock()
    books = [ledger(shelf, clock, "100") for _ in range(processes)]

    results = await asyncio.gather(
        *(book.reserve(Decimal("0.2")) for _ in range(600) for book in books), return_exceptions=True
    )

    refused = [result for result in results if isinstance(result, BaseException)]
    assert all(isinstance(result, QuotaExhausted) for result in refused)
    granted = (len(results) - len(refused)) * Decimal("0.2")
    assert Decimal(95) < granted <= 100 * (1 + UNSEEN * processes)


async def test_a_burst_that_is_given_up_leaves_nothing_aside() -> None:
    shelf, clock = Shelf(), Clock()
    books = [ledger(shelf, clock, "100") for _ in range(2)]
    for book in books:
        granted = [await book.reserve(Decimal("0.2")) for _ in range(200)]
        for each in granted:
            await book.settle(each, Decimal(0))
        await book.flush()

    assert sum(map(Decimal, shelf.amounts)) == 0


async def test_images_that_could_not_be_stored_are_paid_for(thrifty: Function, google: FakeGoogle) -> None:
    async def refuse_images(request: Request) -> Response:
        if b'"name": "images/' in await request.body():
            google.fail(STORAGE, 403, error_body(403, "PERMISSION_DENIED", "no"), part="/upload/")
        return await google.answered(request)

    google.hook = refuse_images
    error = await thrifty.refused(prompt="x")

    assert error["details"][0]["reason"] == "PERMISSION_DENIED"
    assert thrifty.log[-1]["cost"]["amount"] == ONE_IMAGE
    assert spent(google) == pytest.approx(ONE_IMAGE)


async def test_an_image_that_could_not_be_stored_is_not_made_anew_by_the_next_model(
    thrifty: Function, google: FakeGoogle
) -> None:
    quota = error_body(429, "RESOURCE_EXHAUSTED", "No.", [{"reason": "RATE_LIMIT_EXCEEDED"}])

    async def refuse_images(request: Request) -> Response:
        if b'"name": "images/' in await request.body():
            google.fail(STORAGE, 429, quota, part="/upload/")
        return await google.answered(request)

    google.hook = refuse_images
    error = await thrifty.refused(prompt="x", fallback=["gemini-3.1-flash-image"], timeoutSeconds=20)

    assert error["details"][0]["reason"] == "QUOTA_EXCEEDED"
    assert len(google.model_calls) == 1


async def test_of_several_images_those_that_came_are_paid_for(thrifty: Function, google: FakeGoogle) -> None:
    google.answers = [image_answer(png()), refusal_answer("IMAGE_SAFETY"), {"candidates": 7}]

    error = await thrifty.refused(prompt="x", count=3)

    assert error["details"][0]["reason"] == "MODEL_FAILED"
    assert thrifty.log[-1]["usage"]["imageTokenCount"] == 1120
    assert spent(google) == pytest.approx(thrifty.log[-1]["cost"]["amount"]) == pytest.approx(ONE_IMAGE + 12 * 2e-6)


async def test_an_answer_that_is_not_waited_for_counts_as_its_estimate(thrifty: Function, google: FakeGoogle) -> None:
    """Else short times would be a way around the ceiling."""
    google.pause = 2

    error = await thrifty.refused(prompt="x", timeoutSeconds=1)

    assert error["details"][0]["reason"] == "DEADLINE_EXCEEDED"
    assert thrifty.application._generator is not None
    await thrifty.application._generator._flights.land()
    assert spent(google) >= ONE_IMAGE


async def test_a_model_that_was_never_reached_costs_nothing(thrifty: Function, google: FakeGoogle) -> None:
    google.fail(AIPLATFORM, 503, "busy", part=":generateContent", times=9)

    await thrifty.refused(prompt="x")

    assert spent(google) == pytest.approx(0)
    assert "cost" not in thrifty.log[-1]


async def test_two_who_made_the_same_image_paid_twice_and_one_image_is_kept(google: FakeGoogle) -> None:
    """As when a lease runs out, or clocks go wrong, while the first is still at it."""
    environment = ENVIRONMENT | {"PLANTAIN_BUDGET": json.dumps({"amount": 1})}
    first, second = Function(environment), Function(environment)
    google.pause = 0.5
    google.answers = [image_answer(png(colour=1)), image_answer(png(colour=2))]
    try:
        early = asyncio.ensure_future(first.made(prompt="x"))
        await asyncio.to_thread(google.asked.wait, 20)
        for name, stored in google.objects["spring-images"].items():
            stored.created = "2020-01-01T00:00:00.000Z" if name.startswith("claims/") else stored.created
        answers = [await second.made(prompt="x"), await early]
    finally:
        await first.close()
        await second.close()

    assert len(google.model_calls) == 2
    assert len({answer["images"][0]["sha256"] for answer in answers}) == 1
    assert sorted(answer["cached"] for answer in answers) == [False, True]
    records = [name for name in google.objects["spring-images"] if name.endswith("record.json")]
    assert len(records) == 1
    assert spent(google) == pytest.approx(2 * ONE_IMAGE)
