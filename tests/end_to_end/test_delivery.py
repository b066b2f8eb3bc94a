"""The commands that pipelines call, with the real engine: preview, plan, deploy what was planned, look for drift.

The tests run in the order below, on one small stack.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra import settings
from plantain.stack import Stack

from .organization import ROOT, Organization, change

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]

SECURITY: Mapping[str, Any] = {"email": "security@example.com", "categories": ["SECURITY"]}
LEGAL: Mapping[str, Any] = {"email": "legal@example.com", "categories": ["LEGAL"]}


@dataclass(frozen=True)
class Pipeline:
    """A checkout in which a pipeline works."""

    organization: Organization
    stack: Stack

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """One of the commands, as a job runs it."""
        environment = {**self.organization.environment(), "STACK": self.stack.name, "BASE": "HEAD", "IMAGES": "1000"}
        return subprocess.run(
            [f"delivery/{command}"],
            cwd=self.organization.project,
            env=environment,
            text=True,
            capture_output=True,
            check=False,
            timeout=300,
        )

    def pulumi(self, *arguments: str) -> str:
        """A command of a runbook, as somebody types it."""
        command = ["pulumi", *arguments, "--stack", self.stack.name, "--config-file", str(self.stack.config_file)]
        done = subprocess.run(
            command,
            cwd=self.organization.project,
            env=self.organization.environment(),
            text=True,
            capture_output=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def git(self, *arguments: str) -> None:
        """Git, as somebody."""
        command = [shutil.which("git") or "git", "-c", "user.name=a", "-c", "user.email=a@example.com", *arguments]
        subprocess.run(command, cwd=self.organization.project, check=True, capture_output=True)

    def contacts(self) -> set[str]:
        """Whom Google writes to."""
        path = "essentialcontacts/v1/organizations/123456789012/contacts"
        return {contact["email"] for contact in self.organization.call("GET", path).get("contacts", [])}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    made = Organization.make(tmp_path_factory.mktemp("delivery"))
    try:
        for name in ("delivery", "plantain", "policies"):
            (made.project / name).symlink_to(ROOT / name)
        shutil.copy(ROOT / "campaigns" / "spring-launch.yaml", made.project / "campaigns")
        stack = made.stack("pipeline", campaigns="", contacts=[SECURITY])
        found = Pipeline(made, stack)
        found.git("init", "--quiet")
        found.git("add", "campaigns")
        found.git("commit", "--quiet", "--message", "A campaign")
        yield found
    finally:
        made.close()


def test_what_was_planned_is_deployed(pipeline: Pipeline) -> None:
    planned = pipeline.run("plan")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert pipeline.contacts() == set(), "a plan changes nothing"
    deployed = pipeline.run("deploy")
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr
    assert pipeline.contacts() == {SECURITY["email"]}


def test_what_was_not_planned_is_not_deployed(pipeline: Pipeline) -> None:
    assert pipeline.run("plan").returncode == 0
    change(pipeline.stack, contacts=[SECURITY, LEGAL])
    refused = pipeline.run("deploy")
    assert refused.returncode != 0
    assert "no steps were expected for this resource" in refused.stdout + refused.stderr
    assert pipeline.contacts() == {SECURITY["email"]}


def test_a_change_request_is_told_what_changes_and_what_it_costs(pipeline: Pipeline) -> None:
    campaign = pipeline.organization.project / "campaigns" / "spring-launch.yaml"
    before = campaign.read_text()
    campaign.write_text(before.replace("maxInstances: 10", "maxInstances: 10\n  minInstances: 2"))
    done = pipeline.run("preview")
    campaign.write_text(before)
    change(pipeline.stack, contacts=[SECURITY])
    assert done.returncode == 0, done.stdout + done.stderr
    comment = (pipeline.organization.project / "comment.md").read_text()
    assert comment.startswith("### Preview of `pipeline`\n\n+ 1 to create")
    (row,) = [line for line in comment.splitlines() if line.startswith("| spring-launch |")]
    assert row.count(" USD |") == 3
    assert "+0.00 USD" not in row
    assert LEGAL["email"] in comment


def test_drift_is_found_and_nothing_is_changed(pipeline: Pipeline) -> None:
    assert pipeline.run("drift").returncode == 0
    parent = "essentialcontacts/v1/organizations/123456789012/contacts"
    (contact,) = pipeline.organization.call("GET", parent)["contacts"]
    body = {"notificationCategorySubscriptions": ["ALL"]}
    path = f"essentialcontacts/v1/{contact['name']}?updateMask=notificationCategorySubscriptions"
    pipeline.organization.call("PATCH", path, body)
    found = pipeline.run("drift")
    assert found.returncode != 0
    assert "security@example.com" in found.stdout
    (still,) = pipeline.organization.call("GET", parent)["contacts"]
    assert still["notificationCategorySubscriptions"] == ["ALL"]


def test_the_comment_is_written_even_when_the_preview_fails(pipeline: Pipeline) -> None:
    stack_file = pipeline.stack.config_file or Path()
    before = stack_file.read_text()
    stack_file.write_text(before.replace("security@example.com", "nobody"))
    done = pipeline.run("preview")
    stack_file.write_text(before)
    assert done.returncode != 0
    comment = (pipeline.organization.project / "comment.md").read_text()
    assert "The preview failed; see below." in comment
    assert "contacts[0].email" in comment


def test_what_the_runbooks_set_by_a_command_is_what_the_program_reads(pipeline: Pipeline) -> None:
    stack_file = pipeline.stack.config_file or Path()
    before = stack_file.read_text()
    for arguments in (
        ["--path", "plantain:perimeter.enforcement", "enforced"],
        ["--path", "plantain:perimeter.membership", "delegated"],
        ["--path", "plantain:perimeter.deployers[0]", "user:user@example.com"],
        ["--secret", "--path", "plantain:channelSecrets.slack-token", "xoxb-of-today"],
        ["plantain:deletionProtection", "false"],
    ):
        pipeline.pulumi("config", "set", *arguments)
    assert "xoxb-of-today" not in stack_file.read_text()
    shown = json.loads(pipeline.pulumi("config", "--json", "--show-secrets"))
    told = {name.removeprefix("plantain:"): entry["value"] for name, entry in shown.items() if "plantain:" in name}
    stack_file.write_text(before)
    read = settings.parse(told, stack="pipeline")
    assert read.channel_secrets["slack-token"].get_secret_value() == "xoxb-of-today"
    assert read.perimeter
    assert (read.perimeter.enforcement, read.perimeter.membership) == ("enforced", "delegated")
    assert not read.deletion_protection
