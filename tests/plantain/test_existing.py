from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import httpx
import pytest

from plantain.errors import GoogleCloudError, StackError
from plantain.google_cloud import GoogleCloud
from plantain.recovery.copies import copies
from plantain.recovery.drawn_names import named, under_earlier_names
from plantain.recovery.existing import SECRET, UNKNOWN, Existing, creations, differs, take_over
from plantain.recovery.import_ids import PROJECT
from plantain.recovery.leftovers import delete

STACK = "urn:pulumi:s::p::pulumi:pulumi:Stack::p-s"
PROVIDER = "urn:pulumi:s::p::pulumi:providers:gcp::gcp"
TOPIC = "gcp:pubsub/topic:Topic"
SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"
DASHBOARD = "gcp:monitoring/dashboard:Dashboard"


def urn(kind: str, name: str) -> str:
    return f"urn:pulumi:s::p::{kind}::{name}"


def wanted(kind: str, name: str, /, **inputs: Any) -> dict[str, Any]:
    place = {"urn": urn(kind, name), "type": kind, "custom": True, "parent": STACK, "provider": f"{PROVIDER}::1"}
    return {**place, "inputs": inputs}


def step(operation: str, resource: dict[str, Any]) -> str:
    return json.dumps({"resourcePreEvent": {"metadata": {"op": operation, "urn": resource["urn"], "new": resource}}})


def state(*resources: dict[str, Any]) -> dict[str, Any]:
    own = {"urn": urn(PROJECT, "own"), "type": PROJECT, "id": "projects/own", "outputs": {"projectId": "own"}}
    base = [{"urn": STACK, "type": "pulumi:pulumi:Stack"}, {"urn": PROVIDER, "type": "pulumi:providers:gcp"}, own]
    return {"version": 3, "deployment": {"resources": [*base, *resources]}}


def topic(name: str, project: str = "own") -> dict[str, Any]:
    return wanted(TOPIC, name, name=name, project=project)


class Program:
    """In the place of a stack: what it wants, what Google Cloud has, and what pulumi would do with it.

    Attributes:
        live: outputs by name of what exists.
        forbidden: names of what may not be read.
        operations: what a preview does with what is in the state; ``same`` when nothing is said.
    """

    def __init__(
        self,
        wanted: Iterable[dict[str, Any]],
        live: dict[str, dict[str, Any]],
        operations: dict[str, str] | None = None,
        forbidden: Iterable[str] = (),
    ) -> None:
        self.wanted, self.live, self.operations = list(wanted), live, operations or {}
        self.forbidden = set(forbidden)
        self.state = state()

    def export(self) -> dict[str, Any]:
        return self.state

    def replace_state(self, export: dict[str, Any]) -> None:
        assert not export["deployment"].get("pending_operations")
        self.state = export

    def preview_events(self, *, refresh: bool) -> str:
        assert not refresh
        known = {one["urn"] for one in self.state["deployment"]["resources"]}
        lines = []
        for one in self.wanted:
            name = one["urn"].rpartition("::")[2]
            lines.append(step(self.operations.get(name, "same") if one["urn"] in known else "create", one))
        return "\n".join([json.dumps({"preludeEvent": {}}), *lines])

    def refresh(self, *, targets: Iterable[str]) -> None:
        kept = []
        for one in self.state["deployment"]["resources"]:
            name = one["urn"].rpartition("::")[2]
            if one["urn"] not in targets:
                kept.append(one)
            elif name in self.forbidden:
                raise StackError(f"pulumi refresh failed.\n  gcp:pubsub:Topic ({name}):\n    error: 403: forbidden")
            elif name in self.live:
                kept.append({**one, "outputs": self.live[name]})
        self.state = {**self.state, "deployment": {"resources": kept}}

    @property
    def names(self) -> set[str]:
        return {one["urn"].rpartition("::")[2] for one in self.state["deployment"]["resources"]} - {"p-s", "gcp", "own"}


def cloud(answer: Callable[[httpx.Request], httpx.Response]) -> GoogleCloud:
    return GoogleCloud(lambda _: "token", transport=httpx.MockTransport(answer))


def empty() -> GoogleCloud:
    return cloud(lambda _: httpx.Response(200, json={}))


def taken(program: Program, google: GoogleCloud | None = None) -> list[Existing]:
    with google or empty() as used:
        return take_over(program, used)  # type: ignore[arg-type]  # what it uses of a stack, and no more


def test_what_exists_is_taken_over_and_what_does_not_is_left_to_be_created() -> None:
    program = Program([topic("made"), topic("new")], {"made": {"project": "own"}})
    [found] = taken(program)
    assert (found.name, found.id, found.refusal) == ("made", "projects/own/topics/made", "")
    assert program.names == {"made"}


