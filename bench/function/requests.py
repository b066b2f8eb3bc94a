"""``python -m bench.function.requests``: ten thousand requests at random against the function in process."""

import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, given, settings

from tests.functions.conftest import ENVIRONMENT, Function
from tests.functions.fake_google import FakeGoogle, Server
from tests.functions.random_requests import bodies, check

EXAMPLES = 10_000


def measure(examples: int = EXAMPLES) -> dict[str, object]:
    """How many requests were asked and answered; an assertion fails at the first that was not."""
    with tempfile.TemporaryDirectory() as name, Server(FakeGoogle(Path(name))) as google, asyncio.Runner() as runner:
        google.reset()
        os.environ.update(google.environment)
        function = runner.run(_make())
        began = time.perf_counter()

        @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(bodies())
        def ask(body: bytes) -> None:
            google.seen.clear()
            runner.run(check(function, body))

        try:
            ask()
            lines = function.log
        finally:
            runner.run(function.close())
    statuses: dict[str, int] = {}
    for line in lines:
        statuses[str(line["status"])] = statuses.get(str(line["status"]), 0) + 1
    return {"requests": len(lines), "byStatus": statuses, "seconds": round(time.perf_counter() - began)}


async def _make() -> Function:
    return Function(ENVIRONMENT)


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]) if sys.argv[1:] else EXAMPLES)))
