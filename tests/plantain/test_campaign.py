from __future__ import annotations

import copy
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from plantain.campaigns import draft, vital_signs
from plantain.campaigns.checklist import checklist
from plantain.campaigns.detachment import belongs, without
from plantain.campaigns.retirement import STEPS, Retirement, changed_files, read_record
from plantain.commands import campaign as command
from plantain.errors import GoogleCloudError, InputError, PlantainError, StackError, WarningFound
from plantain.project import campaign, stack_settings
from plantain.stack import Stack
from tests.plantain.conftest import FakeCloud

OUTPUTS = {
    "projectId": "spring-1",
    "projectNumber": "17",
    "region": "europe-west4",
    "functionName": "projects/spring-1/locations/europe-west4/functions/images",
    "functionUri": "https://images.a.run.app",
    "bucket": "spring-1-images",
    "keys": {"images": "projects/spring-1/locations/europe-west4/keyRings/spring-1/cryptoKeys/images"},
}
TODAY = dt.date(2026, 11, 21)
GIVEN: dict[str, Any] = {
    "owner": "Brand Studio",
    "cost_center": "CC 4711",
    "invoker": ["group:team@example.com"],
    "contact": ["oncall@example.com"],
    "env": "prod",
    "data_class": "internal",
}


class TestNew:
    def test_a_new_campaign_is_complete_and_accepted_by_infra(self, project: Path) -> None:
        command.new("autumn-launch", **GIVEN, budget=300, model="gemini-3.1-flash-image")
        found = campaign(project, "autumn-launch")
        assert (found.labels.owner, found.labels.cost_center) == ("brand-studio", "cc-4711")
        assert found.budget.amount == 300
        assert found.labels.ends_on > dt.datetime.now(dt.UTC).date()

    @pytest.mark.parametrize(
        ("name", "changes", "words"),
        [
            ("Autumn", {}, "labels.campaign"),
            ("google-days", {}, "contains 'google'"),
            ("autumn", {"env": "staging"}, "labels.env"),
            ("autumn", {"invoker": ["everybody"]}, "invokers"),
            ("autumn", {"model": "dall-e"}, "function.model"),
        ],
    )
    def test_a_wrong_campaign_is_not_written(self, project: Path, name: str, changes: Any, words: str) -> None:
        with pytest.raises(InputError, match="no file was written") as caught:
            command.new(name, **{**GIVEN, **changes})
        assert words in caught.value.message
        assert caught.value.exit_code == 2
        assert [path.name for path in (project / "campaigns").iterdir()] == ["spring-launch.yaml"]

    @pytest.mark.usefixtures("project")
    def test_an_existing_campaign_is_not_overwritten(self) -> None:
        with pytest.raises(InputError, match=r"exists; nothing was written"):
            command.new("spring-launch", **GIVEN)

    @pytest.mark.usefixtures("project")
    def test_what_is_missing_is_not_asked_for_without_a_terminal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin.isatty", lambda: False)
        with pytest.raises(InputError, match="no terminal") as caught:
            command.new("autumn", **{**GIVEN, "owner": None})
        assert caught.value.cure == "--owner VALUE"

    @pytest.mark.usefixtures("project")
    def test_what_is_no_day_is_refused(self) -> None:
        with pytest.raises(InputError, match="is no day"):
            command.new("autumn", **GIVEN, ends_on="soon")

    def test_a_clone_has_a_name_and_labels_of_its_own_and_no_project(self, project: Path) -> None:
        path = project / "campaigns" / "spring-launch.yaml"
        document = yaml.safe_load(path.read_text())
        document["project"] = {"id": "existing-project"}
        made = draft.clone(document, "summer", {"owner": "other"})
        assert "project" not in made
        command.clone("spring-launch", "summer", owner="Other Team", ends_on="2028-01-31")
        found = campaign(project, "summer")
        assert (found.labels.owner, str(found.labels.ends_on)) == ("other-team", "2028-01-31")
        assert found.function == campaign(project, "spring-launch").function

    @pytest.mark.usefixtures("project")
    def test_a_clone_of_nothing_names_what_there_is(self) -> None:
        with pytest.raises(InputError, match="Known: spring-launch"):
            command.clone("winter", "summer")


