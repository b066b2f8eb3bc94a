"""The next command, when something cannot be made because its name was used before.

Key rings, keys and quota preferences are never deleted: what a stack gave up is there still, and Google Cloud answers
409 to its name. Hooks run where the program does, in every `pulumi up`.
"""

import re

import pulumi

TAKEN = re.compile(r"\b409\b|\balready ?exists\b", re.IGNORECASE)
QUOTA = "gcp:cloudquota/sQuotaPreference:SQuotaPreference"


def next_command(arguments: pulumi.ErrorHookArgs) -> str:
    """How to go on after something could not be made; empty when its name was not the reason."""
    if arguments.failed_operation != "create" or not arguments.errors or not TAKEN.search(arguments.errors[0]):
        return ""
    stack = arguments.urn.partition("::")[0].rpartition(":")[2]
    recover = f"  plantain recover --stack {stack} && pulumi up --stack {stack}"
    if arguments.type == QUOTA:
        return (
            f"{arguments.name} was asked for before, and no quota that was asked for is ever forgotten. Take it over, "
            f"and it becomes what the campaign's file says:\n{recover}"
        )
    return (
        f"{arguments.name} would have a name that is taken, and Key Management never frees one. If keys.project, "
        "keys.ring or keys.hardware was changed back, name the keys anew in the campaign's file, with a word that was "
        "not used before:\n"
        "  keys:\n"
        "    suffix: b\n"
        "and run pulumi again. If an update was killed or lost its connection, they are this stack's own:\n"
        f"{recover}"
    )


def explain(arguments: pulumi.ErrorHookArgs) -> bool:
    """Say it; nothing changes by trying again."""
    if command := next_command(arguments):
        pulumi.log.error(command)
    return False
