"""Who calls, and whether an enforced perimeter would lock that caller out."""

from __future__ import annotations

from collections.abc import Iterator

from plantain.doctor.finding import Check, Finding
from plantain.doctor.patient import Patient


def run(patient: Patient) -> Iterator[Finding]:
    """The caller, against the perimeter's deployers."""
    if not patient.principal:
        yield CHECK.unknown(
            "Google does not say who the credentials belong to",
            "whether the perimeter admits the deployer is not known",
            "gcloud auth application-default login",
        )
        return
    deployers = patient.settings.perimeter.deployers if patient.settings.perimeter else ()
    if deployers and patient.principal not in deployers:
        yield CHECK.warning(
            f"the caller is {patient.principal}; plantain:perimeter.deployers lists {', '.join(deployers)}",
            "once the perimeter is enforced it refuses this caller: preview, refresh and destroy fail with 403",
            f"pulumi config set --path 'plantain:perimeter.deployers[{len(deployers)}]' {patient.principal}",
        )
    else:
        yield CHECK.ok(f"the caller is {patient.principal}")
    if patient.principal.startswith("user:") and not patient.settings.quota_project and not patient.cloud.sandbox:
        yield CHECK.warning(
            "a person's credentials, and plantain:quotaProject is not set",
            "budgets, quotas, essential contacts and perimeters refuse such calls",
            "pulumi config set plantain:quotaProject SEED_PROJECT",
        )


CHECK = Check(
    name="credentials",
    title="Does the perimeter admit whoever deploys?",
    reads="the credentials, plantain:perimeter.deployers, plantain:quotaProject",
    why="An enforced perimeter refuses a deployer it does not list: even preview and destroy end with 403.",
    run=run,
)
