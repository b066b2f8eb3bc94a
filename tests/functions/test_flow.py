"""What stands between requests and a model: slots, a breaker, retries that are earned, room in memory, a ceiling."""

import asyncio
import json
from typing import Any

import pytest

from generation.admission import WITHOUT_LIMIT, Admission, Room, room_of_the_instance
from generation.breaker import Breaker
from generation.concurrency import PAUSE_SECONDS, Limiter
from generation.errors import GenerationError, Reason, failure
from generation.rate import WINDOW_SECONDS, Rate
from generation.retry import Policy, RetryBudget, patiently
from tests.functions.conftest import ENVIRONMENT, Function, token_of
from tests.functions.fake_google import AIPLATFORM, FakeGoogle, error_body

FULL = failure(Reason.CAPACITY_EXHAUSTED, "full")
DOWN = failure(Reason.MODEL_UNAVAILABLE, "down")


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


class TestSlots:
    """Concurrency follows the model's capacity, and is shared fairly."""

    async def hold(self, limiter: Limiter, caller: str, order: list[str], end: asyncio.Event) -> None:
        async with limiter.slot(caller):
            order.append(caller)
            await end.wait()

    async def test_no_more_calls_run_than_there_are_slots(self) -> None:
        limiter, order, end = Limiter(3), list[str](), asyncio.Event()
        tasks = [asyncio.create_task(self.hold(limiter, "a", order, end)) for _ in range(10)]
        await turns()
        assert len(order) == limiter.active == 3
        end.set()
        await asyncio.gather(*tasks)
        assert len(order) == 10
        assert limiter.active == 0

    async def test_callers_are_served_in_turn(self) -> None:
        limiter, order, ends = Limiter(1), list[str](), asyncio.Event()
        waiting = ["a", "a", "a", "a", "b", "b"]
        tasks = []
        for caller in waiting:
            tasks.append(asyncio.create_task(self.hold(limiter, caller, order, ends)))
            await turns()
        ends.set()
        await asyncio.gather(*tasks)
        assert order == ["a", "a", "b", "a", "b", "a"]

    async def refuse(self, limiter: Limiter) -> None:
        with pytest.raises(GenerationError):
            async with limiter.slot("a"):
                raise FULL

    async def test_a_refusal_narrows_once_and_successes_widen(self) -> None:
        clock = Clock()
        limiter = Limiter(100, clock=clock)
        end = asyncio.Event()
        held = [asyncio.create_task(self.hold(limiter, "a", [], end)) for _ in range(39)]
        await turns()
        await self.refuse(limiter)
        assert limiter.limit == 28, "seven tenths of the forty that were under way"
        clock.time += PAUSE_SECONDS / 2
        end.set()
        await asyncio.gather(*held)
        widened = limiter.limit
        assert widened == 29
        await self.refuse(limiter)
        assert limiter.limit == widened, "a refusal of the same burst narrows nothing more"
        clock.time += PAUSE_SECONDS
        await self.refuse(limiter)
        assert limiter.limit == 1

    async def test_who_goes_away_leaves_no_slot_behind(self) -> None:
        limiter, end = Limiter(1), asyncio.Event()
        held = asyncio.create_task(self.hold(limiter, "a", [], end))
        await turns()
        waiting = [asyncio.create_task(self.hold(limiter, "b", [], end)) for _ in range(2)]
        await turns()
        waiting[0].cancel()
        await turns()
        end.set()
        await asyncio.gather(held, waiting[1])
        leaving = asyncio.create_task(self.hold(limiter, "c", [], asyncio.Event()))
        await turns()
        leaving.cancel()
        await asyncio.gather(*waiting, leaving, return_exceptions=True)
        assert limiter.active == 0


