"""A foundation that owns the perimeter, and stacks that join it: the whole life of a perimeter."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plantain.stack import Stack
from tests.end_to_end.organization import LABELS, Organization, change, joined, owned, resources
from tests.end_to_end.shapes import life
from tests.end_to_end.steps import Steps

SETTINGS: dict[str, Any] = {
    "campaigns": "",
    "labels": LABELS,
    "centralLogs": {"auditors": ["group:auditors@example.com"]},
    "contacts": [{"email": "security@example.com", "categories": ["SECURITY"]}],
}
REDIS = "redis.googleapis.com"


@dataclass(frozen=True)
class Joined:
    """A perimeter with its owner and those who joined.

    Attributes:
        made: the organisation.
        steps: where steps are recorded.
        owner: the stack that owns the perimeter.
        perimeter: its name.
        logs: the log project, the owner's only member of its own.
        stacks: those that join, of one campaign each.
        brief: whether previews and refreshes that other shapes show too are left out.
    """

    made: Organization
    steps: Steps
    owner: Stack
    perimeter: str
    logs: set[str]
    stacks: list[Stack]
    brief: bool

    def inside(self) -> set[str]:
        """The projects of those who joined."""
        found = {member for stack in self.stacks for member in life.projects(stack)}
        assert len(found) == len(self.stacks)
        return found

    def members(self) -> dict[str, set[str]]:
        """Members in both configurations, as they really are."""
        return {one: life.members(self.made, self.perimeter, one) for one in ("status", "spec")}

    def join(self) -> None:
        """All at once, in dry-run; the owner's next update changes nothing."""
        with self.steps.step(f"{len(self.stacks)} stacks: up at once, in dry-run"):
            life.at_once(Stack.up, self.stacks)
            assert self.members() == {"status": set(), "spec": self.inside() | self.logs}
        for stack in self.stacks:
            life.quiet(self.steps, stack, f"{stack.name}: ")
        with self.steps.step("owner: up after they joined changes nothing"):
            self.owner.preview(expect_no_changes=True)
            self.owner.up()
            assert self.members() == {"status": set(), "spec": self.inside() | self.logs}

    def enforce(self) -> None:
        """One setting in the owner, one in each stack."""
        with self.steps.step("owner: enforced by one setting"):
            change(self.owner, perimeter=owned())
            self.owner.up()
            assert self.members()["spec"] == self.inside() | self.logs
        with self.steps.step(f"{len(self.stacks)} stacks: enforced by one setting, at once"):
            for stack in self.stacks:
                change(stack, perimeter=joined(self.perimeter))
            life.at_once(Stack.up, self.stacks)
            assert self.members()["status"] == self.inside() | self.logs
        for stack in () if self.brief else self.stacks:
            with self.steps.step(f"{stack.name}: enforced, second preview is empty"):
                stack.preview(expect_no_changes=True)

    def change_the_owner(self) -> None:
        """Other rules, a refresh, and a way back that is refused: nobody is lost."""
        with self.steps.step("owner: changed rules keep every member"):
            before = self.members()
            change(self.owner, perimeter=owned(additionalServices=[REDIS], auditors=["group:a@example.com"]))
            self.owner.up()
            found = self.made.call("GET", f"accesscontextmanager/v1/{self.perimeter}")
            assert all(REDIS in found[one]["restrictedServices"] for one in before), "the update did not happen"
            assert self.members() == before
        with self.steps.step("owner: refresh, then up, keep every member"):
            self.owner.refresh()
            self.owner.up()
            assert self.members() == before
        if not self.brief:
            life.quiet(self.steps, self.owner, "owner: after the changes, ")
        for stack in self.stacks:
            with self.steps.step(f"{stack.name}: second preview after the owner's changes is empty"):
                stack.preview(expect_no_changes=True)
        with self.steps.step("owner: back to dry-run is refused and names the members, while they are inside"):
            change(self.owner, perimeter=owned(enforcement="dry-run"))
            refused = life.failure(self.owner.up)
            assert all(member in refused for member in self.inside()), refused
            assert "gcloud access-context-manager perimeters update" in refused
            assert self.members() == before
            change(self.owner, perimeter=owned())
            self.owner.up()
            assert self.members() == before

    def leave(self) -> None:
        """Those who joined at once, then the owner."""
        with self.steps.step(f"{len(self.stacks)} stacks: destroy at once"):
            # Several leave one document at the same moment, so each must be able to try again.
            life.at_once(lambda stack: stack.destroy(run_program=True), self.stacks)
            assert not [urn for stack in self.stacks for urn in resources(stack)]
            assert self.members()["spec"] == self.logs
            assert self.members()["status"] <= self.logs
        life.destroyed(self.steps, self.made, self.owner, "owner: ")


def foundation_and_joining(folder: Path, steps: Steps, *, count: int = 3, brief: bool = False) -> None:
    """The perimeter is first in dry-run; stacks of one full campaign each join it at once, and leave it at once."""
    names = [f"campaign-{number}" for number in range(1, count + 1)]
    with life.organization(folder) as made:
        owner = made.stack("foundation", **SETTINGS, perimeter=owned(enforcement="dry-run"))
        with steps.step("owner: up in dry-run"):
            owner.up()
            perimeter = owner.outputs()["perimeter"]
            logs = life.members(made, perimeter, "spec")
            assert len(logs) == 1
            assert life.members(made, perimeter) == set()
        if not brief:
            life.quiet(steps, owner, "owner: ")
        dry = joined(perimeter, enforcement="dry-run")
        stacks = [made.stack(name, campaigns=made.campaign(name), perimeter=dry) for name in names]
        shape = Joined(made, steps, owner, perimeter, logs, stacks, brief)
        shape.join()
        shape.enforce()
        if not brief:
            with steps.step("an image of a campaign that joined"):
                life.generates(made, stacks[0], names[0])
        shape.change_the_owner()
        life.whole(steps, made)
        shape.leave()
