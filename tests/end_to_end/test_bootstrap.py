"""The seed project with the real engine: deployed by a person, its state moved into its bucket, used without a key."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from plantain.errors import StackError
from plantain.stack import Stack, pulumi

from .organization import LABELS, Organization

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]

GITHUB = {"repository": "acme/plantain", "repositoryId": "42"}
ISSUER = "https://token.actions.githubusercontent.com"
ESC = {"organization": "acme", "environment": "plantain/prod"}
ESC_ISSUER = "https://api.pulumi.com/oidc"


@dataclasses.dataclass(frozen=True)
class Seed:
    """The deployed seed stack."""

    organization: Organization
    stack: Stack
    outputs: dict[str, Any]

    def federated(self, **claims: str) -> httpx.Response:
        """What Google answers to a workflow's token."""
        said = {
            "aud": f"https://iam.googleapis.com/{self.outputs['providers']['github']}",
            "sub": "repo:acme/plantain",
            "repository": "acme/plantain",
            "repository_id": "42",
            "ref": "refs/heads/main",
            "event_name": "push",
        }
        return self.exchanged("github", ISSUER, {**said, **claims})

    def exchanged(self, provider: str, issuer: str, claims: dict[str, str]) -> httpx.Response:
        """What Google answers to a token that an issuer has signed."""
        audience = f"iam.googleapis.com/{self.outputs['providers'][provider]}"
        asked = {"issuer": issuer, "claims": claims, "lifetime": 600}
        token = self.organization.sandbox.post("issuers", asked)["token"]
        form = {
            "audience": f"//{audience}",
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "subject_token": token,
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "scope": "https://www.googleapis.com/auth/cloud-platform",
        }
        return httpx.post(
            f"{self.organization.sandbox.url}/v1/token",
            data=form,
            headers={"Host": "sts.googleapis.com"},
            trust_env=False,
        )

    def becomes(self, identity: str, **claims: str) -> int:
        """The status with which a workflow's token is exchanged for one of an identity of the seed project."""
        return self.acts_as(identity, self.federated(**claims))

    def acts_as(self, identity: str, exchanged: httpx.Response) -> int:
        """The status with which an exchanged token is made one of an identity of the seed project."""
        if exchanged.status_code != 200:
            return exchanged.status_code
        path = f"iamcredentials/v1/projects/-/serviceAccounts/{self.outputs[identity]}:generateAccessToken"
        scope = {"scope": ["https://www.googleapis.com/auth/cloud-platform"]}
        token = exchanged.json()["access_token"]
        return self.organization.answer("POST", path, scope, token=token).status_code


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seed]:
    made = Organization.make(tmp_path_factory.mktemp("seed"))
    try:
        stack = made.stack("seed", campaigns="", labels=LABELS, bootstrap={"github": GITHUB, "esc": ESC})
        stack.up()
        yield Seed(made, stack, stack.outputs()["bootstrap"])
    finally:
        made.close()


def test_the_second_preview_is_empty(seed: Seed) -> None:
    seed.stack.preview(expect_no_changes=True)


def test_a_workflow_of_the_branch_deploys_and_others_only_preview(seed: Seed) -> None:
    assert seed.becomes("deployer") == 200
    assert seed.becomes("previewer") == 200
    branch = {"ref": "refs/pull/7/merge", "event_name": "pull_request"}
    assert seed.becomes("deployer", **branch) == 403
    assert seed.becomes("previewer", **branch) == 200


@pytest.mark.parametrize(
    "claims",
    [{"repository_id": "43"}, {"repository": "other/plantain"}, {"event_name": "pull_request_target"}],
    ids=["taken-over", "renamed", "fork"],
)
def test_tokens_of_others_are_worth_nothing(seed: Seed, claims: dict[str, str]) -> None:
    assert seed.federated(**claims).status_code in {400, 401, 403}


def test_one_environment_of_pulumi_esc_deploys_and_no_other(seed: Seed) -> None:
    subject = "pulumi:environments:org:acme:env:plantain/"
    claims = {"aud": "gcp:acme", "sub": f"{subject}prod"}
    accepted = seed.exchanged("pulumi", ESC_ISSUER, claims)
    assert (seed.acts_as("deployer", accepted), seed.acts_as("previewer", accepted)) == (200, 403)
    for change in ({"sub": f"{subject}test"}, {"aud": "gcp:other"}, {"aud": "acme"}):
        assert seed.exchanged("pulumi", ESC_ISSUER, {**claims, **change}).status_code in {400, 401, 403}


def test_the_previewer_cannot_create_a_project_and_the_deployer_can(seed: Seed) -> None:
    body = {"projectId": "made-by-hand", "name": "x", "parent": {"type": "organization", "id": "123456789012"}}
    statuses = [
        seed.organization.answer(
            "POST",
            "cloudresourcemanager/v1/projects",
            body,
            token=seed.organization.token(f"serviceAccount:{seed.outputs[identity]}"),
        ).status_code
        for identity in ("previewer", "deployer")
    ]
    assert statuses == [403, 200]


def test_the_state_moves_into_its_bucket_and_nothing_changes(seed: Seed, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    state.write_text(json.dumps(seed.stack.export()))
    moved = dataclasses.replace(
        seed.stack, environment={**seed.stack.environment, "PULUMI_BACKEND_URL": seed.outputs["backend"]}
    )
    moved.select()
    command = [pulumi(moved.environment), "stack", "import", "--stack", "seed", "--file", str(state)]
    done = subprocess.run(
        [*command, "--cwd", str(moved.project)],
        env=dict(moved.environment),
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    moved.preview(expect_no_changes=True)
    bucket = seed.outputs["backend"].removeprefix("gs://")
    listed = seed.organization.call("GET", f"storage/v1/b/{bucket}/o")["items"]
    kept = [item for item in listed if item["name"].startswith(".pulumi/stacks/plantain/seed.json")]
    assert kept
    assert all("/cryptoKeys/state" in item["kmsKeyName"] for item in kept)
    # What the runbook does to a state that is wrong or gone: an earlier version is copied over it.
    place = f"storage/v1/b/{bucket}/o"
    name = ".pulumi/stacks/plantain/seed.json"
    path = f"{place}/{quote(name, safe='')}"
    seed.organization.answer("DELETE", path)
    with pytest.raises(StackError, match="no stack named"):
        moved.export()
    versions = seed.organization.call("GET", f"{place}?versions=true&prefix={quote(name, safe='')}")["items"]
    largest = max((item for item in versions if item["name"] == name), key=lambda item: int(item["size"]))
    copied = f"{path}/rewriteTo/b/{bucket}/o/{quote(name, safe='')}?sourceGeneration={largest['generation']}"
    assert seed.organization.call("POST", copied, {})["done"]
    moved.refresh(expect_no_changes=True)
    moved.preview(expect_no_changes=True)


def test_the_state_moves_out_of_the_bucket_and_the_seed_is_destroyed(seed: Seed) -> None:
    moved = dataclasses.replace(
        seed.stack, environment={**seed.stack.environment, "PULUMI_BACKEND_URL": seed.outputs["backend"]}
    )
    seed.stack.replace_state(moved.export())
    seed.stack.destroy()
    assert not seed.stack.export()["deployment"].get("resources")
    project = seed.organization.call("GET", f"cloudresourcemanager/v1/projects/{seed.outputs['projectId']}")
    assert project["lifecycleState"] == "DELETE_REQUESTED"
