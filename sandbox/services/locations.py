"""``locations.list`` and ``locations.get`` of the services that have them.

Source: https://docs.cloud.google.com/about/locations (read 2026-08).
"""

from __future__ import annotations

from typing import Any

from sandbox.call import Call
from sandbox.errors import NotFound
from sandbox.paging import page
from sandbox.services.registry import Handler

Document = dict[str, Any]

REGIONS = {
    "africa-south1": "Johannesburg",
    "asia-east1": "Taiwan",
    "asia-east2": "Hong Kong",
    "asia-northeast1": "Tokyo",
    "asia-northeast2": "Osaka",
    "asia-northeast3": "Seoul",
    "asia-south1": "Mumbai",
    "asia-south2": "Delhi",
    "asia-southeast1": "Singapore",
    "asia-southeast2": "Jakarta",
    "asia-southeast3": "Bangkok",
    "australia-southeast1": "Sydney",
    "australia-southeast2": "Melbourne",
    "europe-central2": "Warsaw",
    "europe-north1": "Finland",
    "europe-north2": "Stockholm",
    "europe-southwest1": "Madrid",
    "europe-west1": "Belgium",
    "europe-west2": "London",
    "europe-west3": "Frankfurt",
    "europe-west4": "Netherlands",
    "europe-west6": "Zurich",
    "europe-west8": "Milan",
    "europe-west9": "Paris",
    "europe-west10": "Berlin",
    "europe-west12": "Turin",
    "me-central1": "Doha",
    "me-central2": "Dammam",
    "me-west1": "Tel Aviv",
    "northamerica-northeast1": "Montréal",
    "northamerica-northeast2": "Toronto",
    "northamerica-south1": "Mexico",
    "southamerica-east1": "São Paulo",
    "southamerica-west1": "Santiago",
    "us-central1": "Iowa",
    "us-east1": "South Carolina",
    "us-east4": "Northern Virginia",
    "us-east5": "Columbus",
    "us-south1": "Dallas",
    "us-west1": "Oregon",
    "us-west2": "Los Angeles",
    "us-west3": "Salt Lake City",
    "us-west4": "Las Vegas",
}


def handlers(service: str, places: dict[str, str], metadata: Document | None = None) -> dict[str, Handler]:
    """Handlers of one service.

    Args:
        service: the API's name.
        places: display names by location id.
        metadata: the same for every location, with its ``@type``.
    """

    def describe(project: str, place: str) -> Document:
        described = {
            "name": f"projects/{project}/locations/{place}",
            "locationId": place,
            "displayName": places[place],
            "labels": {"cloud.googleapis.com/region": place},
        }
        return {**described, "metadata": metadata} if metadata else described

    def listing(call: Call) -> Document:
        shown, following = page([describe(str(call.project), place) for place in places], call.query)
        return {"locations": shown, **({"nextPageToken": following} if following else {})}

    def get(call: Call) -> Document:
        place = call.name.rpartition("/")[2]
        if place not in places:
            raise NotFound(f"Location {place} not found.")
        return describe(str(call.project), place)

    return {f"{service}.locations.list": listing, f"{service}.locations.get": get}