@pytest.fixture
def deployed(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(Stack, "outputs", lambda _: {"campaigns": {"spring-launch": OUTPUTS}})
    return project


@pytest.mark.usefixtures("deployed")
def test_the_list_says_what_is_deployed(capsys: pytest.CaptureFixture[str]) -> None:
    command.list_campaigns(stack="sandbox", json=True)
    [row] = json.loads(capsys.readouterr().out)
    assert (row["campaign"], row["project"]) == ("spring-launch", "spring-1")


def test_the_list_of_a_project_without_campaigns_says_how_to_begin(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "campaigns" / "spring-launch.yaml").unlink()
    command.list_campaigns()
    assert "plantain campaign new" in capsys.readouterr().out


class TestShow:
    def test_what_runs_is_shown_and_what_may_not_be_read_is_named(
        self, deployed: Path, cloud: FakeCloud, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert deployed
        cloud.answers["GET cloudfunctions"] = {"state": "ACTIVE"}
        cloud.answers["GET storage"] = {
            "items": [{"name": "images/a/0.png", "size": "1048576"}, {"name": "images/a/record.json", "size": "5"}]
        }
        cloud.answers["GET monitoring/v3/projects/spring-1/alertPolicies"] = {
            "alertPolicies": [{"displayName": "85 %"}]
        }
        cloud.answers["POST logging"] = GoogleCloudError(403, "PERMISSION_DENIED", "no logs", "logging", "p")
        command.show("spring-launch")
        shown = capsys.readouterr()
        assert "ACTIVE" in shown.out
        assert "1, 1.0 MiB" in shown.out
        assert "not read: records: no logs" in shown.err

    def test_a_bucket_too_full_to_count_says_so(self, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(vital_signs, "MOST_OBJECTS", 2)
        cloud.answers["GET storage"] = {"items": [{"name": f"images/{n}.png", "size": "1"} for n in range(5)]}
        assert vital_signs.images(cloud, "b") == (2, 2, True)  # type: ignore[arg-type]  # a fake

    @pytest.mark.usefixtures("deployed")
    def test_a_campaign_that_is_not_deployed_is_refused(self) -> None:
        with pytest.raises(InputError, match=r"has not deployed 'winter'. Known: spring-launch"):
            command.show("winter")

    @pytest.mark.usefixtures("project")
    def test_before_the_first_update_nothing_is_deployed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def none(_: Stack) -> dict[str, Any]:
            raise StackError("pulumi stack of stack sandbox failed.\nerror: no stack named 'sandbox' found")

        monkeypatch.setattr(Stack, "outputs", none)
        with pytest.raises(InputError, match="Known: none"):
            command.show("spring-launch")

    @pytest.mark.usefixtures("project")
    @pytest.mark.parametrize("asked", ["list", "show"])
    def test_a_state_that_cannot_be_read_is_not_taken_for_an_empty_one(
        self, monkeypatch: pytest.MonkeyPatch, asked: str
    ) -> None:
        def locked(_: Stack) -> dict[str, Any]:
            raise StackError("incorrect passphrase")

        monkeypatch.setattr(Stack, "outputs", locked)
        with pytest.raises(StackError, match="incorrect passphrase") as caught:
            command.list_campaigns(stack="sandbox") if asked == "list" else command.show("spring-launch")
        assert caught.value.exit_code == 5


def test_on_a_terminal_a_new_campaign_asks_for_what_is_missing_until_it_fits(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = [
        ("Owner (team)", "Brand Studio"),
        ("Cost centre", "CC-4711"),
        ("Invokers (group:team@example.com)", "everybody"),
        ("Invokers (group:team@example.com)", "group:brand@example.com"),
        ("Contact (e-mail)", "oncall"),
        ("Contact (e-mail)", "oncall@example.com"),
    ]
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        return answers[len(asked) - 1][1]

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr(typer, "prompt", answer)
    command.new("autumn-launch")
    assert asked == [question for question, _ in answers]
    shown = capsys.readouterr().err.splitlines()
    assert shown == [
        "  not of the required form; allowed: an identity, such as group:brand-studio@example.com",
        "  not of the required form; allowed: an e-mail address, such as oncall@example.com",
    ]
    made = campaign(project, "autumn-launch")
    assert (made.labels.owner, made.labels.cost_center) == ("brand-studio", "cc-4711")


class TestChecklist:
    def lines(self, project: Path, **changes: Any) -> dict[str, Any]:
        signs = vital_signs.VitalSigns("s", "p", "ACTIVE", ("85 %",), (), 1, 1, truncated=False)
        known = {"outputs": OUTPUTS, "signs": signs, "quota": 100, "today": TODAY, **changes}
        found = known.pop("campaign", campaign(project, "spring-launch"))
        settings = known.pop("settings", stack_settings(project, "prod"))
        lines = checklist(found, settings, known["outputs"], known["signs"], known["quota"], known["today"])
        return {line.item: line for line in lines}

    def test_every_line_has_an_owner_and_a_proof_and_every_open_one_a_cure(self, project: Path) -> None:
        lines = self.lines(project, signs=None, outputs=None, quota=None)
        assert set(lines) >= {
            "model contract",
            "price mode",
            "credential",
            "quota",
            "cost ceiling",
            "data handling",
            "fallback",
            "rollback",
        }
        for line in lines.values():
            assert line.owner
            assert line.proof
            assert line.done or line.cure

    def test_a_dry_run_perimeter_is_open(self, project: Path) -> None:
        assert not self.lines(project)["perimeter"].done

    def test_a_model_that_goes_before_the_end_is_open(self, project: Path) -> None:
        assert not self.lines(project)["model contract"].done

    def test_a_quota_below_what_is_asked_for_is_open_and_none_is_not(self, project: Path) -> None:
        assert not self.lines(project, quota=2)["quota"].done
        assert self.lines(project, quota=-1)["quota"].done

    def test_restricted_data_at_the_global_endpoint_is_open(self, project: Path) -> None:
        found = campaign(project, "spring-launch")
        restricted = found.labels.model_copy(update={"data_class": "restricted"})
        line = self.lines(project, campaign=found.model_copy(update={"labels": restricted}))["data handling"]
        assert not line.done
        assert "without residency" in line.proof

    def test_a_firing_alert_is_open(self, project: Path) -> None:
        signs = vital_signs.VitalSigns("s", "p", "ACTIVE", ("85 %",), ("85 %",), 1, 1, truncated=False)
        assert "firing: 85 %" in self.lines(project, signs=signs)["alerts"].proof

    @pytest.mark.usefixtures("deployed")
    def test_open_lines_end_with_exit_code_10_and_are_named(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(WarningFound) as caught:
            command.checklist("spring-launch", stack="prod", offline=True, json=True)
        assert caught.value.exit_code == 10
        assert "perimeter (platform team)" in caught.value.message
        assert len(json.loads(capsys.readouterr().out)) >= 10


def resource(kind: str, name: str, parent: str | None = None, **more: Any) -> dict[str, Any]:
    return {"urn": f"urn:pulumi:s::plantain::{kind}::{name}", "type": kind.rpartition("$")[2], "parent": parent, **more}


FOUNDATION = resource("plantain:infra:CampaignFoundation", "spring-launch")
OWN = resource(
    "plantain:infra:CampaignFoundation$gcp:organizations/project:Project", "spring-launch", FOUNDATION["urn"]
)
OTHER = resource("plantain:infra:CampaignFoundation", "spring")
PERIMETER = resource(
    "plantain:infra:Perimeter$gcp:x:ServicePerimeter",
    "plantain",
    dependencies=[OWN["urn"], OTHER["urn"]],
    propertyDependencies={"spec": [OWN["urn"]], "name": None},
    deletedWith=OWN["urn"],
)
EXPORT = {"version": 3, "deployment": {"resources": [FOUNDATION, OWN, OTHER, PERIMETER]}}


def test_what_belongs_to_a_campaign_is_below_its_components_and_nothing_of_another_with_a_similar_name() -> None:
    assert belongs(EXPORT["deployment"]["resources"], "spring-launch") == {FOUNDATION["urn"], OWN["urn"]}  # type: ignore[index]  # a JSON document


def test_a_state_without_a_campaign_names_it_nowhere_and_the_original_is_left_alone() -> None:
    before = copy.deepcopy(EXPORT)
    kept, gone = without(EXPORT, "spring-launch")
    assert before == EXPORT
    assert gone == sorted([FOUNDATION["urn"], OWN["urn"]])
    text = json.dumps(kept)
    assert all(urn not in text for urn in gone)
    assert OTHER["urn"] in text


class FakeStack:
    name = "prod"

    def __init__(self) -> None:
        self.state: dict[str, Any] = EXPORT

    def export(self) -> dict[str, Any]:
        return self.state

    def replace_state(self, export: dict[str, Any]) -> None:
        self.state = export


@pytest.fixture
def retirement(project: Path, cloud: FakeCloud) -> Retirement:
    bindings = [
        {"role": "roles/run.invoker", "members": ["group:t@example.com"]},
        {"role": "roles/other", "members": []},
    ]
    cloud.answers.update(
        {
            "GET run/": {"bindings": bindings, "etag": "e"},
            "POST run/": {},
            "GET cloudresourcemanager/v3/projects/spring-1": {"projectId": "spring-1"},
            "POST cloudresourcemanager/v3/projects/spring-1:getIamPolicy": {"bindings": []},
            "GET cloudkms/": {"name": "k"},
            "GET storage/": {"items": [{"name": "images/a/0.png", "size": "1", "md5Hash": "x", "selfLink": "no"}]},
            "POST logging/": {"entries": [{"jsonPayload": {"event": "outcome"}}]},
            "GET cloudresourcemanager/v3/liens": {"liens": [{"name": "liens/l"}]},
            "DELETE cloudresourcemanager/": {},
        }
    )
    now = dt.datetime(2027, 7, 1, tzinfo=dt.UTC)
    told: list[str] = []
    return Retirement(project, "spring-launch", OUTPUTS, cloud, FakeStack(), now, told.append)  # type: ignore[arg-type]  # fakes


class TestRetire:
    def test_all_steps_end_with_a_project_marked_for_deletion(
        self, retirement: Retirement, cloud: FakeCloud, project: Path
    ) -> None:
        for step in STEPS:
            retirement.run(step, project / "evidence")
        done = read_record(project, "spring-launch")["steps"]
        assert done["read-only"]["invokers"] == ["group:t@example.com"]
        assert done["delete"]["until"] == "2027-07-31"
        [taken] = [body for key, _, body in cloud.asked if key.startswith("POST run/")]
        assert [one["role"] for one in taken["policy"]["bindings"]] == ["roles/other"]
        deleted = [key.partition(" ")[2] for key, _, _ in cloud.asked if key.startswith("DELETE")]
        assert deleted == ["cloudresourcemanager/v3/liens/l", "cloudresourcemanager/v3/projects/spring-1"]
        assert (project / "campaigns" / "retired" / "spring-launch.yaml").is_file()
        assert not (project / "campaigns" / "spring-launch.yaml").exists()

    def test_the_evidence_lists_objects_and_outcomes_and_its_digests_hold(
        self, retirement: Retirement, project: Path
    ) -> None:
        retirement.run("read-only", project / "evidence")
        retirement.run("evidence", project / "evidence")
        folder = project / "evidence"
        assert json.loads((folder / "objects.jsonl").read_text()) == {
            "md5Hash": "x",
            "name": "images/a/0.png",
            "size": "1",
        }
        digests = read_record(project, "spring-launch")["steps"]["evidence"]["files"]
        assert set(digests) >= {"objects.jsonl", "outcomes.jsonl", "project.json", "keys.json", "spring-launch.yaml"}
        assert changed_files(folder, digests) == []

    @pytest.mark.parametrize("step", STEPS[1:])
    def test_a_step_before_its_turn_is_refused(self, retirement: Retirement, project: Path, step: str) -> None:
        with pytest.raises(InputError, match="cannot take step") as caught:
            retirement.run(step, project / "evidence")
        assert caught.value.cure == "plantain campaign retire spring-launch --step read-only"

    def test_nothing_is_deleted_while_the_evidence_is_damaged(
        self, retirement: Retirement, cloud: FakeCloud, project: Path
    ) -> None:
        for step in STEPS[:3]:
            retirement.run(step, project / "evidence")
        (project / "evidence" / "objects.jsonl").write_text("other")
        with pytest.raises(PlantainError, match=r"objects.jsonl. Nothing was deleted") as caught:
            retirement.run("delete", project / "evidence")
        assert caught.value.exit_code == 1
        assert not any(key.startswith("DELETE") for key, _, _ in cloud.asked)

    def test_the_end_of_the_last_campaign_says_what_the_stack_needs_then(
        self, retirement: Retirement, project: Path
    ) -> None:
        told: list[str] = []
        retirement.told = told.append
        for step in STEPS[:3]:
            retirement.run(step, project / "evidence")
        assert "it was the last campaign: pulumi config set plantain:campaigns ''" in told
        assert any("projects/17 to plantain:perimeter.otherMembers" in line for line in told)

    def test_a_step_can_be_repeated(self, retirement: Retirement, cloud: FakeCloud, project: Path) -> None:
        retirement.run("read-only", project)
        cloud.answers["GET run/"] = {"etag": "e"}
        retirement.run("read-only", project)
        assert sum(key.startswith("POST run/") for key, _, _ in cloud.asked) == 1

    @pytest.mark.usefixtures("deployed")
    def test_without_a_step_the_plan_is_shown(self, capsys: pytest.CaptureFixture[str]) -> None:
        command.retire("spring-launch")
        assert "Next: plantain campaign retire spring-launch --step read-only" in capsys.readouterr().out

    @pytest.mark.usefixtures("deployed")
    def test_an_unknown_step_is_refused(self) -> None:
        with pytest.raises(InputError, match="no step 'burn'"):
            command.retire("spring-launch", step="burn")

    @pytest.mark.usefixtures("deployed")
    def test_deletion_is_confirmed_or_refused(self, monkeypatch: pytest.MonkeyPatch, cloud: FakeCloud) -> None:
        monkeypatch.setattr("sys.stdin.isatty", lambda: False)
        with pytest.raises(InputError, match="Nothing was deleted") as caught:
            command.retire("spring-launch", step="delete")
        assert caught.value.cure
        assert caught.value.cure.endswith("--yes")
        assert not cloud.asked

    def test_a_damaged_record_is_not_taken_for_none(self, project: Path) -> None:
        (project / "campaigns" / "retired").mkdir()
        (project / "campaigns" / "retired" / "spring-launch.json").write_text("{")
        with pytest.raises(InputError, match="is no JSON"):
            read_record(project, "spring-launch")
