"""The pipelines: who they act as, what they run, what they say."""

from __future__ import annotations

import json
import os
import re
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from delivery import comment, credentials
from infra import workload_identity
from infra.bootstrap_settings import Esc
from infra.settings import NAMESPACE, Settings

ROOT = Path(__file__).parents[2]
DELIVERY = ROOT / "delivery"
COMMANDS = ("preview", "plan", "deploy", "drift", "audit")
PREVIEW = """\
Previewing update (prod):
 ~  gcp:cloudfunctionsv2:Function spring-launch-images update
Resources:
    ~ 1 to update
    99 unchanged

Duration: 9s
"""


def workflow(name: str) -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load((DELIVERY / "github" / f"{name}.yml").read_text())
    return found


def gitlab() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DELIVERY / "gitlab" / ".gitlab-ci.yml").read_text())
    return found


def accounts(job: dict[str, Any]) -> list[str]:
    return [step["with"]["service_account"] for step in job["steps"] if "auth" in step.get("uses", "")]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_a_shell_script_that_can_be_run(name: str) -> None:
    path = DELIVERY / name
    assert os.access(path, os.X_OK)
    subprocess.run(["/bin/sh", "-n", str(path)], check=True)
    assert "set -eu" in path.read_text()


@pytest.mark.parametrize("name", ["preview", "deploy", "drift", "audit"])
def test_no_workflow_keeps_a_key_or_may_do_more_than_it_must(name: str) -> None:
    document = workflow(name)
    assert document["permissions"]["id-token"] == "write"
    assert document["permissions"]["contents"] == "read"
    assert set(document["permissions"]) <= {"contents", "id-token", "pull-requests", "security-events"}
    text = (DELIVERY / "github" / f"{name}.yml").read_text()
    assert "secrets." not in text
    assert "credentials_json" not in text


def test_a_change_request_acts_as_the_previewer_and_forks_get_nothing() -> None:
    document = workflow("preview")
    assert "pull_request_target" not in document[True]
    [job] = document["jobs"].values()
    assert accounts(job) == ["${{ vars.PREVIEWER }}"]
    assert "head.repo.full_name == github.repository" in job["if"]


def test_only_an_approved_job_acts_as_the_deployer_and_does_what_was_planned() -> None:
    jobs = workflow("deploy")["jobs"]
    assert accounts(jobs["plan"]) == ["${{ vars.PREVIEWER }}"]
    assert accounts(jobs["deploy"]) == ["${{ vars.DEPLOYER }}"]
    assert jobs["deploy"]["environment"] == "prod"
    assert jobs["deploy"]["needs"] == "plan"
    assert "--save-plan" in (DELIVERY / "plan").read_text()
    assert "--plan" in (DELIVERY / "deploy").read_text()
    assert workflow("deploy")["concurrency"]["cancel-in-progress"] is False


def test_gitlabs_jobs_act_as_github_s_do() -> None:
    document = gitlab()
    identities = {name: document[name]["variables"]["IDENTITY"] for name in COMMANDS}
    assert identities == {
        "preview": "$PREVIEWER",
        "plan": "$PREVIEWER",
        "deploy": "$DEPLOYER",
        "drift": "$PREVIEWER",
        "audit": "$AUDITOR",
    }
    assert document["deploy"]["environment"] == "prod"
    assert document["deploy"]["resource_group"] == "prod"
    assert document[".keyless"]["id_tokens"]


@pytest.mark.parametrize("name", COMMANDS)
def test_both_pipelines_run_every_command(name: str) -> None:
    github = "".join(path.read_text() for path in (DELIVERY / "github").glob("*.yml"))
    assert f"run: delivery/{name}\n" in github
    assert f"delivery/{name}" in (DELIVERY / "gitlab" / ".gitlab-ci.yml").read_text()


def test_every_output_that_a_template_names_is_one_of_the_bootstrap_stack() -> None:
    program = (ROOT / "infra" / "bootstrap.py").read_text()
    texts = "".join(path.read_text() for path in DELIVERY.rglob("*") if path.suffix in {".yml", ".yaml"})
    named = set(re.findall(r"output bootstrap\.(\w+)", texts))
    assert named >= {"backend", "deployer", "previewer", "providers"}
    assert all(f'"{name}":' in program for name in named)


def test_the_environment_of_pulumi_esc_logs_in_by_what_the_bootstrap_stack_trusts() -> None:
    values = yaml.safe_load((DELIVERY / "esc" / "plantain-prod.yaml").read_text())["values"]
    login = values["gcp"]["login"]["fn::open::gcp-login"]["oidc"]
    trust = workload_identity.esc(Esc(organization="acme", environment="plantain/prod"))
    assert login["providerId"] == trust.name
    assert login["workloadPoolId"] == "pipelines"
    assert login["serviceAccount"].startswith("deployer@")
    settings = {f"{NAMESPACE}:{field.alias or name}" for name, field in Settings.model_fields.items()}
    assert set(values["pulumiConfig"]) <= settings
    assert values["environmentVariables"] == {"GOOGLE_OAUTH_ACCESS_TOKEN": "${gcp.login.accessToken}"}


