"""The commands that pipelines call, with the real engine: plan, and deploy what was planned.

The tests run in the order below, on one small stack.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

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
        environment = {**self.organization.environment(), "STACK": self.stack.name}
        return subprocess.run(
            [f"delivery/{command}"],
            cwd=self.organization.project,
            env=environment,
            text=True,
            capture_output=True,
            check=False,
            timeout=300,
        )

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
        stack = made.stack("pipeline", campaigns="", contacts=[SECURITY])
        yield Pipeline(made, stack)
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