LABELLED = {"labels": {"campaign": "spring"}}
OTHERS = {"labels": {"campaign": "autumn"}}


def test_what_differs_in_a_project_of_the_stack_is_updated_by_the_next_update() -> None:
    program = Program(
        [wanted(TOPIC, "made", name="made", project="own", **LABELLED)], {"made": {"project": "own", **OTHERS}}
    )
    assert [one.refusal for one in taken(program)] == [""]


def test_what_differs_elsewhere_is_somebody_elses() -> None:
    program = Program(
        [wanted(TOPIC, "made", name="made", project="hub", **LABELLED)], {"made": {"project": "hub", **OTHERS}}
    )
    [found] = taken(program)
    assert found.refusal == "its labels is not what was asked for, and it is in no project of this stack"
    assert program.names == set()


def test_what_is_the_same_elsewhere_is_what_a_lost_answer_made() -> None:
    there = {"project": "hub", "labels": {"campaign": "spring", "goog": "x"}, "deletionPolicy": None}
    program = Program(
        [wanted(TOPIC, "made", name="made", project="hub", **LABELLED)], {"made": there}, {"made": "update"}
    )
    assert [one.refusal for one in taken(program)] == [""]
    assert program.names == {"made"}


@pytest.mark.parametrize(
    ("asked", "there", "expected"),
    [
        ("projects/p/global/networks/n", "https://x/compute/v1/projects/p/global/networks/n", False),
        ("projects/p/global/networks/n", "projects/p/global/networks/m", True),
        (True, None, False),
        (3600, "3600", False),
        (True, True, False),
        ("us-west1", "US-WEST1", False),
        ([{"a": 1}], [{"a": 1, "b": 2}], False),
        ([{"a": 1}], [{"a": 2}], True),
        (["a"], ["a", "b"], True),
    ],
)
def test_what_was_read_contradicts_what_was_asked_for(*, asked: Any, there: Any, expected: bool) -> None:
    assert differs(asked, there) is expected


@pytest.mark.parametrize("operation", ["replace", "create-replacement", "delete-replaced"])
def test_nothing_is_taken_over_that_would_be_replaced(operation: str) -> None:
    program = Program(
        [wanted(TOPIC, "made", name="made", project="own")], {"made": {"project": "own"}}, {"made": operation}
    )
    [found] = taken(program)
    assert found.refusal == "it is another one: pulumi up would replace it"
    assert program.names == set()


def test_a_bucket_of_that_name_in_another_project_is_refused() -> None:
    bucket = wanted("gcp:storage/bucket:Bucket", "images", name="images", project="own")
    program = Program([bucket], {"images": {"project": "stranger"}})
    assert [one.refusal for one in taken(program)] == ["it is in project stranger"]
    assert program.names == set()


def test_what_may_not_be_read_is_refused_and_the_rest_is_taken_over() -> None:
    program = Program(
        [wanted(TOPIC, "hidden", name="hidden", project="own"), wanted(TOPIC, "made", name="made", project="own")],
        {"made": {"project": "own"}},
        forbidden=["hidden"],
    )
    found = {one.name: one.refusal for one in taken(program)}
    assert found == {"hidden": "it cannot be read: error: 403: forbidden", "made": ""}
    assert program.names == {"made"}


def test_a_failure_that_blames_nothing_leaves_the_state_as_it_was() -> None:
    program = Program([wanted(TOPIC, "made", name="made", project="own")], {})

    def fail(*, targets: Iterable[str]) -> None:
        raise StackError(f"pulumi refresh of {len(list(targets))} failed.\nno network")

    program.refresh = fail  # type: ignore[method-assign]
    with pytest.raises(StackError, match="no network"):
        taken(program)
    assert program.state == state()


def test_what_a_preview_does_not_say_is_not_put_into_the_state() -> None:
    hidden = {SECRET: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "[secret]"}
    one = wanted(TOPIC, "made", name="made", labels={"a": "b", "key": UNKNOWN}, token=hidden, kmsKeyName=UNKNOWN)
    [found] = creations(step("create", one), state())
    assert found["inputs"] == {"name": "made", "labels": {"a": "b"}}


def test_what_belongs_to_a_component_that_is_not_there_cannot_exist() -> None:
    one = {**wanted(TOPIC, "made", name="made"), "parent": urn("plantain:infra:Campaign", "spring")}
    assert not list(creations(step("create", one), state()))
    assert not list(creations(step("update", wanted(TOPIC, "made", name="made")), state()))


