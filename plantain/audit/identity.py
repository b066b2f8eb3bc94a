"""What makes two readings one resource: the name Google knows it by, whatever the source."""

from __future__ import annotations

from plantain.audit import grants
from policies.catalogue import Resource

SCHEMES = ("https://www.googleapis.com/compute/v1/", "https://compute.googleapis.com/compute/v1/")

#: Types whose id in the provider is a name that only its project knows.
NAMED_IN_PROJECT = frozenset({"gcp:logging/metric:Metric"})


def identity(resource: Resource) -> str:
    """A key that is equal for the state's, the preview's and the live reading of one resource.

    A single grant is known by resource, role and member. Everything else is known by its type and the provider's id,
    or by its URN until it has one.
    """
    if grants.kind(resource.type) == "Member":
        found = next(grants.grants(resource), None)
        if found:
            return found.key
    given = resource.properties.get("id")
    if not isinstance(given, str) or not given:
        return resource.urn
    for scheme in SCHEMES:
        given = given.removeprefix(scheme)
    if resource.type in NAMED_IN_PROJECT:
        given = f"{resource.properties.get('project', '')}/{given}"
    return f"{resource.type}|{given}"
