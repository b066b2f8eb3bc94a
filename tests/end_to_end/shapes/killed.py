"""The shapes of a stack before their first update, for those who kill it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plantain.stack import Stack
from tests.end_to_end.killing import Begin, campaign_stack
from tests.end_to_end.organization import ADMINISTRATOR, LABELS, Organization, joined, owned
from tests.end_to_end.shapes.adopted_project import CAMPAIGN, EXISTING, labels
from tests.end_to_end.shapes.central_perimeter import customers_perimeter
from tests.end_to_end.shapes.foundation import SETTINGS
from tests.end_to_end.shapes.life import EVERY_CAMPAIGN, project
from tests.end_to_end.shapes.two_campaigns import ENDS, STAYS


def two(folder: Path) -> tuple[Organization, Stack]:
    """One stack with two campaigns."""
    made = Organization.make(folder)
    made.campaign(STAYS)
    made.campaign(ENDS, network={"ipRange": "10.9.0.0/25"})
    return made, made.stack("prod", campaigns=EVERY_CAMPAIGN, perimeter=owned("inline"))


def owner(folder: Path) -> tuple[Organization, Stack]:
    """A foundation that owns the perimeter."""
    made = Organization.make(folder)
    return made, made.stack("foundation", **SETTINGS, perimeter=owned())


def joining(folder: Path) -> tuple[Organization, Stack]:
    """A campaign that joins the customer's own perimeter with rules of its own."""
    made = Organization.make(folder)
    uploads: dict[str, Any] = {"title": "agency uploads", "identities": ["user:producer@agency.example"]}
    own = {"deployers": [ADMINISTRATOR], "ingress": [{**uploads, "services": {"storage.googleapis.com": []}}]}
    perimeter = joined(customers_perimeter(made), **own)
    return made, made.stack("spring", campaigns=made.campaign("spring-launch"), perimeter=perimeter)


def keys_elsewhere(folder: Path) -> tuple[Organization, Stack]:
    """A campaign whose keys are in a security team's project."""
    made = Organization.make(folder)
    number = project(made, "security-keys", "cloudkms")
    campaigns = made.campaign("spring-launch", keys={"project": "security-keys", "hardware": True})
    return made, made.stack("prod", campaigns=campaigns, perimeter=owned("inline", otherMembers=[f"projects/{number}"]))


def adopting(folder: Path) -> tuple[Organization, Stack]:
    """A campaign in a project that others made."""
    made = Organization.make(folder)
    made.campaign(CAMPAIGN, project={"existing": EXISTING})
    project(made, EXISTING, labels=labels(made))
    return made, made.stack("prod", campaigns=EVERY_CAMPAIGN, perimeter=owned("inline"))


def seed(folder: Path) -> tuple[Organization, Stack]:
    """A seed project, its state on this machine."""
    made = Organization.make(folder)
    bootstrap = {"github": {"repository": "acme/plantain", "repositoryId": "42"}}
    return made, made.stack("seed", campaigns="", labels=LABELS, bootstrap=bootstrap)


BEGINNINGS: Mapping[str, Begin] = {
    "one campaign": campaign_stack,
    "one stack with two campaigns": two,
    "a foundation": owner,
    "the customer's own perimeter": joining,
    "keys in a security project": keys_elsewhere,
    "adopted project": adopting,
    "seed": seed,
}
