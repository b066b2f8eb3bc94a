"""A campaign in a project that others made."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.end_to_end.organization import Organization, owned, resources
from tests.end_to_end.shapes.life import (
    EVERY_CAMPAIGN,
    failure,
    generates,
    members,
    organization,
    project,
    quiet,
    whole,
)
from tests.end_to_end.steps import Steps

EXISTING, CAMPAIGN = "acme-spring", "spring-launch"


def labels(made: Organization) -> dict[str, str]:
    """The labels of the campaign's file, as a project carries them."""
    found = yaml.safe_load((made.project / "campaigns" / f"{CAMPAIGN}.yaml").read_text())["labels"]
    return {key: str(value) for key, value in found.items()}


def adopted_project(folder: Path, steps: Steps) -> None:
    """The project is given back, held for its deletion, taken back, and has a campaign again."""
    with organization(folder) as made:
        made.campaign(CAMPAIGN, project={"existing": EXISTING})
        number = project(made, EXISTING, labels=labels(made))
        stack = made.stack("prod", campaigns=EVERY_CAMPAIGN, perimeter=owned("inline"))
        with steps.step("up"):
            stack.up()
            assert stack.outputs()["campaigns"][CAMPAIGN]["projectId"] == EXISTING
            assert members(made, stack.outputs()["perimeter"]) == {f"projects/{number}"}
        quiet(steps, stack)
        with steps.step("an image"):
            generates(made, stack, CAMPAIGN)
        whole(steps, made)
        with steps.step("destroy leaves the project, and nothing of ours in it"):
            stack.destroy()
            assert not resources(stack)
            path = f"cloudresourcemanager/v1/projects/{EXISTING}"
            assert made.call("GET", path)["lifecycleState"] == "ACTIVE"
        with steps.step("in its 30-day hold, the next command is named"):
            made.call("DELETE", path)
            said = failure(stack.up)
            assert f"gcloud projects undelete {EXISTING}" in said, said
        with steps.step("taken back, a second campaign works in it"):
            made.call("POST", f"{path}:undelete", {})
            stack.up()
            stack.preview(expect_no_changes=True)
        with steps.step("destroy again"):
            stack.destroy()
            assert not resources(stack)