SPRING = {"orgId": "1", "name": "spring", "labels": {"campaign": "spring"}, "__defaults": ["projectId"]}
ACTIVE = {"name": "spring", "parent": {"type": "organization", "id": "1"}, "lifecycleState": "ACTIVE"}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({**ACTIVE, "projectId": "spring-old", "labels": {"campaign": "spring", "goog": "x"}}, "spring-old"),
        ({**ACTIVE, "projectId": "spring-old", "labels": {"campaign": "summer"}}, "spring-new"),
        ({**ACTIVE, "projectId": "spring-old"}, "spring-new"),
        ({**ACTIVE, "projectId": "own", "labels": {"campaign": "spring"}}, "spring-new"),
        (
            {
                **ACTIVE,
                "projectId": "spring-old",
                "labels": {"campaign": "spring"},
                "lifecycleState": "DELETE_REQUESTED",
            },
            "spring-new",
        ),
    ],
)
def test_a_project_whose_name_was_drawn_is_known_by_its_labels(item: dict[str, Any], expected: str) -> None:
    one = wanted(PROJECT, "spring", projectId="spring-new", **SPRING)
    with cloud(lambda _: httpx.Response(200, json={"projects": [item]})) as google:
        assert named(one, google, state())["inputs"]["projectId"] == expected


def test_a_project_without_labels_is_nobodys_to_take() -> None:
    one = wanted(PROJECT, "spring", projectId="spring-new", **{**SPRING, "labels": {}})
    with cloud(lambda _: httpx.Response(200, json={"projects": [{**ACTIVE, "projectId": "spring-old"}]})) as google:
        assert named(one, google, state()) == one


def test_a_subnetwork_whose_name_was_drawn_is_known_by_its_range() -> None:
    inputs = {
        "project": "own",
        "region": "r",
        "network": "projects/own/global/networks/n",
        "ipCidrRange": "10.0.0.0/26",
    }
    one = wanted(SUBNETWORK, "subnet", name="subnet-2", **inputs, __defaults=["name"])
    there = {"name": "subnet-1", "network": "https://x/projects/own/global/networks/n", "ipCidrRange": "10.0.0.0/26"}
    with cloud(lambda _: httpx.Response(200, json={"items": [there]})) as google:
        assert named(one, google, state())["inputs"]["name"] == "subnet-1"
        assert named(wanted(SUBNETWORK, "subnet", name="mine", **inputs), google, state())["inputs"]["name"] == "mine"


def test_what_lies_in_a_project_of_an_earlier_name_is_looked_for_there() -> None:
    project = wanted(PROJECT, "spring", projectId="spring-new", **SPRING)
    board = wanted(DASHBOARD, "images", project="spring-new", links=["projects/spring-new/topics/a"], width=2)
    there = {**ACTIVE, "projectId": "spring-old", "labels": {"campaign": "spring"}}
    with cloud(lambda _: httpx.Response(200, json={"projects": [there]})) as google:
        found = [one["inputs"] for one in under_earlier_names([project, board], google, state())]
    assert found[0]["projectId"] == "spring-old"
    assert found[1] == {"project": "spring-old", "links": ["projects/spring-old/topics/a"], "width": 2}


def test_a_refused_search_leaves_the_state_as_it_was() -> None:
    program = Program([wanted(PROJECT, "spring", projectId="spring-new", **SPRING)], {})
    refusing = cloud(lambda _: httpx.Response(403, json={"error": {"status": "PERMISSION_DENIED", "message": "no"}}))
    with pytest.raises(GoogleCloudError, match="no"):
        taken(program, refusing)
    assert program.state == state()


BOARD = json.dumps({"displayName": "images"})
KNOWN = {
    "urn": urn(DASHBOARD, "board"),
    "type": DASHBOARD,
    "id": "projects/7/dashboards/b",
    "inputs": {"project": "own", "dashboardJson": BOARD},
}


def boards(*items: dict[str, Any]) -> GoogleCloud:
    return cloud(lambda _: httpx.Response(200, json={"dashboards": list(items)}))


def board(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": f"projects/7/dashboards/{name}", "displayName": "images", "etag": name, **fields}


def test_an_exact_copy_that_the_state_does_not_know_is_found() -> None:
    with boards(board("a"), board("b")) as google:
        [found] = copies(state(KNOWN), google)
    assert (found.name, found.path) == ("projects/7/dashboards/a", "v1/projects/7/dashboards/a")


def test_what_people_made_like_it_is_no_copy() -> None:
    with boards(board("a", labels={"by": "jo"}), board("b")) as google:
        assert not list(copies(state(KNOWN), google))


def test_without_the_one_that_is_known_nothing_is_a_copy() -> None:
    with boards(board("a")) as google:
        assert not list(copies(state(KNOWN), google))


def test_a_copy_is_deleted_by_its_full_name() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"dashboards": [board("a"), board("b")]})

    with cloud(answer) as google:
        for copy in list(copies(state(KNOWN), google)):
            delete(copy, google)
    assert (asked[-1].method, asked[-1].url.path) == ("DELETE", "/v1/projects/7/dashboards/a")
