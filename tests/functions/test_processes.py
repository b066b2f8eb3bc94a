"""Two server processes of one instance, as functions-framework starts them: what they share, and one that is killed."""

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from starlette.requests import Request
from starlette.responses import Response

from tests.functions.fake_google import FakeGoogle
from tests.functions.instance import Instance, Start
from tests.functions.test_faults import complete, refusal

KILLED_AT = {"look": "/download/", "claim": "/upload/#1", "model": ":generateContent", "image": "/upload/#2",
             "record": "/upload/#3", "sign": ":signBlob"}  # fmt: skip
ONE_IMAGE = 0.136824


def workers(instance: Instance) -> list[psutil.Process]:
    """Its server processes, once both are there."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = psutil.Process(instance.process.pid).children(recursive=True)
        if len(found) == 2:
            return found
        time.sleep(0.05)
    raise AssertionError("there are not two processes")


def test_a_budget_is_one_for_both(start: Start, google: FakeGoogle) -> None:
    instance = start(WORKERS="2", PLANTAIN_BUDGET=json.dumps({"amount": 1}))
    google.pause = 0.5
    with ThreadPoolExecutor(24) as callers:
        answers = list(callers.map(lambda number: instance.ask(prompt=f"a lighthouse, number {number}"), range(24)))

    codes = Counter(answer.status_code for answer in answers)
    assert set(codes) == {200, 429}
    assert 4 <= codes[200] <= 1 / ONE_IMAGE
    assert len(google.model_calls) == codes[200]
    refused = [answer.json()["error"]["details"][0] for answer in answers if answer.status_code == 429]
    assert {(detail["reason"], detail["class"]) for detail in refused} == {("BUDGET_EXCEEDED", "quota")}
    slips = [o for name, o in google.objects["spring-images"].items() if name.startswith("spend/")]
    assert sum(float(slip.metadata["amount"]) for slip in slips) == pytest.approx(codes[200] * ONE_IMAGE)


def test_a_request_id_stands_for_one_request_in_both(start: Start, google: FakeGoogle) -> None:
    instance = start(WORKERS="2")
    google.pause = 0.3
    with ThreadPoolExecutor(16) as callers:
        answers = list(callers.map(lambda number: instance.ask(prompt=f"{number % 4}", requestId="run-1"), range(16)))

    made = [answer.json()["id"] for answer in answers if answer.status_code == 200]
    others = [answer.json()["error"]["details"][0]["reason"] for answer in answers if answer.status_code != 200]
    assert (len(made), len(set(made))) == (4, 1), "one of four requests has the id, and may be sent again"
    assert others == ["REQUEST_ID_REUSED"] * 12
    assert len(google.model_calls) == 1


def test_processes_that_are_killed_at_any_stage_leave_nothing_or_all(
    start: Start, google: FakeGoogle, tmp_path: Path
) -> None:
    instance = start(WORKERS="2")
    instance.ask(prompt="the first, which makes connections")
    for stage, place in KILLED_AT.items():
        part, _, number = place.partition("#")
        before = {process.pid for process in workers(instance)}
        calls, records, reached = len(google.model_calls), len(complete(google)), tmp_path / stage
        seen = 0

        async def answer(request: Request) -> Response:
            nonlocal seen
            if part in str(request.url) and not reached.exists():  # noqa: B023 -- of this round
                seen += 1
                if seen == int(number or 1):  # noqa: B023 -- of this round
                    if number not in {"", "1"}:  # noqa: B023 -- of this round
                        await google.answered(request)  # it arrives, and nobody hears of it
                    reached.touch()  # noqa: B023 -- of this round
                    for each in workers(instance):
                        if each.net_connections("tcp") and _asks(each, google):
                            each.kill()
                    return refusal(503)
            return await google.answered(request)

        google.hook = answer
        with ThreadPoolExecutor() as callers:
            asked = callers.submit(instance.ask, prompt=stage)
            assert asked.exception(60) is not None, "the process is gone in the middle of the request"
        google.hook = None
        assert reached.exists()
        for name, stored in google.objects["spring-images"].items():
            if name.startswith("claims/"):
                stored.created = "2020-01-01T00:00:00.000Z"  # as when the lease has run out

        again = instance.ask(prompt=stage, timeoutSeconds=30)

        assert again.status_code == 200, (stage, again.text)
        assert len(complete(google)) == records + 1
        assert len(google.model_calls) - calls <= 2
        assert {process.pid for process in workers(instance)} != before, "another process takes its place"


def _asks(process: psutil.Process, google: FakeGoogle) -> bool:
    """Whether a process has a connection to the fake."""
    return any(c.raddr and c.raddr.port == google.proxy_port for c in process.net_connections("tcp"))
