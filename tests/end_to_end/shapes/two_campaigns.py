"""One stack that owns the perimeter and has two campaigns."""

from __future__ import annotations

from pathlib import Path

from tests.end_to_end.organization import owned, resources
from tests.end_to_end.shapes import life
from tests.end_to_end.steps import Steps

STAYS, ENDS = "spring-launch", "autumn-sale"


def two_campaigns(folder: Path, steps: Steps) -> None:
    """One of the two ends before the other; somebody else's lien holds its project for a while."""
    with life.organization(folder) as made:
        made.campaign(STAYS)
        made.campaign(ENDS, network={"ipRange": "10.9.0.0/25"})
        stack = made.stack("prod", campaigns=life.EVERY_CAMPAIGN, perimeter=owned("inline"))
        with steps.step("up"):
            stack.up()
            perimeter = stack.outputs()["perimeter"]
            assert life.members(made, perimeter) == life.projects(stack)
            assert len(life.projects(stack)) == 2
        life.quiet(steps, stack)
        with steps.step("an image of each campaign"):
            for name in (STAYS, ENDS):
                life.generates(made, stack, name)
        project = stack.outputs()["campaigns"][ENDS]["projectId"]
        number = stack.outputs()["campaigns"][ENDS]["projectNumber"]
        with steps.step("one campaign ends; a lien of others holds its project, and the next command is named"):
            restriction = {"restrictions": ["resourcemanager.projects.delete"], "reason": "audit"}
            body = {"parent": f"projects/{number}", "origin": "auditors", **restriction}
            lien = made.call("POST", "cloudresourcemanager/v1/liens", body)
            (made.project / "campaigns" / f"{ENDS}.yaml").unlink()
            kept = {urn: entry.get("id") for urn, entry in resources(stack).items() if STAYS in urn}
            said = life.failure(stack.up)
            assert f"liens list --project={project}" in said, said
            assert "placed on the project by [auditors]" in said, said
        with steps.step("without the lien it ends, the other stays as it is"):
            made.call("DELETE", f"cloudresourcemanager/v1/{lien['name']}")
            stack.up()
            after = resources(stack)
            assert not [urn for urn in after if ENDS in urn]
            assert kept == {urn: entry.get("id") for urn, entry in after.items() if STAYS in urn}
            assert life.members(made, perimeter) == life.projects(stack)
            assert len(life.projects(stack)) == 1
            stack.preview(expect_no_changes=True)
        with steps.step("an image of the one that stays"):
            life.generates(made, stack, STAYS, "Another plantain")
        life.whole(steps, made)
        life.destroyed(steps, made, stack)
