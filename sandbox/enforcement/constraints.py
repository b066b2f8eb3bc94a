"""Organisation policy on what a project may create: where, and encrypted with whose keys.

Source: https://docs.cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints (read 2026-08).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.enforcement.encryption import key_name
from sandbox.services.orgpolicy import effective

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

LOCATIONS = "gcp.resourceLocations"
KEY_REQUIRED = "gcp.restrictNonCmekServices"
KEY_PROJECTS = "gcp.restrictCmekCryptoKeyProjects"
SERVICE_USAGE = "gcp.restrictServiceUsage"

#: Methods that a boolean constraint forbids while it is enforced.
SWITCHES = {
    "iam.keys.create": "iam.disableServiceAccountKeyCreation",
    "iam.keys.upload": "iam.disableServiceAccountKeyUpload",
    "iam.serviceAccounts.create": "iam.disableServiceAccountCreation",
}

#: Value groups besides ``<region>-locations``, by the first part of a location:
#: https://docs.cloud.google.com/resource-manager/docs/organization-policy/defining-locations (read 2026-08)
GROUPS = {
    "asia": ("asia-locations",),
    "eu": ("eu-locations", "europe-locations"),
    "europe": ("europe-locations", "eu-locations"),
    "northamerica": ("northamerica-locations",),
    "southamerica": ("southamerica-locations",),
    "us": ("us-locations", "northamerica-locations"),
}
OUTSIDE_EU = {"europe-west2", "europe-west6"}


def location_values(place: str) -> set[str]:
    """Every value by which a policy may name a location."""
    place = place.lower()
    groups = set(GROUPS.get(place.partition("-")[0], ()))
    if place in OUTSIDE_EU:
        groups.discard("eu-locations")
    return {place, f"{place}-locations", *groups}


def admits_location(cloud: Cloud, project: str, place: str) -> bool:
    """Whether resources of a project may lie in a place; ``global`` always may."""
    return place.lower() == "global" or admits_any(cloud, project, LOCATIONS, location_values(place))


def admits_any(cloud: Cloud, project: str, constraint: str, values: set[str]) -> bool:
    """As ``effective.admits`` for something that goes by several names: one denied name is enough to refuse it."""
    allowed: set[str] = set()
    for rule in effective.rules(cloud, f"projects/{project}", constraint):
        if rule.get("denyAll"):
            return False
        if rule.get("allowAll"):
            return True
        listed = rule.get("values", {})
        if values & effective.plain(listed.get("deniedValues", [])):
            return False
        allowed |= effective.plain(listed.get("allowedValues", []))
    return not allowed or bool(values & allowed)


def admits_service(cloud: Cloud, project: str, host: str) -> bool:
    """Whether a project may use a service at all."""
    return admits_any(cloud, project, SERVICE_USAGE, {host})


def switched_off(cloud: Cloud, project: str, method: str) -> str:
    """The boolean constraint that forbids a method, by its short id; empty when none does."""
    constraint = SWITCHES.get(method, "")
    return constraint if constraint and effective.enforced(cloud, f"projects/{project}", constraint) else ""


def violated(cloud: Cloud, project: str, service: str, *, place: str, keys: list[str]) -> str:
    """The constraint that forbids a new resource, empty when none does.

    Args:
        cloud: the sandbox.
        project: id of the project that gets the resource.
        service: API host, as ``storage.googleapis.com``.
        place: location, empty for one that has none.
        keys: customer-managed keys of the resource, empty for Google's own.
    """
    if place and not admits_location(cloud, project, place):
        return LOCATIONS
    if not keys and not admits_any(cloud, project, KEY_REQUIRED, {service}):
        return KEY_REQUIRED
    for key in keys:
        holder = cloud.hierarchy.canonical(key_name(key)).split("/")[1]
        if not admits_any(cloud, project, KEY_PROJECTS, set(cloud.hierarchy.ancestors(f"projects/{holder}"))):
            return KEY_PROJECTS
    return ""
