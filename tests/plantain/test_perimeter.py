from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from plantain import output
from plantain.commands import perimeter as command
from plantain.errors import ErrorFound, GoogleCloudError, InputError
from plantain.perimeters.denials import TYPE, Denial, Group, gathered, member, project_of, read
from plantain.perimeters.document import level_documents, perimeter_document
from plantain.perimeters.proposal import merged, rules
from plantain.perimeters.simulation import Question, passes, simulate
from plantain.project import stack_settings
from plantain.stack import Stack
from tests.plantain.conftest import FakeCloud
from tests.plantain.ending import ends

PERIMETER = "accessPolicies/1/servicePerimeters/plantain"


def entry(identifier: str = "a", **changes: Any) -> dict[str, Any]:
    facts = {
        "email": "jo@example.com",
        "service": "storage.googleapis.com",
        "method": "google.storage.objects.get",
        "dry_run": True,
        "direction": "ingress",
        "perimeter": PERIMETER,
        **changes,
    }
    return {
        "timestamp": "2026-11-21T10:00:00Z",
        "protoPayload": {
            "authenticationInfo": {"principalEmail": facts["email"]} if facts["email"] else {},
            "serviceName": facts["service"],
            "methodName": facts["method"],
            "metadata": {
                "@type": TYPE,
                "vpcServiceControlsUniqueId": identifier,
                "violationReason": "NO_MATCHING_ACCESS_LEVEL",
                "securityPolicyInfo": {"servicePerimeterName": facts["perimeter"]},
                "dryRun": facts["dry_run"],
                f"{facts['direction']}Violations": [
                    {"targetResource": "projects/17", "source": facts.get("source", "")}
                ],
            },
        },
    }


def denial(**changes: Any) -> Denial:
    facts: dict[str, Any] = {
        "direction": "ingress",
        "identity": "user:jo@example.com",
        "service": "storage.googleapis.com",
        "method": "google.storage.objects.get",
        "reason": "NO_MATCHING_ACCESS_LEVEL",
        "source": "",
        "target": "projects/17",
        "dry_run": True,
        **changes,
    }
    return Denial(**facts)


class TestDenials:
    def test_equal_denials_are_counted_and_the_most_frequent_come_first(self) -> None:
        groups = gathered([entry("a"), entry("b"), entry("c", method="other")])
        assert [(group.count, group.denial.method) for group in groups] == [
            (2, "google.storage.objects.get"),
            (1, "other"),
        ]
        assert groups[0].identifier == "b"

    def test_an_entry_that_lies_in_two_logs_counts_once(self) -> None:
        [group] = gathered([entry("a"), entry("a")])
        assert group.count == 1

    def test_denials_of_another_perimeter_and_other_entries_are_left_out(self) -> None:
        assert not gathered(
            [entry(perimeter="accessPolicies/1/servicePerimeters/other"), {"protoPayload": {}}], PERIMETER
        )

    @pytest.mark.parametrize(
        ("subject", "expected"),
        [
            ("jo@example.com", "user:jo@example.com"),
            ("a@p.iam.gserviceaccount.com", "serviceAccount:a@p.iam.gserviceaccount.com"),
            ("principal://iam.googleapis.com/x", "principal://iam.googleapis.com/x"),
            ("", ""),
        ],
    )
    def test_a_caller_becomes_a_member(self, subject: str, expected: str) -> None:
        assert member(subject) == expected

    def test_only_a_project_by_its_number_is_a_project(self) -> None:
        names = ("projects/17", "projects/17/buckets/b", "projects/name", "//compute.googleapis.com/projects/p", "")
        assert [project_of(name) for name in names] == ["projects/17", "projects/17", "", "", ""]

    def test_the_log_is_asked_for_the_time_and_the_kind_of_entry(self, cloud: FakeCloud) -> None:
        cloud.answers["POST logging/"] = {"entries": [entry()]}
        found = read(cloud, ["p"], dt.datetime(2026, 11, 1, tzinfo=dt.UTC))  # type: ignore[arg-type]  # a fake
        assert len(found) == 1
        body = cloud.asked[0][2]
        assert body["resourceNames"] == ["projects/p"]
        assert TYPE in body["filter"]
        assert 'timestamp>="2026-11-01T00:00:00+00:00"' in body["filter"]


