"""Waiting by asking, and trying again after a conflict. Time is made up, so nothing here waits."""

from __future__ import annotations

import httpx
import pytest

from infra import conflict, readiness
from infra.google_api import GoogleApi
from infra.readiness import Condition, NotReadyError, enabled, member_of, wait

STATE = enabled("p", "cloudkms.googleapis.com")


class Clock:
    """Time that passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def __call__(self) -> float:
        return self.now


def api(*answers: httpx.Response | Exception) -> tuple[GoogleApi, list[httpx.Request]]:
    """An API that gives these answers, the last of them again and again."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        found = answers[min(len(seen), len(answers)) - 1]
        if isinstance(found, Exception):
            raise found
        return httpx.Response(found.status_code, content=found.content)

    return GoogleApi({}, lambda: "token", "seed", httpx.MockTransport(answer)), seen


def state(word: str) -> httpx.Response:
    return httpx.Response(200, json={"state": word})


def waited(google: GoogleApi, condition: Condition, bound: float = 600.0) -> readiness.Waited:
    clock = Clock()
    return wait(google, [condition], bound=bound, sleep=clock.sleep, clock=clock)


def test_it_is_ready_when_three_answers_in_a_row_agree() -> None:
    google, seen = api(state("DISABLED"), state("ENABLED"))
    assert waited(google, STATE).asked == {"cloudkms.googleapis.com is enabled": 4}
    assert str(seen[0].url) == "https://serviceusage.googleapis.com/v1/projects/p/services/cloudkms.googleapis.com"
    assert seen[0].headers["X-Goog-User-Project"] == "seed"


def test_an_answer_that_falls_back_starts_the_count_anew() -> None:
    google, seen = api(state("ENABLED"), state("ENABLED"), state("DISABLED"), state("ENABLED"))
    waited(google, STATE)
    assert len(seen) == 6


def test_answers_that_differ_do_not_agree() -> None:
    one, other = ({"state": "ENABLED", "etag": text} for text in "ab")
    google, seen = api(httpx.Response(200, json=one), httpx.Response(200, json=one), httpx.Response(200, json=other))
    waited(google, STATE)
    assert len(seen) == 5


def test_errors_and_lost_connections_are_waited_out() -> None:
    google, _ = api(
        httpx.ConnectError("gone"), httpx.Response(403, json={"error": {"message": "no"}}), state("ENABLED")
    )
    assert waited(google, STATE).asked == {"cloudkms.googleapis.com is enabled": 5}


def test_after_its_bound_it_says_what_was_missing_and_what_was_answered() -> None:
    google, seen = api(httpx.Response(403, json={"error": {"message": "SERVICE_DISABLED"}}))
    with pytest.raises(NotReadyError) as caught:
        waited(google, STATE, bound=60.0)
    assert "Not ready after 60 s: it is not so that cloudkms.googleapis.com is enabled" in str(caught.value)
    assert "HTTP 403: SERVICE_DISABLED" in str(caught.value)
    assert "pulumi up goes on from here" in str(caught.value)
    assert len(seen) < 30, "it asks ever more slowly"


def test_a_member_is_looked_for_in_the_right_configuration() -> None:
    perimeter = {"status": {"resources": ["projects/1"]}, "spec": {"resources": ["projects/2"]}}
    google, _ = api(httpx.Response(200, json=perimeter))
    condition = member_of("accessPolicies/1/servicePerimeters/p", "projects/2", "spec")
    assert waited(google, condition).seconds < 1
    with pytest.raises(NotReadyError):
        waited(google, member_of("accessPolicies/1/servicePerimeters/p", "projects/2", "status"), bound=5.0)


def test_what_was_waited_for_is_told_in_one_line() -> None:
    google, _ = api(state("ENABLED"))
    assert str(waited(google, STATE)).endswith("cloudkms.googleapis.com is enabled (3 answers).")


class TestConflict:
    @pytest.mark.parametrize("said", ["Error 409: aborted", "the etag does not match", "Error 412", "ABORTED"])
    def test_a_conflict_is_tried_again(self, said: str) -> None:
        pauses: list[float] = []
        assert conflict.try_again([said], sleep=pauses.append, chance=max) is True
        assert pauses == [1.0]

    @pytest.mark.parametrize("said", ["Error 403: denied", "Error 400: titles must be unique", "projects/4090"])
    def test_anything_else_is_not(self, said: str) -> None:
        assert conflict.try_again([said], sleep=_never, chance=max) is False

    def test_it_ends(self) -> None:
        assert conflict.try_again(["409"] * conflict.ATTEMPTS, sleep=_never, chance=max) is False
        assert conflict.try_again([], sleep=_never, chance=max) is False

    def test_pauses_grow_up_to_a_bound(self) -> None:
        pauses: list[float] = []
        for count in range(1, conflict.ATTEMPTS):
            conflict.try_again(["409"] * count, sleep=pauses.append, chance=max)
        assert pauses == sorted(pauses)
        assert pauses[-1] == conflict.LONGEST_PAUSE_SECONDS


def _never(seconds: float) -> None:
    raise AssertionError(f"paused for {seconds} s")
