"""The billing account: open, and with room for another project."""

from __future__ import annotations

from collections.abc import Iterator

from plantain.doctor.finding import Check, Finding
from plantain.doctor.patient import Patient

DEFAULT_LINKS = 5
"""Projects a new, self-served billing account is believed to take until Google raises it. No page was read for it."""


def run(patient: Patient) -> Iterator[Finding]:
    """The account and its links."""
    account = f"billingAccounts/{patient.settings.billing_account}"
    found = patient.get("cloudbilling", f"v1/{account}")
    if not found.get("open"):
        yield CHECK.error(
            f"{account} is closed",
            "projects get no billing, and every API that costs something refuses",
            "open it, or name another: pulumi config set plantain:billingAccount ID  (gcloud billing accounts list)",
        )
        return
    linked = list(patient.cloud.pages("cloudbilling", f"v1/{account}/projects", "projectBillingInfo"))
    wanted = len(patient.campaigns) - len(patient.deployed)
    if wanted > 0 and len(linked) + wanted > DEFAULT_LINKS:
        yield CHECK.warning(
            f"{account} is linked to {len(linked)} projects, and {wanted} more are to come",
            f"an account takes {DEFAULT_LINKS} until its limit is raised; then 'Precondition check failed'",
            "ask for more: https://support.google.com/code/contact/billing_quota_increase",
        )
    else:
        yield CHECK.ok(f"{account} is open and linked to {len(linked)} projects")


CHECK = Check(
    name="billing",
    title="Is the billing account open, with room for more projects?",
    reads="cloudbilling billingAccounts.get and billingAccounts.projects.list",
    why="A project whose billing cannot be linked exists without being able to do anything.",
    run=run,
)
