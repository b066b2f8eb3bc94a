"""The pages of the audit and of the policies show what the benchmarks measured, and what is promised of it holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import audit_pages
from bench.prowler import comparison
from bench.prowler.checks import BUCKET, BUCKET_GRANT, PROJECT, SHARED, Shared
from bench.prowler.comparison import Compared, compare, ours, worst
from policies.catalogue import CONTROLS

IDS = {control.id for control in CONTROLS}


@pytest.mark.parametrize("path", audit_pages.PLACES, ids=lambda path: path.name)
def test_a_page_shows_the_figures_that_were_measured(path: Path) -> None:
    text = path.read_text()
    assert text == audit_pages.page(text, audit_pages.PLACES[path]), "python -m bench.audit_pages"


def test_a_page_without_a_place_for_its_figures_is_refused() -> None:
    with pytest.raises(ValueError, match="no place for mutation"):
        audit_pages.page("# A page\n", ("mutation",))


def test_every_check_that_is_compared_has_controls_that_exist() -> None:
    assert {name for shared in SHARED for name in shared.controls} <= IDS
    assert len({shared.check for shared in SHARED}) == len(SHARED)


def test_prowler_and_the_audit_agree_or_a_reason_is_written_down() -> None:
    found = audit_pages.figures("prowler/agreement.json")
    for part in ("asDeployed", "broken"):
        assert found[part]["unexplained"] == []
        assert found[part]["agree"] + found[part]["explained"] == found[part]["compared"] == len(found[part]["rows"])
    failing = {row["check"] for row in found["broken"]["rows"] if row["prowler"] == "fail" and row["agree"]}
    assert len(failing) > len(SHARED) / 2, "what was broken by hand is found by both"


def test_at_least_95_of_100_mutants_are_noticed() -> None:
    assert audit_pages.figures("mutation.json")["percent"] >= 95


def finding(check: str, name: str, status: str, project: str = "p") -> dict[str, object]:
    return {
        "metadata": {"event_code": check},
        "unmapped": {"provider_uid": project},
        "resources": [{"name": name}],
        "status_code": status,
    }


def row(control: str, type_: str, name: str, status: str, project: str = "p", resource: str = "") -> dict[str, str]:
    return {
        "control": control, "type": type_, "name": name, "status": status, "project": project, "resource": resource
    }  # fmt: skip


def test_verdicts_on_one_bucket_are_set_beside_each_other_and_those_of_other_projects_are_not() -> None:
    check, control = "cloudstorage_bucket_uniform_bucket_level_access", "storage-uniform-access"
    findings = [finding(check, "b", "FAIL"), finding(check, "c", "PASS"), finding(check, "d", "FAIL", "other")]
    rows = [
        row(control, BUCKET, "b", "pass"),
        row(control, BUCKET, "c", "pass"),
        row(control, BUCKET, "e", "fail", "x"),
    ]
    found = [entry for entry in compare(findings, rows, "p") if entry.check == check]
    assert [(entry.thing, entry.prowler, entry.plantain, entry.agree) for entry in found] == [
        ("b", "fail", "pass", False),
        ("c", "pass", "pass", True),
    ]


def test_a_grant_is_judged_for_the_bucket_it_is_on() -> None:
    shared = Shared("x", ("iam-not-public",), BUCKET_GRANT)
    resource = "//storage.googleapis.com/b/images/roles/storage.objectViewer/allUsers"
    assert ours(shared, [row("iam-not-public", BUCKET_GRANT, "n", "fail", resource=resource)], "p") == {
        "images": ["fail"]
    }


def test_of_a_project_the_worst_verdict_counts_and_a_stacks_belongs_to_it() -> None:
    shared = Shared("x", ("a", "b"), PROJECT)
    rows = [row("a", "t", "n", "pass"), row("b", "stack", "", "fail", project="")]
    assert ours(shared, rows, "p") == {"p": ["pass", "fail"]}
    assert worst(["pass", "fail", "not_applicable"]) == "fail"
    assert worst([]) == "nothing to judge"


@pytest.mark.parametrize(
    ("prowler", "plantain", "differs", "agree", "explained"),
    [
        ("pass", "not_applicable", "", True, True),
        ("nothing to judge", "pass", "", True, True),
        ("pass", "fail", "", False, False),
        ("fail", "nothing to judge", "why", False, True),
        ("fail", "indeterminate", "", False, False),
    ],
)
def test_only_a_failure_that_the_other_does_not_see_is_a_disagreement(
    prowler: str, plantain: str, differs: str, agree: bool, explained: bool
) -> None:
    one = Compared("check", ("control",), "thing", prowler, plantain, differs)
    assert (one.agree, one.explained) == (agree, explained)
    listed = comparison.agreement([one])
    assert bool(listed["unexplained"]) is not explained
