"""The recorded answers of Google: no figure falls, and the comparison itself can tell right from wrong."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance import obstacles
from tests.conformance.bindings import Bindings
from tests.conformance.comparison import Comparison
from tests.conformance.names import Names
from tests.conformance.replay import READINGS, Figures, by_service, fallen, kept, replay
from tests.conformance.versions import FIXED, Versions

KNOWN = {"projectId": "p", "projectNumber": "1", "operationID": "op-1"}


@pytest.mark.parametrize("reading", READINGS)
def test_no_service_answers_less_like_google_than_before(reading: str) -> None:
    assert fallen(by_service(replay(READINGS[reading])), kept()[reading]) == []


def test_a_lower_count_is_called_by_its_name() -> None:
    before, now = {"dns": Figures(9, 8, 7, 0)}, {"dns": Figures(9, 8, 6, 0)}
    assert fallen(now, before) == ["dns: exact fell from 7 to 6"]
    assert fallen({}, before)[0] == "dns: exchanges fell from 9 to 0"


def found(recorded: Any, got: Any, *, operation: bool = False, strict: bool = True) -> list[tuple[str, str]]:
    bindings = Bindings(dict(KNOWN), strict=strict)
    bindings.begin(changes=True)
    return list(Comparison(bindings, operation=operation).differences(recorded, got))


@pytest.mark.parametrize(
    ("recorded", "got", "expected"),
    [
        ({"a": "x"}, {"a": "x"}, []),
        ({"a": "x"}, {"a": "y"}, [("differs", ".a")]),
        ({"a": {"b": 1}}, {"a": {}}, [("missing", ".a.b")]),
        ({}, {"a": 1}, [("extra", ".a")]),
        ({"a": [1, 2]}, {"a": [1]}, [("differs", ".a")]),
        ({"etag": "one"}, {"etag": "two"}, []),
        ({"createTime": "2024-04-01T12:34:56Z"}, {"createTime": "2026-01-01T00:00:00.5Z"}, []),
        ({"createTime": "2024-04-01T12:34:56Z"}, {"createTime": "today"}, [("differs", ".createTime")]),
        ({"name": "projects/${projectId}/x"}, {"name": "projects/p/x"}, []),
        ({"name": "projects/${projectId}/x"}, {"name": "projects/q/x"}, [("differs", ".name")]),
        ({"a": "${new}/b", "c": "${new}"}, {"a": "1/b", "c": "1"}, []),
        ({"a": "${new}/b", "c": "${new}"}, {"a": "1/b", "c": "2"}, [("differs", ".c")]),
    ],
)
def test_differences_are_found(recorded: Any, got: Any, expected: list[tuple[str, str]]) -> None:
    assert found(recorded, got) == expected


def test_an_operation_may_be_done_already_and_no_plain_answer_may() -> None:
    done = {"name": "op-1", "done": True, "response": {"a": 1}}
    assert found({"name": "${operationID}"}, done, operation=True) == []
    assert found({"name": "${operationID}"}, done) == [("extra", ".done"), ("extra", ".response")]


def test_a_generated_value_is_renewed_only_where_that_is_asked_for() -> None:
    recorded = {"name": "operations/${operationID}"}
    assert found(recorded, {"name": "operations/op-2"}) == [("differs", ".name")]
    assert found(recorded, {"name": "operations/op-2"}, strict=False) == []
    assert found({"projectId": "${projectId}"}, {"projectId": "q"}, strict=False) == [("differs", ".projectId")]
    assert found({"n": "${projectNumber}"}, {"n": "2"}, strict=False) == []
    assert found({"n": "${projectNumber}"}, {"n": "two"}, strict=False) == [("differs", ".n")]


def test_a_request_with_an_unknown_placeholder_cannot_be_answered() -> None:
    assert obstacles.find(("https://x/${changeId}", None), {}) == obstacles.UNBOUND
    assert "mock" in obstacles.find(("https://x/y", None), {"@type": "type.googleapis.com/mockgcp.api.X"})
    assert obstacles.find(("https://x/y", None), {"name": "y"}) == ""


def test_what_was_made_is_asked_for_by_its_id_where_no_answer_shows_the_placeholder() -> None:
    names, things = Names(), "https://h/v1/projects/p/things"
    names.note("POST", f"{things}?alt=json", {"name": "a"}, {"name": "projects/p/things/a"})
    names.note("POST", "https://h/v2/datasets", {}, {"datasetReference": {"datasetId": "d"}, "id": "p:d"})
    names.note("POST", "https://h/v1/changes", {}, {"id": "7", "kind": "dns#change"})
    names.note("POST", "https://h/v1/networks", {}, {"id": "8", "name": "operation-1", "kind": "compute#operation"})
    names.note("GET", "https://h/v1/readers", None, {"name": "projects/p/readers/r"})
    assert names.fill(f"{things}/${{thingID}}/parts/${{part}}", None, {}) == f"{things}/a/parts/${{part}}"
    assert names.fill("https://h/v2/datasets/${datasetID}", None, {}) == "https://h/v2/datasets/d"
    assert names.fill("https://h/v1/changes/${changeId}", None, {}) == "https://h/v1/changes/7"
    for untouched in ("https://h/v1/networks/${networkID}", "https://h/v1/readers/${readerID}"):
        assert names.fill(untouched, None, {}) == untouched
    assert names.fill(f"{things}/${{thingID}}", None, {"thingID": "b"}) == f"{things}/${{thingID}}"
    chosen = f"{things}?thingId=${{thingID}}"
    assert names.fill(chosen, {"name": "projects/p/things/c"}, {}) == f"{things}?thingId=c"
    assert names.fill(chosen, {}, {}) == chosen


def test_a_fixed_etag_is_sent_as_the_one_that_was_read_last_of_the_same_thing() -> None:
    versions = Versions()
    versions.note("https://h/v1/projects/p:getIamPolicy?alt=json", {"etag": "policy-1"})
    versions.note("https://h/v1/projects/p", {"etag": "project-1", "fingerprint": 3})
    written = {"policy": {"etag": FIXED, "version": 3}}
    assert versions.fill("https://h/v1/projects/p:setIamPolicy", written) == {
        "policy": {"etag": "policy-1", "version": 3}
    }
    assert versions.fill("https://h/v1/projects/p", {"etag": FIXED}) == {"etag": "project-1"}
    assert versions.fill("https://h/v1/projects/q", {"etag": FIXED}) == {"etag": FIXED}
    assert versions.fill("https://h/v1/projects/p", {"etag": "own"}) == {"etag": "own"}