class TestProposal:
    def test_a_rule_opens_exactly_what_was_refused(self) -> None:
        [rule] = rules([denial(), denial(method="google.storage.objects.list")])["ingress"]
        assert rule == {
            "title": "jo to storage",
            "identities": ["user:jo@example.com"],
            "services": {"storage.googleapis.com": ["google.storage.objects.get", "google.storage.objects.list"]},
            "toProjects": ["projects/17"],
        }

    def test_callers_with_the_same_needs_share_a_rule_and_others_do_not(self) -> None:
        other = denial(identity="user:sam@example.com")
        greedy = denial(identity="user:max@example.com", method="google.storage.objects.delete")
        found = rules([denial(), other, greedy])["ingress"]
        assert sorted(len(rule["identities"]) for rule in found) == [1, 2]

    def test_egress_gives_an_egress_rule_to_the_project_outside(self) -> None:
        found = rules([denial(direction="egress", target="projects/99", source="projects/17")])
        assert list(found) == ["egress"]
        assert found["egress"][0]["toProjects"] == ["projects/99"]
        assert "fromProjects" not in found["egress"][0]

    def test_a_caller_without_a_name_gives_no_rule(self) -> None:
        assert rules([denial(identity="")]) == {}

    def test_titles_stay_distinct_also_from_those_that_are_there(self) -> None:
        proposed = rules([denial(), denial(target="projects/18")])
        titles = [rule["title"] for rule in merged({"ingress": [{"title": "jo to storage"}]}, proposed)["ingress"]]
        assert len(set(titles)) == 3

    def test_the_rules_admit_the_calls_they_were_made_from(self, project: Path) -> None:
        kinds = [denial(), denial(direction="egress", target="projects/99", source="projects/17")]
        settings = stack_settings(project, "prod").perimeter
        assert settings
        added = merged({}, rules(kinds))
        widened = type(settings).model_validate(
            {**settings.model_dump(by_alias=True), "enforcement": "enforced", **added}
        )
        for widened_by, expected in ((settings.model_copy(update={"enforcement": "enforced"}), False), (widened, True)):
            document = perimeter_document(widened_by, ["projects/17"])  # type: ignore[arg-type]  # it is owned
            levels = level_documents(widened_by)  # type: ignore[arg-type]  # it is owned
            for kind in kinds:
                question = Question(kind.identity, kind.service, kind.method, kind.target, source=kind.source or None)
                assert passes(simulate([document], levels, question)) is expected


@pytest.fixture
def deployed(project: Path, monkeypatch: pytest.MonkeyPatch, cloud: FakeCloud) -> Path:
    outputs = {"campaigns": {"s": {"projectId": "p"}}, "perimeter": PERIMETER}
    monkeypatch.setattr(Stack, "outputs", lambda _: outputs)
    cloud.answers["POST logging/"] = {"entries": [entry("a"), entry("b", email="sam@example.com", dry_run=False)]}
    return project


class TestReport:
    @pytest.mark.usefixtures("deployed")
    def test_accepted_lines_become_settings_to_paste(self, capsys: pytest.CaptureFixture[str]) -> None:
        command.report("prod", accept=["1"])
        shown = capsys.readouterr().out
        assert "user:jo@example.com" in shown
        pasted = yaml.safe_load(shown.partition("Pulumi.prod.yaml:\n")[2])
        assert pasted["ingress"][0]["identities"] == ["user:jo@example.com"]

    @pytest.mark.usefixtures("deployed")
    def test_what_was_really_refused_is_shown_on_demand(self, capsys: pytest.CaptureFixture[str]) -> None:
        command.report("prod", json=True)
        assert len(json.loads(capsys.readouterr().out)["denials"]) == 1
        command.report("prod", enforced=True, json=True)
        assert len(json.loads(capsys.readouterr().out)["denials"]) == 2

    def test_apply_writes_the_rules_and_keeps_the_comments(self, deployed: Path) -> None:
        before = (deployed / "Pulumi.prod.yaml").read_text()
        command.report("prod", accept=["all"], apply=True)
        after = (deployed / "Pulumi.prod.yaml").read_text()
        comments = [line.strip() for line in before.splitlines() if line.strip().startswith("#")]
        assert [line for line in comments if line not in after] == []
        perimeter = stack_settings(deployed, "prod").perimeter
        assert perimeter
        assert perimeter.ingress[0].identities == ("user:jo@example.com",)

    @pytest.mark.usefixtures("deployed")
    @pytest.mark.parametrize("accept", ["0", "9", "x"])
    def test_a_line_that_is_not_there_is_refused(self, accept: str) -> None:
        with ends(2, f"There is no line {accept!r}; there are "):
            command.report("prod", accept=[accept])

    @pytest.mark.usefixtures("deployed")
    def test_nothing_is_applied_when_nothing_was_accepted(self) -> None:
        with ends(2, "There is no rule to write."):
            command.report("prod", apply=True)

    def test_rules_that_infra_would_refuse_leave_the_file_as_it_was(self, deployed: Path) -> None:
        before = (deployed / "Pulumi.prod.yaml").read_text()
        with pytest.raises(InputError):
            command.write_rules(
                "prod", {"ingress": [{"title": "x", "identities": ["everybody"], "services": {"*": []}}]}
            )
        assert (deployed / "Pulumi.prod.yaml").read_text() == before

    @pytest.mark.usefixtures("deployed")
    def test_a_hidden_caller_is_said_to_give_no_rule(
        self, cloud: FakeCloud, capsys: pytest.CaptureFixture[str]
    ) -> None:
        cloud.answers["POST logging/"] = {"entries": [entry("a", email="")]}
        command.report("prod", accept=["1"])
        assert "name no caller" in capsys.readouterr().err

    @pytest.mark.usefixtures("deployed")
    def test_logs_that_may_not_be_read_end_with_exit_code_7(self, cloud: FakeCloud) -> None:
        cloud.answers["POST logging/"] = GoogleCloudError(403, "PERMISSION_DENIED", "no", "logging", "p")
        with pytest.raises(GoogleCloudError) as caught:
            command.report("prod")
        assert caught.value.exit_code == 7

    @pytest.mark.usefixtures("project")
    def test_without_a_campaign_there_are_no_logs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Stack, "outputs", lambda _: {})
        with pytest.raises(InputError, match="no deployed campaign"):
            command.report("prod")


