"""An instance that is told to end: a real server process, and SIGTERM as Cloud Run sends it."""

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from generation import shutdown
from tests.functions.fake_google import MONITORING, FakeGoogle
from tests.functions.instance import Start, under_way

PLATFORM_SECONDS = 10
"""Cloud Run kills an instance so long after SIGTERM."""


def test_what_is_under_way_is_finished_and_everything_is_written(start: Start, google: FakeGoogle) -> None:
    budget = json.dumps({"amount": 500, "currency": "USD"})
    instance = start(PLANTAIN_TELEMETRY="metrics", PLANTAIN_BUDGET=budget)
    instance.ask(prompt="the first, which makes connections")
    google.pause = 1.5

    with ThreadPoolExecutor() as callers:
        asked = callers.submit(instance.ask, prompt="a lighthouse at dusk")
        with under_way(google, 2):
            instance.end()
        answer = asked.result()
        instance.must_end()

    assert answer.status_code == 200, answer.text
    assert f"images/{answer.json()['id']}/record.json" in google.objects["spring-images"]
    assert instance.log[-1]["imageId"] == answer.json()["id"], "the log is complete"
    assert google.calls(MONITORING, "timeSeries"), "metrics are sent before the instance ends"
    slips = [o for name, o in google.objects["spring-images"].items() if name.startswith("spend/")]
    written = sum(float(slip.metadata["amount"]) for slip in slips)
    assert written == pytest.approx(sum(line["cost"]["amount"] for line in instance.log))


def test_what_takes_longer_than_the_platform_waits_is_given_up_for_another_instance(
    start: Start, google: FakeGoogle
) -> None:
    instance = start(PLANTAIN_CALLS_IN_FLIGHT="1")
    google.pause = 12

    with ThreadPoolExecutor() as callers:
        slow = callers.submit(instance.ask, prompt="a slow lighthouse")
        with under_way(google, 1):
            waiting = callers.submit(instance.ask, prompt="a lighthouse that waits for its turn")
            time.sleep(0.5)
            instance.end()
        turned_away = waiting.result()
        assert not slow.done(), "who only waits is turned away at once"
        late = instance.ask(prompt="a lighthouse that comes too late")
        interrupted = slow.result()
        instance.must_end()

    for answer in (turned_away, late, interrupted):
        detail = answer.json()["error"]["details"][0]
        assert (answer.status_code, detail["reason"]) == (503, "INSTANCE_STOPPING")
        assert (detail["class"], answer.headers["retry-after"]) == ("retryable", "1")
        assert "another instance" in detail["hint"]
    assert [line["reason"] for line in instance.log] == ["INSTANCE_STOPPING"] * 3

    google.pause = 0
    other = start()
    again = other.ask(prompt="a slow lighthouse", timeoutSeconds=30)
    assert again.status_code == 200, again.text
    names = [name for name in google.objects["spring-images"] if name.endswith(".failed")]
    assert len(names) == 2, "both claims were given up, so that nobody waits for their leases"


def test_several_processes_of_an_instance_work_and_end_as_one(start: Start, google: FakeGoogle) -> None:
    """As on an instance with two processors: functions-framework starts two processes."""
    budget = json.dumps({"amount": 500, "currency": "USD"})
    instance = start(WORKERS="2", PLANTAIN_TELEMETRY="metrics", PLANTAIN_BUDGET=budget)
    google.pause = 1.0

    with ThreadPoolExecutor(24) as callers:
        asked = [callers.submit(instance.ask, prompt=f"a lighthouse, number {number // 2}") for number in range(24)]
        with under_way(google, 12):
            instance.end()
        answers = [each.result() for each in asked]
        instance.must_end()

    assert [answer.status_code for answer in answers] == [200] * 24, "what is under way is finished in both"
    made = [answer.json() for answer in answers]
    assert len(google.model_calls) == 12, "equal requests are made once, whichever process each came to"
    assert sorted(Counter(answer["id"] for answer in made).values()) == [2] * 12
    sent = [series for call in google.calls(MONITORING, "timeSeries") for series in call.json["timeSeries"]]
    outcomes = [series for series in sent if series["metric"]["type"].endswith("/outcomes")]
    assert len({series["resource"]["labels"]["task_id"] for series in outcomes}) == 2, "no series has two writers"
    assert sum(series["points"][0]["value"]["doubleValue"] for series in outcomes) == 24
    slips = [o for name, o in google.objects["spring-images"].items() if name.startswith("spend/")]
    written = sum(float(slip.metadata["amount"]) for slip in slips)
    assert written == pytest.approx(sum(line["cost"]["amount"] for line in instance.log))


def test_all_stages_of_the_end_fit_into_what_the_platform_leaves() -> None:
    assert shutdown.GRACE_SECONDS + shutdown.CLOSING_SECONDS < PLATFORM_SECONDS
