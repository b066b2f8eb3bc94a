"""Campaigns copied for the measurement of previews: what is their own, and that nothing of them is another's.

That the copies are as good as deployed ones is proved by ``python -m bench.preview``: a preview which reads every
resource of theirs finds nothing to change.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from bench import many_campaigns, preview
from bench.many_campaigns import PERIMETERS, Row
from sandbox.store import Store

from .deployment import CAMPAIGN

NUMBER = "821917614461"
BUDGET = "billingAccounts/010101-010101-010101/budgets/49d9e12b-865b-401d-84b3-f99d2223dc0a"
ROWS: Sequence[Row] = (
    ("storage.buckets", f"b/{CAMPAIGN}-6dcbeef-images", "b", json.dumps({"projectNumber": NUMBER})),
    ("run.hosts", "images-33da542a97-ew.a.run.app", "", json.dumps({"service": f"projects/{CAMPAIGN}-6dcbeef"})),
    ("billingbudgets.budgets", BUDGET, BUDGET.rpartition("/")[0], json.dumps({"projects": [f"projects/{NUMBER}"]})),
    ("logging.entries", f"projects/{CAMPAIGN}-6dcbeef/entries/1", f"projects/{CAMPAIGN}-6dcbeef/entries", "{}"),
    ("cloudresourcemanager.organizations", "organizations/123456789012", "organizations", "{}"),
    (
        PERIMETERS,
        "accessPolicies/1/servicePerimeters/plantain",
        "accessPolicies/1/servicePerimeters",
        json.dumps({one: {"resources": [f"projects/{NUMBER}"]} for one in ("status", "spec")}),
    ),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A sandbox's store of one campaign."""
    path = tmp_path / many_campaigns.STORE
    Store(path).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany("INSERT INTO resources (kind, name, parent, document) VALUES (?, ?, ?, ?)", ROWS)
    return path


def test_copies_have_names_of_the_same_length_and_numbers_of_their_own() -> None:
    made = many_campaigns.copies(ROWS, NUMBER, 50)
    assert len(made) == 49
    assert {len(copy.name) for copy in made} == {len(CAMPAIGN)}
    assert len({copy.number for copy in made} | {NUMBER}) == 50


def test_a_copy_has_everything_of_its_own_and_nothing_of_the_deployed_one(file: Path) -> None:
    rows = many_campaigns.store(file)
    many_campaigns.write_store(file, rows, NUMBER, many_campaigns.copies(rows, NUMBER, 3))
    added = [row for row in many_campaigns.store(file) if row not in rows and row[0] != PERIMETERS]
    assert sorted(row[0] for row in added) == sorted(["storage.buckets", "run.hosts", "billingbudgets.budgets"] * 2)
    assert not [row for row in added if CAMPAIGN in "".join(row) or NUMBER in "".join(row)]
    assert len({row[1] for row in added}) == len(added)


def test_the_perimeter_has_every_copy_inside_and_what_belongs_to_all_is_there_once(file: Path) -> None:
    rows = many_campaigns.store(file)
    made = many_campaigns.copies(rows, NUMBER, 3)
    many_campaigns.write_store(file, rows, NUMBER, made)
    found = many_campaigns.store(file)
    [perimeter] = [json.loads(row[3]) for row in found if row[0] == PERIMETERS]
    members = sorted(f"projects/{number}" for number in (NUMBER, *(copy.number for copy in made)))
    assert perimeter == {one: {"resources": members} for one in ("status", "spec")}
    assert sum(row[0] == "cloudresourcemanager.organizations" for row in found) == 1
    assert sum(row[0] == "logging.entries" for row in found) == 1


def test_the_state_has_the_copies_resources_and_their_members() -> None:
    perimeter = {one: {"resources": [f"projects/{NUMBER}"]} for one in ("status", "spec")}
    kind = "gcp:accesscontextmanager/servicePerimeter:ServicePerimeter"
    resources = [
        {"urn": f"urn:pulumi:sandbox::plantain::gcp:storage/bucket:Bucket::{CAMPAIGN}-images", "type": "bucket"},
        {"urn": f"urn:pulumi:sandbox::plantain::{kind}::plantain", "type": kind}
        | dict.fromkeys(("inputs", "outputs"), perimeter),
    ]
    made = many_campaigns.copies(ROWS, NUMBER, 3)
    found = many_campaigns.state({"deployment": {"resources": resources}}, NUMBER, made)["deployment"]["resources"]
    assert [one["urn"].rpartition("::")[2] for one in found] == [
        f"{CAMPAIGN}-images",
        "plantain",
        "campaign-0001-images",
        "campaign-0002-images",
    ]
    assert len(found[1]["inputs"]["status"]["resources"]) == len(found[1]["outputs"]["spec"]["resources"]) == 3


@pytest.mark.parametrize(("megabytes", "short"), [((100, 145, 345), False), ((100, 145, 445), True)])
def test_a_preview_that_grows_faster_than_linearly_falls_short(megabytes: Sequence[int], short: bool) -> None:
    rows = [
        {"campaigns": count, "read": {"seconds": count, "cpu": count, "megabytes": held}}
        for count, held in zip((1, 10, 50), megabytes, strict=True)
    ]
    results = {"unchanged": rows, "flat": {"ratio": 1.0}, "firstResourceSeconds": 2.0}
    found = list(preview.short(results))
    assert bool(found) is short
    assert all(one.startswith("megabytes grow faster than linearly: 5.0, then 7.5") for one in found)


def test_components_and_a_first_resource_that_cost_too_much_fall_short() -> None:
    results = {"unchanged": [], "flat": {"ratio": 1.2}, "firstResourceSeconds": 2.8}
    assert [one.partition(";")[0] for one in preview.short(results)] == [
        "components cost 1.2 times a flat program",
        "the first resource after 2.8 s",
    ]
