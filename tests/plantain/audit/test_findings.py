"""What Pulumi cannot find: each kind of difference between what was declared and what is there."""

from __future__ import annotations

import copy
import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from plantain.audit.evaluation import evaluate, judged
from plantain.audit.judgements import Judgements, Recorded
from plantain.audit.summary import Counts, overall, results
from plantain.audit.unit import ORGANIZATION, Frame, Unit, Unread
from policies.catalogue import CONTROLS, Context, Resource, Status
from policies.exceptions import ControlException, Exceptions

from .synthetic import SETTINGS, export, live, models, perimeter, project_id

DAY = dt.date(2026, 11, 21)
PROJECT = project_id(0)
JOINED = {
    "sources-agree", "declared-exists", "resource-declared", "grant-declared", "properties-held", "keys-usable",
    "alerts-reach-somebody", "project-inside-perimeter", "project-declared", "inventory-complete",
}  # fmt: skip


def frame(judgements: Judgements | None = None) -> Frame:
    return Frame(DAY, models(), CONTROLS, judgements or Judgements())


def unit(
    resources: Sequence[Resource] | None = None,
    state: dict[str, Any] | None = None,
    above: Sequence[Resource] | None = None,
    **others: Any,
) -> Unit:
    return Unit(
        "prod",
        SETTINGS,
        export=state or export(0),
        live=live(0) if resources is None else resources,
        surroundings=[perimeter(0)] if above is None else above,
        **others,
    )


def failing(made: Unit, *controls: str, status: str = "fail") -> list[tuple[str, str]]:
    wanted = set(controls) or JOINED
    rows = evaluate(made, frame())
    return [(row["control"], row["name"]) for row in rows if row["control"] in wanted and row["status"] == status]


def changed(resources: list[Resource], type_: str, name: str, **properties: Any) -> list[Resource]:
    found = [
        replace(one, properties={**one.properties, **properties})
        if one.type.endswith(type_) and one.name == name
        else one
        for one in resources
    ]
    assert found != resources
    return found


def test_a_campaign_as_it_was_declared_has_no_finding() -> None:
    assert failing(unit()) == []
    passed = {row["control"] for row in evaluate(unit(), frame()) if row["status"] == "pass"}
    assert passed >= JOINED - {"sources-agree"}


def test_the_same_unit_gives_the_same_rows() -> None:
    assert json.dumps(evaluate(unit(), frame())) == json.dumps(evaluate(unit(), frame()))


def test_a_member_that_somebody_added_by_hand_is_found() -> None:
    stranger = Resource(
        "//live/x", "gcp:projects/iAMMember:IAMMember", "x",
        {"id": f"{PROJECT}/roles/owner/user:eve@example.com", "role": "roles/owner", "member": "user:eve@example.com",
         "project": PROJECT}, "live",
    )  # fmt: skip
    assert failing(unit([*live(0), stranger])) == [("grant-declared", "x")]


@pytest.mark.parametrize(
    ("role", "member", "found"),
    [
        ("roles/owner", "user:user@example.com", False),
        ("roles/owner", "user:other@example.com", True),
        ("roles/run.serviceAgent", "serviceAccount:service-1@serverless-robot-prod.iam.gserviceaccount.com", False),
        ("roles/storage.admin", "serviceAccount:service-1@serverless-robot-prod.iam.gserviceaccount.com", True),
        ("roles/run.serviceAgent", "serviceAccount:service-1@evil-project.iam.gserviceaccount.com", True),
        ("roles/run.serviceAgent", "user:service-1@serverless-robot-prod.iam.gserviceaccount.com", True),
    ],
)
def test_only_googles_own_grants_and_the_deployers_are_let_pass(role: str, member: str, found: bool) -> None:
    properties = {"id": "x", "role": role, "member": member, "project": PROJECT}
    one = Resource("//live/x", "gcp:projects/iAMMember:IAMMember", "x", properties, "live")
    assert bool(failing(unit([*live(0), one]), "grant-declared")) is found


def test_a_binding_of_the_state_declares_all_its_members() -> None:
    state = export(0)
    member, role = "group:team@example.com", "roles/viewer"
    binding = {"project": PROJECT, "role": role, "members": [member, "group:OTHER@example.com"]}
    state["deployment"]["resources"].append(
        {"urn": "urn:b", "type": "gcp:projects/iAMBinding:IAMBinding", "id": "b", "custom": True, "inputs": binding,
         "outputs": binding}
    )  # fmt: skip
    grants = [
        Resource("//l/" + who, "gcp:projects/iAMMember:IAMMember", who, {"id": who, "role": role, "member": who,
                 "project": PROJECT}, "live")
        for who in (member, "group:other@example.com")
    ]  # fmt: skip
    assert failing(unit([*live(0), *grants], state)) == []


def test_a_disabled_key_is_found() -> None:
    resources = changed(live(0), ":CryptoKey", "images", primary={"state": "DISABLED"})
    assert failing(unit(resources)) == [("keys-usable", "images")]


