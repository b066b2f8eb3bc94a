"""The next command, when a project cannot be deleted because somebody placed a lien on it.

Google Cloud names no command. Hooks run where the program does: in every `pulumi up`, and in a
`pulumi destroy --run-program`; docs/runbooks/retire.md says the same for all others.
"""

import re

import pulumi

LIEN = re.compile(r"\blien\b", re.IGNORECASE)


def next_command(arguments: pulumi.ErrorHookArgs) -> str:
    """How to go on after a project could not be deleted; empty when no lien was the reason."""
    if arguments.failed_operation != "delete" or not arguments.errors or not LIEN.search(arguments.errors[0]):
        return ""
    project = arguments.id.removeprefix("projects/")
    return (
        f"Somebody else placed a lien on {project}, so it was not deleted. Ask who it is, and why:\n"
        f"  gcloud alpha resource-manager liens list --project={project}\n"
        "When it may go:\n"
        f"  gcloud alpha resource-manager liens delete NAME --project={project}\n"
        "and run pulumi again: it goes on where it stopped."
    )


def explain(arguments: pulumi.ErrorHookArgs) -> bool:
    """Say it, for a project; nothing changes by trying again."""
    if command := next_command(arguments):
        pulumi.log.error(command)
    return False
