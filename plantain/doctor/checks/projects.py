"""Projects: those that are deployed must be active, those that will be must fit the organisation's quota."""

from __future__ import annotations

from collections.abc import Iterator

from plantain.doctor.finding import Check, Finding
from plantain.doctor.patient import Patient
from plantain.errors import GoogleCloudError

DENIED = 403
HOLD_DAYS = 30


def run(patient: Patient) -> Iterator[Finding]:
    """The state of every project that the stack or its campaign files name."""
    named = {name: outputs["projectId"] for name, outputs in patient.deployed.items()}
    for campaign in patient.campaigns:
        existing = getattr(getattr(campaign, "project", None), "id", None)
        if existing:
            named[campaign.name] = existing
    for name, project in named.items():
        try:
            state = patient.get("cloudresourcemanager", f"v3/projects/{project}").get("state", "")
        except GoogleCloudError as error:
            if error.status != DENIED:
                raise
            yield CHECK.error(
                f"project {project} of campaign {name} does not exist, or may not be seen",
                "the update fails at its first resource",
                f"gcloud projects describe {project}; if it is gone: plantain recover --stack {patient.stack}",
            )
            continue
        if state == "ACTIVE":
            yield CHECK.ok(f"project {project} of campaign {name} is active")
        else:
            yield CHECK.error(
                f"project {project} of campaign {name} is {state}",
                f"nothing in it can be changed; after {HOLD_DAYS} days it is gone, and its id can never be used again",
                f"gcloud projects undelete {project}",
            )
    if not named:
        yield CHECK.ok("no project yet; ids are drawn with a random suffix, so none can be taken")


CHECK = Check(
    name="projects",
    title="Are the stack's projects there and active?",
    reads="cloudresourcemanager projects.get",
    why="A deleted project holds its id for 30 days, and what lies in it cannot be changed.",
    run=run,
)