def test_an_old_version_that_cannot_decrypt_is_found() -> None:
    versions = [{"name": "1", "state": "DESTROY_SCHEDULED"}, {"name": "2", "state": "ENABLED"}]
    resources = changed(live(0), ":CryptoKey", "images", versions=versions)
    assert failing(unit(resources)) == [("keys-usable", "images")]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (None, "does not exist"),
        ({"enabled": False}, "switched off"),
        ({"verificationStatus": "UNVERIFIED"}, "never verified"),
    ],
)
def test_an_alert_whose_channel_reaches_nobody_is_found(change: dict[str, Any] | None, reason: str) -> None:
    resources = live(0)
    if change is None:
        resources = [one for one in resources if not one.type.endswith(":NotificationChannel")]
    else:
        resources = changed(resources, ":NotificationChannel", "channel", **change)
    rows = [
        row for row in evaluate(unit(resources), frame())
        if row["control"] == "alerts-reach-somebody" and row["status"] == "fail"
    ]  # fmt: skip
    assert len(rows) == 4
    assert all(reason in row["reason"] for row in rows)


@pytest.mark.parametrize("change", [{"notificationChannels": []}, {"enabled": False}])
def test_an_alert_that_rings_nowhere_is_found(change: dict[str, Any]) -> None:
    resources = changed(live(0), ":AlertPolicy", "capacity", **change)
    assert ("alerts-reach-somebody", "capacity") in failing(unit(resources))


def test_a_project_outside_the_perimeter_is_found() -> None:
    assert failing(unit(above=[perimeter(7)])) == [("project-inside-perimeter", PROJECT)]


def test_a_project_in_a_dry_run_only_is_outside() -> None:
    enforced = perimeter(0)
    properties = {**enforced.properties, "status": {}, "spec": enforced.properties["status"]}
    rows = evaluate(unit(above=[replace(enforced, properties=properties)]), frame())
    [row] = [row for row in rows if row["control"] == "project-inside-perimeter"]
    assert row["status"] == "fail"
    assert "dry-run" in row["reason"]


def test_what_is_gone_from_the_cloud_is_found() -> None:
    resources = [one for one in live(0) if one.name != f"{PROJECT}-images"]
    found = failing(unit(resources), "declared-exists")
    assert found == [("declared-exists", f"{PROJECT}-{PROJECT}-images")]


def test_what_could_not_be_read_is_neither_gone_nor_fine() -> None:
    resources = [one for one in live(0) if one.name != f"{PROJECT}-images"]
    made = unit(resources, unread=[Unread(PROJECT, "storage items", 403, "PERMISSION_DENIED no")])
    assert failing(made, "declared-exists") == []
    assert failing(made, "declared-exists", status="indeterminate") == [
        ("declared-exists", f"{PROJECT}-{PROJECT}-images")
    ]
    assert failing(made, "inventory-complete", status="indeterminate") == [("inventory-complete", "storage items")]


def test_what_somebody_made_by_hand_is_found_and_what_google_makes_is_not() -> None:
    kind = "gcp:storage/bucket:Bucket"
    hand = Resource("//live/hand", kind, "hand", {"id": "hand", "project": PROJECT}, "live")
    google = Resource("//live/g", kind, "g", {"id": "gcf-v2-sources-1-europe-west4", "project": PROJECT}, "live")
    assert failing(unit([*live(0), hand, google]), "resource-declared") == [("resource-declared", "hand")]


def test_a_property_that_was_changed_by_hand_is_found_with_both_values() -> None:
    resources = changed(live(0), ":Bucket", f"{PROJECT}-images", versioning={"enabled": False})
    rows = evaluate(unit(resources), frame())
    [row] = [row for row in rows if row["control"] == "properties-held" and row["status"] == "fail"]
    [reading] = row["sources"]["joined"]["readings"]
    assert reading == {"path": "versioning.enabled", "declared": True, "value": False}


def test_a_label_that_was_taken_away_is_found_and_one_of_googles_is_not() -> None:
    labels = {**live(0)[0].properties["labels"], "goog-x": "1"}
    assert failing(unit(changed(live(0), ":Project", PROJECT, labels=labels))) == []
    labels.pop("cost-center")
    found = failing(unit(changed(live(0), ":Project", PROJECT, labels=labels)))
    assert ("properties-held", f"{PROJECT}-{PROJECT}") in found
    assert ("sources-agree", f"{PROJECT}-{PROJECT}") in found


def test_sources_that_contradict_each_other_are_a_finding_of_their_own() -> None:
    resources = changed(live(0), ":Bucket", f"{PROJECT}-images", publicAccessPrevention="inherited")
    rows = [row for row in evaluate(unit(resources), frame()) if row["control"] == "sources-agree"]
    assert [row["about"] for row in rows] == ["storage-no-public-access"]
    assert rows[0]["sources"] == {"live": {"status": "fail"}, "state": {"status": "pass"}}


