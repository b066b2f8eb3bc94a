"""Whatever is asked, the answer is the envelope or an image: never a 500, never a traceback.

A short profile here; `python -m bench.function.requests` asks ten thousand times.
"""

import asyncio

from hypothesis import HealthCheck, given, settings

from tests.functions.conftest import ENVIRONMENT, Function
from tests.functions.fake_google import FakeGoogle
from tests.functions.random_requests import bodies, check

EXAMPLES = 150


def test_no_request_brings_the_function_down(google: FakeGoogle) -> None:
    runner = asyncio.Runner()
    function = runner.run(make())

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(bodies())
    def ask(body: bytes) -> None:
        runner.run(check(function, body))

    try:
        ask()
        assert len(function.log) >= EXAMPLES
        assert google.model_calls, "some requests are valid, so the search reaches the model"
    finally:
        runner.run(function.close())
        runner.close()


async def make() -> Function:
    return Function(ENVIRONMENT)
