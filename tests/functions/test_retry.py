"""The model is asked again as often and as patiently as the policy and the deadline allow."""

import time

import pytest

from generation.errors import GenerationError, Reason, failure
from generation.retry import Policy, patiently

POLICY = Policy(attempts=4, first_delay=1, longest_delay=3, shortest_call=1)


class Script:
    """A call that fails as scripted, and a clock that notes the waits."""

    def __init__(self, *failures: GenerationError) -> None:
        self.failures = list(failures)
        self.waits: list[float] = []
        self.left: list[float] = []

    async def call(self, left: float) -> str:
        self.left.append(left)
        if self.failures:
            raise self.failures.pop(0)
        return "an image"

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    async def run(self, seconds: float = 1000) -> tuple[str, int]:
        return await patiently(self.call, deadline=time.monotonic() + seconds, policy=POLICY, sleep=self.sleep)


def broken(reason: Reason, asked: float | None = None) -> GenerationError:
    error = failure(reason, "broken")
    error.asked_wait = asked
    return error


async def test_a_first_success_is_one_attempt() -> None:
    assert await Script().run() == ("an image", 1)


async def test_waits_double_up_to_the_longest_with_full_jitter() -> None:
    script = Script(*(broken(Reason.MODEL_UNAVAILABLE) for _ in range(3)))

    assert await script.run() == ("an image", 4)
    for wait, full in zip(script.waits, (1, 2, 3), strict=True):
        assert 0 <= wait <= full


async def test_the_last_attempt_is_the_policys() -> None:
    script = Script(*(broken(Reason.CAPACITY_EXHAUSTED) for _ in range(9)))

    with pytest.raises(GenerationError) as caught:
        await script.run()
    assert caught.value.attempts == 4
    assert len(script.left) == 4


@pytest.mark.parametrize(
    "reason", [Reason.PERMISSION_DENIED, Reason.NO_IMAGE, Reason.MODEL_NOT_FOUND, Reason.DEADLINE_EXCEEDED]
)
async def test_what_would_fail_again_is_not_tried_again(reason: Reason) -> None:
    script = Script(broken(reason))

    with pytest.raises(GenerationError) as caught:
        await script.run()
    assert caught.value.attempts == 1
    assert script.waits == []


async def test_google_is_given_the_time_it_asks_for() -> None:
    script = Script(broken(Reason.QUOTA_EXCEEDED, 37))

    assert await script.run() == ("an image", 2)
    assert script.waits == [37]


async def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    script = Script(broken(Reason.QUOTA_EXCEEDED, 37))

    with pytest.raises(GenerationError, match="broken"):
        await script.run(seconds=30)
    assert script.waits == []


async def test_a_call_is_told_what_time_is_left() -> None:
    script = Script()
    await script.run(seconds=5)
    assert 4 < script.left[0] <= 5
