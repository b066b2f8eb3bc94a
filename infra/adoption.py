"""Projects that campaigns work in although others made them: they must be there before anything is asked of them.

The engine says of a project that waits for its deletion only that it does not exist.
"""

from collections.abc import Iterator, Sequence

from infra import campaign_model
from infra.errors import Problem, ProjectError
from infra.google_api import GoogleApi

ACTIVE = "ACTIVE"
OK, FORBIDDEN, NOT_FOUND = 200, 403, 404


def check(api: GoogleApi, campaigns: Sequence[campaign_model.Campaign]) -> None:
    """Refuse campaigns whose project is not there, or was deleted. Without such campaigns nothing is asked.

    Args:
        api: where to ask.
        campaigns: the stack's campaigns.

    Raises:
        ProjectError: naming for each project the command that goes on.
    """
    problems = list(_problems(api, campaigns))
    if problems:
        raise ProjectError(problems)


def _problems(api: GoogleApi, campaigns: Sequence[campaign_model.Campaign]) -> Iterator[Problem]:
    for campaign in campaigns:
        project = campaign.project.existing
        if project is None:
            continue
        answer = api.get("resource_manager", f"projects/{project}")
        state = answer.body.get("lifecycleState", "")
        if answer.status == OK and state != ACTIVE:
            yield _problem(
                campaign.name,
                cause=f"the project {project} was deleted and is held for 30 days; nothing in it can be changed",
                cure=f"gcloud projects undelete {project}",
            )
        elif answer.status in {FORBIDDEN, NOT_FOUND}:
            # Google does not tell the two apart, so that nobody learns which projects there are.
            yield _problem(
                campaign.name,
                cause=f"there is no project {project}, or who runs pulumi may not see it",
                cure=f"gcloud projects describe {project}",
            )
        # Any other answer says nothing of the project; the provider asks again, and patiently.


def _problem(campaign: str, *, cause: str, cure: str) -> Problem:
    return Problem(
        file=f"campaigns/{campaign}.yaml",
        key="project.existing",
        cause=cause,
        rule="an active project that the deployer may change",
        cure=cure,
    )
