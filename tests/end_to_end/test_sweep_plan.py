"""How the fault sweep tells requests apart, spreads them over deployments, and finds the one at fault. No engine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from bench.fault_sweep import GROUPS, Sweep, groups
from tests.end_to_end import sweep
from tests.end_to_end.sweep import Request


def entry(method: str, path: str) -> dict[str, str]:
    return {"method": method, "path": path}


def requests(count: int) -> list[Request]:
    return [Request(number, "x.y.get", f"/p/{number % 3}", number // 3) for number in range(1, count + 1)]


def outcome(way: str, wanted: Sequence[Request], *, missed: int = 0, differs: bool = False) -> sweep.Outcome:
    numbers = tuple(one.number for one in wanted)
    return sweep.Outcome(way, numbers, numbers[missed:], 1, (), (), ("gone",) if differs else (), ())


def test_requests_are_told_apart_by_what_they_ask_for_and_not_by_what_is_drawn() -> None:
    found = sweep.identified(
        [
            entry("projects.get", "/v1/projects/spring-launch-18e1da3"),
            entry("projects.get", "/v1/projects/spring-launch-18e1da3"),
            entry("dashboards.get", "/v1/projects/821917614461/dashboards/1103454c-1317-4402-b1cb-55459e085aed"),
            entry("metrics.get", "/v2/projects/spring-launch-18e1da3/metrics/image_cost"),
        ]
    )
    assert [(one.path, one.earlier) for one in found] == [
        ("/v1/projects/spring-launch-*", 0),
        ("/v1/projects/spring-launch-*", 1),
        ("/v1/projects/*/dashboards/*", 0),
        ("/v2/projects/spring-launch-*/metrics/image_cost", 0),
    ]


def test_of_requests_for_the_same_the_ones_that_fail_too_are_not_waited_for() -> None:
    same = [Request(number, "x.get", "/p", earlier) for earlier, number in enumerate((3, 8, 9, 12))]
    assert [plan["skip"] for plan in sweep.plans("reset", [same[0], same[2], same[3]])] == [0, 1, 1]
    assert [plan["seed"] for plan in sweep.plans("reset", same)] == [3, 8, 9, 12]


def test_every_request_is_in_one_group_of_each_way_and_those_for_the_same_are_spread() -> None:
    asked = requests(40)
    for way, count in GROUPS.items():
        made = groups(way, asked)
        assert len(made) == count
        assert sorted(one.number for group in made for one in group) == [one.number for one in asked]
        for group in made:
            assert all((a.path, a.earlier + 1) != (b.path, b.earlier) for a, b in pairwise(group))


def test_a_group_that_differs_is_halved_until_the_request_at_fault_is_alone() -> None:
    plan = Sweep(requests(4), 4)
    plan.waiting.clear()
    plan.note(outcome("reset", plan.requests, differs=True))
    halves = [[one.number for one in group] for _, group in plan.waiting]
    assert halves == [[1, 2], [3, 4]]
    way, group = plan.waiting.popleft()
    plan.note(outcome(way, group))
    plan.waiting.clear()
    plan.note(outcome("reset", plan.requests[2:3], differs=True))
    plan.note(outcome("reset", plan.requests[3:]))
    assert not plan.waiting
    found = plan.summary()
    assert (found["ways"]["reset"]["differed"], found["ways"]["reset"]["converged"]) == ([3], 3)


def test_what_was_not_asked_for_again_is_tried_once_more_and_then_said() -> None:
    plan = Sweep(requests(4), 4)
    plan.waiting.clear()
    plan.note(outcome("reset", plan.requests, missed=1))
    [(way, group)] = plan.waiting
    assert [one.number for one in group] == [1]
    plan.waiting.clear()
    plan.note(outcome(way, group, missed=1))
    assert not plan.waiting
    assert plan.summary()["ways"]["reset"]["notMadeAgain"] == [1]
    assert plan.summary()["ways"]["503 once"]["notTried"] == [1, 2, 3, 4]


def test_an_interrupted_sweep_goes_on_where_its_file_ends(tmp_path: Path) -> None:
    plan = Sweep(requests(20), 30)
    way, group = plan.waiting.popleft()
    plan.note(outcome(way, sorted(group, key=lambda one: one.number), missed=1))
    file = tmp_path / "sweep.json"
    file.write_text(json.dumps(plan.summary()))
    again = Sweep.resumed(file)
    assert again.summary() == plan.summary()
    assert list(again.waiting) == list(plan.waiting)