class TestEnforce:
    @pytest.mark.usefixtures("deployed")
    def test_unexplained_denials_stop_it_with_exit_code_11(self) -> None:
        with ends(11, "kinds of calls would be refused, and nobody has explained them. Nothing was changed."):
            command.enforce("prod", yes=True)

    @pytest.mark.usefixtures("deployed")
    def test_what_is_meant_to_be_refused_does_not_stop_it(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        written: list[tuple[str, str]] = []
        monkeypatch.setattr(Stack, "set_config", lambda _, path, value: written.append((path, value)))
        command.enforce("prod", ignore=["user:jo@example.com"])
        assert not written
        assert "pulumi config set --path plantain:perimeter.enforcement enforced" in capsys.readouterr().out
        command.enforce("prod", ignore=["user:jo@example.com"], yes=True)
        assert written == [("plantain:perimeter.enforcement", "enforced")]

    @pytest.mark.usefixtures("deployed")
    def test_an_enforced_perimeter_is_left_alone(self, capsys: pytest.CaptureFixture[str]) -> None:
        command.enforce("sandbox")
        assert "enforced already" in capsys.readouterr().out


class TestSimulate:
    @pytest.mark.usefixtures("project")
    def test_a_stranger_is_refused_with_exit_code_11_and_told_what_each_rule_misses(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(ErrorFound, match="would be refused") as caught:
            command.simulate("user:jo@example.com", "storage", stack="sandbox")
        assert caught.value.exit_code == 11
        assert "deployers: identities" in capsys.readouterr().out

    @pytest.mark.usefixtures("project")
    def test_the_deployer_passes(self, capsys: pytest.CaptureFixture[str]) -> None:
        command.simulate("user:user@example.com", "storage.googleapis.com", stack="sandbox", json=True)
        assert json.loads(capsys.readouterr().out)["passes"]

    @pytest.mark.usefixtures("project")
    def test_a_dry_run_perimeter_refuses_nothing(self, capsys: pytest.CaptureFixture[str]) -> None:
        command.simulate("user:jo@example.com", "storage", stack="prod")
        assert "would be logged" in capsys.readouterr().out

    def test_a_perimeter_of_somebody_else_can_be_given_as_a_file(self, project: Path) -> None:
        document = {
            "name": PERIMETER,
            "status": {"resources": ["projects/5"], "restrictedServices": ["storage.googleapis.com"]},
        }
        (project / "p.json").write_text(json.dumps(document))
        with pytest.raises(ErrorFound):
            command.simulate("user:jo@example.com", "storage", to="projects/5", document=project / "p.json")
        command.simulate("user:jo@example.com", "storage", to="outside", document=project / "p.json")

    @pytest.mark.usefixtures("project")
    def test_a_file_that_is_none_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="no perimeter as JSON"):
            command.simulate("user:jo@example.com", "storage", document=tmp_path / "none.json")

    def test_a_stack_that_joins_cannot_say_what_the_owner_refuses(self, project: Path) -> None:
        path = project / "Pulumi.sandbox.yaml"
        document = yaml.safe_load(path.read_text())
        document["config"]["plantain:perimeter"] = {
            "membership": "join",
            "enforcement": "enforced",
            "perimeter": PERIMETER,
        }
        path.write_text(yaml.safe_dump(document))
        with ends(2, "Stack sandbox owns no perimeter, so its settings cannot say what one refuses."):
            command.simulate("user:jo@example.com", "storage", stack="sandbox")


@pytest.mark.parametrize(("columns", "reasons"), [(80, False), (140, True)])
def test_a_narrow_terminal_shows_callers_whole_and_no_reasons(
    columns: int, reasons: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stranger = "user:stranger@example.com"
    denial = Denial("ingress", stranger, "storage.googleapis.com", "objects.list", "NO_LEVEL", "", "", dry_run=True)
    monkeypatch.setattr(output, "width", lambda: columns)
    command.show_denials([Group(denial, 1, "", "")], 1)
    shown = capsys.readouterr().out
    assert "user:stranger@example.com" in shown
    assert ("NO_LEVEL" in shown) is reasons