class TestBreaker:
    """A model that fails all the time rests, and is tried with one call."""

    def failing(self, breaker: Breaker, times: int) -> None:
        for _ in range(times):
            breaker.enter()
            breaker.failed(DOWN)

    def test_it_opens_tries_once_and_closes(self) -> None:
        clock = Clock()
        breaker = Breaker("m", failures=3, rest=5, clock=clock)
        self.failing(breaker, 3)
        with pytest.raises(GenerationError) as caught:
            breaker.enter()
        assert caught.value.reason is Reason.MODEL_PAUSED
        assert caught.value.retry_after == 5
        clock.time = 5
        breaker.enter()
        with pytest.raises(GenerationError):
            breaker.enter()
        breaker.succeeded()
        breaker.enter()
        breaker.enter()

    def test_a_try_that_fails_doubles_the_rest(self) -> None:
        clock = Clock()
        breaker = Breaker("m", failures=1, rest=5, clock=clock)
        self.failing(breaker, 1)
        clock.time = 5
        self.failing(breaker, 1)
        clock.time = 10
        with pytest.raises(GenerationError) as caught:
            breaker.enter()
        assert caught.value.retry_after == 5

    def test_an_answer_of_any_kind_is_a_sign_of_life(self) -> None:
        breaker = Breaker("m", failures=2)
        self.failing(breaker, 1)
        breaker.failed(FULL)
        self.failing(breaker, 1)
        breaker.enter()

    def test_a_try_that_is_given_up_lets_the_next_one_try(self) -> None:
        clock = Clock()
        breaker = Breaker("m", failures=1, rest=5, clock=clock)
        self.failing(breaker, 1)
        clock.time = 5
        breaker.enter()
        breaker.failed(asyncio.CancelledError())
        breaker.enter()

    async def test_requests_are_refused_without_a_call(self, function: Function, google: FakeGoogle) -> None:
        google.fail(AIPLATFORM, 503, error_body(503, "UNAVAILABLE", "down"), part=":generateContent", times=99)
        for seed in range(5):
            await function.refused(prompt="x", seed=seed)
        calls = len(google.model_calls)

        error = await function.refused(prompt="x", seed=9)

        assert calls == 20
        assert len(google.model_calls) == calls
        assert error["details"][0]["reason"] == "MODEL_PAUSED"
        assert error["details"][0]["class"] == "retryable"
        assert error["details"][0]["retryAfterSeconds"] >= 1


class TestRetriesAreEarned:
    """When most calls fail, few are repeated."""

    async def test_a_used_up_budget_ends_retries(self) -> None:
        budget, calls = RetryBudget(ratio=0.1, reserve=5), 0

        async def call(_: float) -> None:
            nonlocal calls
            calls += 1
            raise failure(Reason.MODEL_UNAVAILABLE, "down")

        policy = Policy(attempts=4, first_delay=0, longest_delay=0, shortest_call=0)
        for _ in range(100):
            with pytest.raises(GenerationError):
                await patiently(call, deadline=float("inf"), policy=policy, budget=budget)

        assert 100 < calls <= 100 + 5 + 100 * 0.1 + 1

    def test_successes_earn_it_back(self) -> None:
        budget = RetryBudget(ratio=0.5, reserve=1)
        assert budget.spend()
        assert not budget.spend()
        budget.earn()
        assert not budget.spend()
        budget.earn()
        assert budget.spend()


