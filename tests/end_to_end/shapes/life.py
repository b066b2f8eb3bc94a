"""What every shape goes through: a stack's life, and what is asked of the sandbox on the way."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from infra import wheels
from plantain.errors import StackError
from plantain.sandbox_stack import sandbox_environment
from plantain.stack import Stack
from tests.end_to_end.organization import NUMBER, Organization, resources
from tests.end_to_end.steps import Steps

ARTIST, TEAM = "user:artist@example.com", "brand-studio@example.com"
BILLING = {"billingAccountName": "billingAccounts/010101-010101-010101"}
PROJECT_TYPE = "gcp:organizations/project:Project"
EVERY_CAMPAIGN = "campaigns/*.yaml"


@contextlib.contextmanager
def organization(folder: Path) -> Iterator[Organization]:
    """An empty organisation with the wheels of the function at hand; its sandbox ends with the context."""
    made = Organization.make(folder)
    try:
        wheels.folder(made.project / "functions", root=made.project, wheels="local")
        made.sandbox.post("groups", {"group": TEAM, "members": [ARTIST]})
        yield made
    finally:
        made.close()


def quiet(steps: Steps, stack: Stack, what: str = "") -> None:
    """A second preview and a refresh find nothing to do."""
    with steps.step(f"{what}second preview is empty"):
        stack.preview(expect_no_changes=True)
    with steps.step(f"{what}refresh is empty"):
        stack.refresh(expect_no_changes=True)


def whole(steps: Steps, made: Organization) -> None:
    """Nothing that was asked for is missing in the sandbox, and nothing in it broke."""
    with steps.step("nothing asked for is missing in the sandbox"):
        report = made.sandbox.get("status")
        found = (report["notEmulated"], report["refusedHosts"], report["defects"])
        assert found == ({}, {}, 0), found


def destroyed(steps: Steps, made: Organization, stack: Stack, what: str = "") -> None:
    """Destroy ends and leaves an empty state; what it made in its projects is gone with them."""
    projects = [entry["outputs"]["projectId"] for entry in resources(stack).values() if entry["type"] == PROJECT_TYPE]
    with steps.step(f"{what}destroy"):
        stack.destroy()
        assert not resources(stack), sorted(resources(stack))
        for project in projects:
            found = made.call("GET", f"cloudresourcemanager/v1/projects/{project}")
            assert found["lifecycleState"] == "DELETE_REQUESTED", found


def answer(made: Organization, stack: Stack, campaign: str, prompt: str) -> dict[str, Any]:
    """What a campaign's deployed function answers a member of its team, who asks from inside its network."""
    network = stack.outputs()["campaigns"][campaign]["network"]
    environment = {
        **made.sandbox.client_environment(member=ARTIST, network=network),
        **sandbox_environment(made.sandbox.data),
        "PULUMI_BACKEND_URL": stack.environment["PULUMI_BACKEND_URL"],
    }
    command = [sys.executable, "-m", "plantain.main", "generate", "--stack", stack.name, "--campaign", campaign]
    command += ["--prompt", prompt, "--image-size", "1K", "--json"]
    done = subprocess.run(
        command, cwd=made.project, env=environment, text=True, capture_output=True, check=False, timeout=300
    )
    assert done.stdout, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)[0]
    return found


def generates(made: Organization, stack: Stack, campaign: str, prompt: str = "A plantain") -> None:
    """A campaign makes an image."""
    found = answer(made, stack, campaign, prompt)
    assert found.get("images"), found


def members(made: Organization, perimeter: str, configuration: str = "status") -> set[str]:
    """Members in one configuration of a perimeter, as it really is."""
    found = made.call("GET", f"accesscontextmanager/v1/{perimeter}")
    return set(found.get(configuration, {}).get("resources", []))


def projects(stack: Stack) -> set[str]:
    """The projects of a stack's campaigns, as members of a perimeter are named."""
    return {f"projects/{found['projectNumber']}" for found in stack.outputs()["campaigns"].values()}


def project(made: Organization, name: str, *apis: str, labels: Mapping[str, str] | None = None) -> str:
    """A project that somebody else made, with its billing and some APIs; returns its number."""
    body = {"projectId": name, "name": name, "labels": labels or {}, "parent": {"type": "organization", "id": NUMBER}}
    made.call("POST", "cloudresourcemanager/v1/projects", body)
    made.call("PUT", f"cloudbilling/v1/projects/{name}/billingInfo", BILLING)
    number = str(made.call("GET", f"cloudresourcemanager/v1/projects/{name}")["projectNumber"])
    for api in apis:
        made.call("POST", f"serviceusage/v1/projects/{number}/services/{api}.googleapis.com:enable", {})
    return number


def at_once(action: Callable[[Stack], object], stacks: Sequence[Stack]) -> None:
    """The same with several stacks at the same moment; the first failure is passed on once all have ended."""
    with ThreadPoolExecutor(len(stacks)) as threads:
        for done in [threads.submit(action, stack) for stack in stacks]:
            done.result()


def failure(action: Callable[[], object]) -> str:
    """What a failing run of pulumi says.

    Raises:
        AssertionError: it did not fail.
    """
    try:
        action()
    except StackError as error:
        return error.message
    raise AssertionError("pulumi did what it should have refused")
