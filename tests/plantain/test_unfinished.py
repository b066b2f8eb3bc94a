"""Default routes and default networks that a cut off creation leaves, and their deletion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from plantain.errors import GoogleCloudError
from plantain.google_cloud import GoogleCloud
from plantain.recovery.import_ids import PROJECT
from plantain.recovery.leftovers import MOST_WAITS, Leftover, delete
from plantain.recovery.unfinished import NETWORK, unfinished

LINK = "https://www.googleapis.com/compute/v1/projects/p/global/networks"
GATEWAY = "https://www.googleapis.com/compute/v1/projects/p/global/gateways/default-internet-gateway"
OPEN = {"name": "default-route-1", "destRange": "0.0.0.0/0", "nextHopGateway": GATEWAY, "network": f"{LINK}/campaign"}
RULES = [{"name": "default-allow-ssh", "network": f"{LINK}/default"}, {"name": "own", "network": f"{LINK}/campaign"}]


def cloud(answers: dict[str, Any] | Callable[[httpx.Request], httpx.Response]) -> GoogleCloud:
    """Answers by path; an HTTP status where the answer is a number, 404 where there is none."""

    def answer(request: httpx.Request) -> httpx.Response:
        assert not callable(answers)
        found = answers.get(request.url.path.partition("/v1/")[2], 404)
        if isinstance(found, int):
            return httpx.Response(found, json={"error": {"status": "REFUSED", "message": "no"}})
        return httpx.Response(200, json=found)

    used = answers if callable(answers) else answer
    return GoogleCloud(lambda _: "token", transport=httpx.MockTransport(used))


def resource(kind: str, identifier: str, **inputs: Any) -> dict[str, Any]:
    return {"urn": f"urn:pulumi:s::p::{kind}::x", "type": kind, "id": identifier, "inputs": inputs}


def found(google: GoogleCloud, *resources: dict[str, Any]) -> list[tuple[str, str]]:
    with google:
        return [(one.what, one.name) for one in unfinished({"deployment": {"resources": resources}}, google)]


@pytest.mark.parametrize(
    ("route", "wanted"),
    [
        (OPEN, [("default route", "projects/p/global/routes/default-route-1")]),
        ({**OPEN, "network": f"{LINK}/other"}, []),
        ({**OPEN, "destRange": "199.36.153.4/30"}, []),
        ({**OPEN, "nextHopGateway": None}, []),
    ],
)
def test_a_way_to_the_internet_that_a_network_is_not_to_have_is_left_over(
    route: dict[str, Any], wanted: list[tuple[str, str]]
) -> None:
    routes = {"projects/p/global/routes": {"items": [route]}}
    network = resource(NETWORK, "projects/p/global/networks/campaign", deleteDefaultRoutesOnCreate=True)
    assert found(cloud(routes), network) == wanted


def test_a_network_that_may_have_its_default_route_keeps_it() -> None:
    routes = {"projects/p/global/routes": {"items": [OPEN]}}
    assert not found(cloud(routes), resource(NETWORK, "projects/p/global/networks/campaign"))


def test_a_default_network_is_left_over_with_its_rules_which_come_first() -> None:
    answers = {
        "projects/p/global/networks/default": {"selfLink": f"{LINK}/default"},
        "projects/p/global/firewalls": {"items": RULES},
    }
    assert found(cloud(answers), resource(PROJECT, "projects/p", autoCreateNetwork=False)) == [
        ("default network's", "projects/p/global/firewalls/default-allow-ssh"),
        ("default network", "projects/p/global/networks/default"),
    ]


def test_projects_of_others_and_those_that_may_have_the_network_are_left_alone() -> None:
    there = {"projects/p/global/networks/default": {"selfLink": f"{LINK}/default"}}
    theirs = {**resource(PROJECT, "projects/p", autoCreateNetwork=False), "external": True}
    assert not found(cloud(there), theirs, resource(PROJECT, "projects/p", autoCreateNetwork=True))


@pytest.mark.parametrize("status", [403, 404])
def test_a_project_without_compute_engine_has_no_default_network(status: int) -> None:
    answers = {"projects/p/global/networks/default": status}
    assert not found(cloud(answers), resource(PROJECT, "projects/p", autoCreateNetwork=False))


def test_a_project_that_cannot_be_asked_is_not_called_clean() -> None:
    answers = {"projects/p/global/networks/default": 400}
    with pytest.raises(GoogleCloudError, match="no"):
        found(cloud(answers), resource(PROJECT, "projects/p", autoCreateNetwork=False))


RULE = Leftover("urn", PROJECT, "projects/p/global/firewalls/a", "compute", "compute/v1/projects/p/global/firewalls/a")


def deleting(*operations: dict[str, Any]) -> list[str]:
    """What is asked to delete a rule, when the operation is answered so, one time after the other."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.path.partition('/v1/')[2]}")
        operation = operations[min(len(asked), len(operations)) - 1]
        return httpx.Response(200, json={"kind": "compute#operation", "name": "op", **operation})

    with cloud(answer) as google:
        delete(RULE, google)
    return asked


def test_a_deletion_is_waited_for() -> None:
    wait = "POST projects/p/global/operations/op/wait"
    assert deleting({"status": "RUNNING"}, {"status": "RUNNING"}, {"status": "DONE"}) == [
        "DELETE projects/p/global/firewalls/a",
        wait,
        wait,
    ]


def test_a_deletion_that_fails_says_why() -> None:
    error = {"errors": [{"code": "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE", "message": "it is used"}]}
    with pytest.raises(GoogleCloudError, match=r"HTTP 400 RESOURCE_IN_USE_BY_ANOTHER_RESOURCE: it is used"):
        deleting({"status": "RUNNING"}, {"status": "DONE", "httpErrorStatusCode": 400, "error": error})


def test_a_deletion_without_end_is_given_up() -> None:
    with pytest.raises(GoogleCloudError, match="NOT_DONE: the deletion goes on; run it again"):
        deleting(*[{"status": "RUNNING"}] * (MOST_WAITS + 2))
