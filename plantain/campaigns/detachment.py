"""Takes a campaign out of a stack's state, so that later updates leave it alone. Pure: from an export to an export."""

from __future__ import annotations

import copy
from typing import Any

Document = dict[str, Any]
COMPONENTS = ("plantain:infra:Campaign", "plantain:infra:CampaignFoundation")
"""Top components of a campaign, which are named after it."""


def belongs(resources: list[Document], campaign: str) -> set[str]:
    """URNs of a campaign's components and of everything below them."""
    found = {
        resource["urn"]
        for resource in resources
        if resource["type"] in COMPONENTS and resource["urn"].rpartition("::")[2] == campaign
    }
    grown = True
    while grown:
        below = {one["urn"] for one in resources if one.get("parent") in found} - found
        grown = bool(below)
        found |= below
    return found


def without(export: Document, campaign: str) -> tuple[Document, list[str]]:
    """The export without a campaign, and the URNs that were taken out.

    What stays loses its references to what goes. The real resources are not touched.
    """
    kept = copy.deepcopy(export)
    resources: list[Document] = kept["deployment"].get("resources", [])
    gone = belongs(resources, campaign)
    kept["deployment"]["resources"] = [one for one in resources if one["urn"] not in gone]
    for resource in kept["deployment"]["resources"]:
        if "dependencies" in resource:
            resource["dependencies"] = [urn for urn in resource["dependencies"] if urn not in gone]
        for name, urns in (resource.get("propertyDependencies") or {}).items():
            resource["propertyDependencies"][name] = [urn for urn in urns if urn not in gone] if urns else urns
        if resource.get("deletedWith") in gone:
            del resource["deletedWith"]
    return kept, sorted(gone)