def test_a_campaigns_project_of_no_stack_is_found() -> None:
    rest = Unit(ORGANIZATION, SETTINGS, live=[*live(3), perimeter(0, 3)])
    assert ("project-declared", project_id(3)) in failing(rest)


def test_a_project_that_nobody_labelled_is_found_in_the_campaigns_folder() -> None:
    rest = Unit(ORGANIZATION, SETTINGS, live=[*changed(live(3), ":Project", project_id(3), labels={}), perimeter(0)])
    assert ("project-declared", project_id(3)) in failing(rest)


def test_a_project_whose_label_was_taken_away_is_still_looked_for_in_the_perimeter() -> None:
    made = unit(changed(live(0), ":Project", PROJECT, labels={}), above=[perimeter(3)])
    assert ("project-inside-perimeter", PROJECT) in failing(made, "project-inside-perimeter")


def test_nothing_is_said_of_the_cloud_when_nobody_asked_it() -> None:
    rows = evaluate(Unit("prod", SETTINGS, export=export(0)), frame())
    assert not {row["control"] for row in rows} & JOINED
    assert {source for row in rows for source in row["sources"]} == {"state"}


def test_a_preview_is_judged_beside_the_state() -> None:
    [bucket] = [one for one in export(0)["deployment"]["resources"] if one.get("id") == f"{PROJECT}-images"]
    new = {**copy.deepcopy(bucket), "id": "", "outputs": {}}
    new["inputs"]["publicAccessPrevention"] = "inherited"
    step = {"op": "update", "urn": bucket["urn"], "type": bucket["type"], "new": new, "old": bucket}
    event = json.dumps({"resourcePreEvent": {"metadata": step, "planning": True}})
    rows = evaluate(unit(preview=event + "\n"), frame())
    [row] = [
        row for row in rows if row["control"] == "storage-no-public-access" and row["resource"] == bucket["urn"]
    ]  # fmt: skip
    assert {source: said["status"] for source, said in row["sources"].items()} == {
        "state": "pass", "live": "pass", "preview": "fail"
    }  # fmt: skip
    assert row["status"] == "fail"


def test_a_check_that_breaks_leaves_its_control_open() -> None:
    def explode(*_: Any) -> Any:
        raise KeyError("x")

    verdict = judged(replace(CONTROLS[0], check=explode), None, Context())
    assert verdict.status is Status.INDETERMINATE
    assert "KeyError" in verdict.reason


def exception(expires: dt.date) -> Judgements:
    entry = ControlException(
        "keys-usable", "*images*", "owner@example.com", "rotation under way", dt.date(2026, 11, 1), expires
    )
    return Judgements(Exceptions((entry,)))


def test_an_exception_takes_the_failure_away_and_an_expired_one_does_not() -> None:
    made = unit(changed(live(0), ":CryptoKey", "images", primary={"state": "DISABLED"}))
    [row] = [
        r for r in evaluate(made, frame(exception(DAY))) if r["control"] == "keys-usable" and r["status"] != "pass"
    ]
    assert row["status"] == "exception"
    assert row["exception"]["owner"] == "owner@example.com"
    yesterday = DAY - dt.timedelta(days=1)
    [row] = [
        r
        for r in evaluate(made, frame(exception(yesterday)))
        if r["control"] == "keys-usable" and r["status"] != "pass"
    ]
    assert row["status"] == "fail"
    assert "expired on 2026-11-20" in row["reason"]


@pytest.mark.parametrize(
    ("result", "due", "status", "words"),
    [
        ("pass", dt.date(2027, 1, 1), "manual", "recorded as pass by Kim"),
        ("fail", dt.date(2027, 1, 1), "fail", "recorded as fail by Kim"),
        ("pass", dt.date(2026, 11, 20), "manual", "it was due again"),
        (None, DAY, "manual", "nobody has recorded"),
    ],
)
def test_manual_controls_show_what_people_recorded(result: Any, due: dt.date, status: str, words: str) -> None:
    entry = {"control": "ai-literacy", "result": result, "by": "Kim", "date": "2026-10-01", "evidence": "x", "due": due}
    recorded = (Recorded.model_validate(entry),) if result else ()
    rows = evaluate(unit(), frame(Judgements(manual=recorded)))
    [row] = [row for row in rows if row["control"] == "ai-literacy"]
    assert row["status"] == status
    assert words in row["reason"]


def test_a_control_that_judged_nothing_is_never_green() -> None:
    assert overall({}) == "not_evaluated"
    assert overall({"not_applicable": 5}) == "not_evaluated"
    assert overall({"pass": 5, "not_applicable": 1}) == "pass"
    assert overall({"pass": 5, "indeterminate": 1}) == "indeterminate"
    found = results(Counts(), CONTROLS)
    assert {entry["status"] for entry in found["controls"].values()} == {"not_evaluated"}
    assert found["score"] == {"passed": 0, "judged": 0, "controls": len(CONTROLS) + len(JOINED)}
