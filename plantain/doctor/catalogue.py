"""All checks, in the order in which they are listed."""

from __future__ import annotations

from collections.abc import Sequence

from plantain.doctor.checks import (
    apis,
    billing,
    credentials,
    key_rings,
    models,
    organization_policies,
    permissions,
    projects,
    quotas,
    regions,
    state_backend,
    subnets,
    throughput,
    tools,
)
from plantain.doctor.finding import Check
from plantain.errors import InputError
from plantain.suggestion import did_you_mean

CHECKS: tuple[Check, ...] = (
    tools.CHECK,
    credentials.CHECK,
    state_backend.CHECK,
    permissions.CHECK,
    apis.CHECK,
    billing.CHECK,
    organization_policies.CHECK,
    projects.CHECK,
    key_rings.CHECK,
    subnets.CHECK,
    regions.CHECK,
    models.CHECK,
    quotas.CHECK,
    throughput.CHECK,
)


def chosen(names: Sequence[str]) -> tuple[Check, ...]:
    """The checks of some names; all of them for none.

    Raises:
        InputError: there is no such check.
    """
    known = {check.name: check for check in CHECKS}
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise InputError(f"There is no check {unknown[0]!r}. {did_you_mean(unknown[0], known)}", cure="plantain doctor")
    return tuple(check for check in CHECKS if not names or check.name in names)


def page() -> str:
    """The catalogue as a page of the documentation."""
    lines = [
        "# What `plantain doctor` looks at",
        "",
        "Generated from the checks (`plantain/doctor/checks/`) by `make docs`; a test fails when it is stale.",
        "",
        "A finding says what is so, what it would do, and the command that mends it. **error** stops the update (exit",
        "code 11), **warning** hurts later (exit code 10), **unknown** could not be read, **ok** is as it should be.",
        "",
        "| check | question | reads | why |",
        "|---|---|---|---|",
        *(f"| `{check.name}` | {check.title} | {check.reads} | {check.why} |" for check in CHECKS),
        "",
        "`plantain doctor --only permissions --only apis` runs some of them. `--fix` does what is safe and can be",
        "undone: at present that is enabling an API that is missing.",
    ]
    return "\n".join(lines) + "\n"
