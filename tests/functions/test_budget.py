"""No model is asked for what the campaign's budget does not cover, however many instances there are."""

import asyncio
import contextlib
import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest

from generation.bucket import Stored
from generation.errors import GenerationError, QuotaExhausted, Reason
from generation.generator import estimate
from generation.ledger import CLOSING, Ledger
from generation.models import table
from generation.request import Request
from generation.settings import Budget
from tests.functions.conftest import ENVIRONMENT, Function
from tests.functions.fake_google import STORAGE, FakeGoogle, refusal_answer

NOON = dt.datetime(2026, 11, 3, 12, tzinfo=dt.UTC)


class Shelf:
    """Objects in memory, as several instances see them."""

    def __init__(self) -> None:
        self.objects: dict[str, Stored] = {}

    @property
    def amounts(self) -> list[str]:
        return [slip.metadata["amount"] for name, slip in self.objects.items() if "/totals/" not in name]

    async def create(self, name: str, data: bytes, mime_type: str, metadata: dict[str, str]) -> bool:
        await asyncio.sleep(0)
        if name in self.objects:
            return False
        self.objects[name] = Stored(name, 1, mime_type, len(data), NOON, metadata=metadata)
        return True

    async def list(self, prefix: str, *, start: str = "", most: int | None = None) -> list[Stored]:
        await asyncio.sleep(0)
        return [o for n, o in sorted(self.objects.items()) if n.startswith(prefix) and n >= start][:most]


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> dt.datetime:
        self.time += dt.timedelta(microseconds=1)
        return self.time


def ledger(shelf: Shelf, clock: Clock, amount: str = "10", window: str = "month") -> Ledger:
    budget = Budget.model_validate({"amount": amount, "window": window})
    return Ledger(shelf, budget, clock=clock)  # type: ignore[arg-type] # as much of a store as a ledger needs


async def spend(book: Ledger, amount: str, expected: str | None = None) -> None:
    await book.settle(await book.reserve(Decimal(expected or amount)), Decimal(amount))


async def test_a_request_beyond_the_budget_is_refused_before_the_model_is_asked(google: FakeGoogle) -> None:
    function = Function(ENVIRONMENT | {"PLANTAIN_BUDGET": json.dumps({"amount": 0.4, "currency": "USD"})})
    try:
        await function.made(prompt="one")
        error = await function.refused(prompt="two", count=2)
        cached = await function.made(prompt="one")
    finally:
        await function.close()

    assert error["code"] == 429
    detail = error["details"][0]
    assert (detail["reason"], detail["class"]) == ("BUDGET_EXCEEDED", "quota")
    assert detail["hint"].startswith("Raise function.budget")
    assert detail["retryAfterSeconds"] > 0
    assert len(google.model_calls) == 1
    assert cached["cached"] is True, "what is there costs nothing"


async def test_another_instance_sees_what_was_spent(google: FakeGoogle) -> None:
    environment = ENVIRONMENT | {"PLANTAIN_BUDGET": json.dumps({"amount": 0.2})}
    first, second = Function(environment), Function(environment)
    try:
        await first.made(prompt="one")
        error = await second.refused(prompt="two")
    finally:
        await first.close()
        await second.close()

    assert error["details"][0]["reason"] == "BUDGET_EXCEEDED"
    assert len(google.model_calls) == 1


async def test_a_declined_request_costs_only_what_it_used(google: FakeGoogle) -> None:
    google.answers = [refusal_answer("IMAGE_SAFETY")] * 3
    function = Function(ENVIRONMENT | {"PLANTAIN_BUDGET": json.dumps({"amount": 0.2})})
    try:
        for seed in range(3):
            await function.refused(prompt="one", seed=seed)
        await function.made(prompt="one", seed=9)
    finally:
        await function.close()


async def test_a_ledger_that_cannot_be_read_stops_spending(google: FakeGoogle) -> None:
    function = Function(ENVIRONMENT | {"PLANTAIN_BUDGET": json.dumps({"amount": 100})})
    google.fail(STORAGE, 503, "busy", part="spend", times=99)
    try:
        error = await function.refused(prompt="one")
    finally:
        await function.close()

    assert error["details"][0]["reason"] == "STORAGE_UNAVAILABLE"
    assert not google.model_calls


async def test_far_from_the_ceiling_many_requests_share_a_slip() -> None:
    shelf, clock = Shelf(), Clock()
    book = ledger(shelf, clock, "1000")
    for _ in range(50):
        await spend(book, "0.1")

    assert shelf.amounts == []
    await book.flush()
    assert shelf.amounts == ["5.0"]


async def test_many_instances_near_the_ceiling_do_not_cross_it() -> None:
    shelf, clock = Shelf(), Clock()
    books = [ledger(shelf, clock, "1.00") for _ in range(6)]
    spent: list[Decimal] = []

    async def work(book: Ledger) -> None:
        for _ in range(8):
            with contextlib.suppress(QuotaExhausted):
                await spend(book, "0.13")
                spent.append(Decimal("0.13"))

    await asyncio.gather(*(work(book) for book in books))

    assert sum(spent) <= Decimal("1.00")
    assert len(spent) >= 3, "instances that meet at the ceiling may both step back, but most of it is used"


async def test_a_month_sums_its_days_and_closes_them_once() -> None:
    shelf, clock = Shelf(), Clock()
    clock.time = NOON - dt.timedelta(days=2)
    book = ledger(shelf, clock)
    await spend(book, "4")
    await book.flush()
    clock.time = NOON
    other = ledger(shelf, clock)

    with pytest.raises(GenerationError) as caught:
        await other.reserve(Decimal(7))

    assert caught.value.reason is Reason.BUDGET_EXCEEDED
    assert "4.00 are spent" in caught.value.message
    totals = {name: slip.metadata["amount"] for name, slip in shelf.objects.items() if "/totals/" in name}
    assert totals == {"spend/2026-11/totals/2026-11-01": "4", "spend/2026-11/totals/2026-11-02": "0"}


async def test_a_day_is_not_closed_while_slips_may_still_come() -> None:
    shelf, clock = Shelf(), Clock()
    clock.time = NOON.replace(hour=0) + CLOSING / 2
    await spend(ledger(shelf, clock), "1")

    assert "spend/2026-11/totals/2026-11-02" not in shelf.objects


async def test_the_next_window_starts_anew() -> None:
    shelf, clock = Shelf(), Clock()
    book = ledger(shelf, clock, "1", "day")
    await spend(book, "1")
    with pytest.raises(GenerationError):
        await book.reserve(Decimal("0.1"))
    clock.time += dt.timedelta(days=1)

    await book.reserve(Decimal("0.1"))


async def test_what_was_expected_and_not_spent_is_free_again() -> None:
    shelf, clock = Shelf(), Clock()
    book = ledger(shelf, clock, "1")
    for _ in range(9):
        await spend(book, "0.01", expected="0.9")


@pytest.mark.parametrize(
    ("fields", "least", "most"),
    [
        ({}, "0.13", "0.17"),
        ({"count": 4}, "0.53", "0.66"),
        ({"imageSize": "4K"}, "0.24", "0.28"),
        ({"capacity": "flex"}, "0.06", "0.09"),
    ],
)
def test_an_estimate_is_a_little_more_than_an_image_costs(fields: dict[str, Any], least: str, most: str) -> None:
    model = table().get("gemini-3-pro-image")
    assert model is not None
    request = Request.model_validate_json(json.dumps({"prompt": "a lighthouse"} | fields))
    assert Decimal(least) < estimate(request, model) < Decimal(most)