FAKE = """#!/bin/sh
printf '%s\\n' "$*" >> calls
case "$2" in run) exit {code} ;; esac
"""


@pytest.mark.parametrize(("found", "ends", "reported"), [(0, 0, True), (10, 0, True), (11, 11, True), (3, 3, False)])
def test_the_audit_s_job_ends_as_the_audit_does_and_reports_whatever_it_found(
    tmp_path: Path, found: int, ends: int, reported: bool
) -> None:
    fake = tmp_path / "plantain"
    fake.write_text(FAKE.replace("{code}", str(found)))
    fake.chmod(0o755)
    settings = {"STACK": "prod", "EVIDENCE": "gs://kept/prod", "AUDIT_KEY": "audit.pem", "PLANTAIN": str(fake)}
    script = str(DELIVERY / "audit")
    done = subprocess.run([script], cwd=tmp_path, env={**os.environ, **settings, "AUDIT_LOG": "p"}, check=False)
    assert done.returncode == ends
    fetched, ran, *report = (tmp_path / "calls").read_text().splitlines()
    assert fetched == "audit fetch gs://kept/prod --stack prod --last 1 --may-be-empty"
    assert ran == "audit run --stack prod --key audit.pem --to gs://kept/prod --log p"
    assert report == ["audit report evidence --format html --format sarif --format junit"] * reported


def test_the_audit_runs_every_night_and_after_each_deployment_one_at_a_time() -> None:
    document = workflow("audit")
    assert document[True]["schedule"]
    assert document[True]["workflow_run"]["workflows"] == [workflow("deploy")["name"]]
    assert document["concurrency"]["cancel-in-progress"] is False
    [job] = document["jobs"].values()
    assert accounts(job) == ["${{ vars.AUDITOR }}"]
    job = gitlab()["audit"]
    assert job["rules"] == [{"if": '$CI_PIPELINE_SOURCE == "schedule"', "when": "always"}]
    assert job["resource_group"]


def test_drift_is_looked_for_without_changing_anything() -> None:
    text = (DELIVERY / "drift").read_text()
    assert "pulumi preview" in text
    assert "--expect-no-changes" in text
    assert "up " not in text.split("set -eu")[1]


def test_the_comment_says_what_changes_and_what_it_costs() -> None:
    said = comment.comment("prod", PREVIEW, {"spring-launch": (Decimal("110.02"), Decimal("137.5"))}, "800")
    assert "### Preview of `prod`" in said
    assert "~ 1 to update; 99 unchanged" in said
    assert "| spring-launch | 110.02 USD | 137.50 USD | +27.48 USD |" in said


def test_a_new_and_an_ended_campaign_have_one_side_only() -> None:
    said = comment.comment("prod", PREVIEW, {"new": (None, Decimal(5)), "old": (Decimal(5), None)}, "800")
    assert "| new | none | 5.00 USD | +5.00 USD |" in said
    assert "| old | 5.00 USD | none | -5.00 USD |" in said


def test_a_failed_preview_is_said_and_no_token_is_shown() -> None:
    said = comment.comment("prod", "error: ya29.secret-token was refused\n```", {}, "800")
    assert "The preview failed" in said
    assert "ya29" not in said
    assert "No campaign file changed." in said
    assert said.count("```") == 2


def test_a_preview_that_fails_after_it_counted_is_said_to_have_failed() -> None:
    assert "The preview failed" in comment.comment("prod", PREVIEW, {}, "800", failed=True)


def test_what_policy_packs_say_is_no_count_of_changes() -> None:
    packs = "Policy Packs run:\n    Name  Version\n    plantain|local|policies  0.1.0\n"
    said = comment.comment("prod", PREVIEW.replace("Duration", f"{packs}\nDuration"), {}, "800")
    assert "~ 1 to update; 99 unchanged\n" in said


def test_a_long_preview_keeps_its_end() -> None:
    said = comment.comment("prod", "x" * 100_000 + PREVIEW, {}, "800")
    assert len(said) < 60_000
    assert "99 unchanged" in said


def test_costs_are_those_of_the_files_before_and_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "campaigns").mkdir()
    file = tmp_path / "campaigns" / "spring-launch.yaml"
    file.write_text((ROOT / "campaigns" / "spring-launch.yaml").read_text())
    (tmp_path / "Pulumi.yaml").write_text((ROOT / "Pulumi.yaml").read_text())
    for command in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "a"],
    ):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)  # noqa: S607 -- the git that is installed
    file.write_text(file.read_text().replace("deleteAfterDays: 730", "deleteAfterDays: 3650"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{ROOT / 'functions'}")
    [(name, (old, new))] = comment.costs("HEAD", "100000").items()
    assert name == "spring-launch"
    assert old is not None
    assert new is not None
    assert new > old


def test_the_credentials_file_names_token_provider_and_account(tmp_path: Path) -> None:
    found = json.loads(json.dumps(credentials.document("projects/1/p", "deployer@seed", tmp_path / "token")))
    assert found["audience"] == "//iam.googleapis.com/projects/1/p"
    assert found["service_account_impersonation_url"].endswith("/deployer@seed:generateAccessToken")
    assert "private_key" not in found