class TestRoom:
    """Images are taken in while there is room for them."""

    async def test_who_does_not_fit_waits_in_line(self) -> None:
        admission = Admission(100)
        await admission.take(60)
        waiting = [asyncio.create_task(admission.take(count)) for count in (50, 10)]
        await turns()
        assert [task.done() for task in waiting] == [False, False], "the small one does not overtake"
        admission.give_back(60)
        await turns()
        assert [task.done() for task in waiting] == [True, True]
        assert admission.taken == 60

    async def test_what_is_larger_than_all_room_passes_alone(self) -> None:
        admission = Admission(100)
        await admission.take(500)
        waiting = asyncio.create_task(admission.take(1))
        await turns()
        assert not waiting.done()
        admission.give_back(500)
        await waiting

    async def test_who_goes_away_gives_its_room_back(self) -> None:
        admission = Admission(100)
        await admission.take(100)
        waiting = [asyncio.create_task(admission.take(60)) for _ in range(2)]
        await turns()
        waiting[0].cancel()
        await turns()
        admission.give_back(100)
        waiting[1].cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert admission.taken == 0

    async def test_who_holds_some_already_never_waits_for_more(self) -> None:
        admission = Admission(200_000)
        one, two = Room(admission), Room(admission)
        await one.hold(100_000)
        await two.hold(100_000)
        await asyncio.gather(one.hold(100_000), two.take(100_000))
        one.leave()
        two.leave()
        two.leave()
        assert admission.taken == 0

    async def test_small_bodies_are_not_counted_and_unknown_ones_are_estimated(self) -> None:
        admission = Admission(10_000_000)
        room = Room(admission, expected=3_000_000)
        await room.hold(1000)
        assert admission.taken == 0
        await room.take(None)
        assert admission.taken == 3_000_000

    def test_the_limit_is_stated_or_a_share_of_the_instances_memory(
        self, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert room_of_the_instance(7) == 7
        monkeypatch.setattr("generation.admission.CGROUP", (tmp_path / "none", tmp_path / "memory.max"))
        (tmp_path / "memory.max").write_text("1000000000\n")
        assert room_of_the_instance(None) == 400_000_000
        (tmp_path / "memory.max").write_text("max\n")
        assert room_of_the_instance(None) == WITHOUT_LIMIT


class TestCeiling:
    """So many images a minute, and no caller takes all of them."""

    def test_the_ceiling_is_one_of_a_sliding_minute(self) -> None:
        clock = Clock()
        rate = Rate(10, clock=clock)
        rate.take("a", 6)
        clock.time = 30
        rate.take("a", 4)
        with pytest.raises(GenerationError) as caught:
            rate.take("a", 1)
        assert caught.value.reason is Reason.RATE_EXCEEDED
        assert caught.value.retry_after == WINDOW_SECONDS - 30
        clock.time = WINDOW_SECONDS
        rate.take("a", 6)

    def test_a_newcomer_finds_room(self) -> None:
        clock = Clock()
        rate = Rate(20, clock=clock)
        rate.take("b", 1)
        for _ in range(17):
            rate.take("a", 1)
        with pytest.raises(GenerationError):
            rate.take("a", 1)
        rate.take("b", 1)
        rate.take("c", 1)

    def test_a_request_larger_than_the_ceiling_passes_alone(self) -> None:
        Rate(2).take("a", 4)

    async def test_callers_are_told_apart_by_their_tokens(self, google: FakeGoogle) -> None:
        function = Function(ENVIRONMENT | {"PLANTAIN_CALLERS_PER_MINUTE": "2"})

        async def asked(email: str, seed: int) -> Any:
            headers = {"authorization": f"Bearer {token_of(email)}"}
            return await function.http.post("/images", json={"prompt": "x", "seed": seed}, headers=headers)

        try:
            codes = [(await asked("a@x.y", seed)).status_code for seed in range(2)]
            refused = await asked("a@x.y", 3)
            again = await asked("a@x.y", 1)
        finally:
            await function.close()

        assert codes == [200, 200]
        assert refused.status_code == 429
        assert refused.json()["error"]["details"][0]["reason"] == "RATE_EXCEEDED"
        assert again.status_code == 200, "what is there already counts for nothing"
        assert "a@x.y" not in function.output.getvalue()
        assert json.loads(function.output.getvalue().splitlines()[0])["callerDomain"] == "x.y"
        assert len(google.model_calls) == 2


async def test_a_request_without_a_turn_in_time_says_so(google: FakeGoogle) -> None:
    google.pause = 2
    function = Function(ENVIRONMENT | {"PLANTAIN_CALLS_IN_FLIGHT": "1"})
    try:
        first = asyncio.create_task(function.post(prompt="x", seed=1))
        await asyncio.to_thread(google.asked.wait, 30)
        error = await function.refused(prompt="x", seed=2, timeoutSeconds=1)
        made = await first
    finally:
        await function.close()

    assert error["details"][0]["reason"] == "DEADLINE_EXCEEDED"
    assert made.status_code == 200
    assert len(google.model_calls) == 1
