"""Where Cloud KMS is: regions, multi-regions, and ``global``.

Source: https://docs.cloud.google.com/kms/docs/locations (read 2026-08).
"""

from __future__ import annotations

from typing import Any

from sandbox.errors import InvalidArgument
from sandbox.services import locations

Document = dict[str, Any]

PLACES = {
    **locations.REGIONS,
    "asia": "Asia",
    "asia1": "Tokyo and Osaka",
    "ca": "Canada",
    "eur3": "Belgium and Netherlands",
    "eur4": "Finland and Netherlands",
    "eur5": "Europe",
    "europe": "European Union",
    "global": "Global",
    "nam3": "Northern Virginia and South Carolina",
    "nam4": "Iowa and South Carolina",
    "us": "United States",
}
METADATA = {
    "@type": "type.googleapis.com/google.cloud.kms.v1.LocationMetadata",
    "hsmAvailable": True,
    "ekmAvailable": True,
}
HANDLERS = locations.handlers("cloudkms", PLACES, METADATA)


def check(place: str) -> None:
    """Refuse a place that Cloud KMS does not know.

    Raises:
        InvalidArgument: in Cloud KMS's words.
    """
    if place not in PLACES:
        raise InvalidArgument(
            f"The request concerns location '{place}' but was sent to location 'global'. Either Cloud KMS is not "
            f"available in '{place}' or the request was misrouted. In the latter case, please ensure that all requests "
            f"affecting resources in '{place}' specify an appropriate location."
        )
