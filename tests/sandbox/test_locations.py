"""Where services are: ``locations.list`` and ``locations.get``."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.sandbox.conftest import Caller

LISTED = {
    "artifactregistry": "v1",
    "cloudfunctions": "v2",
    "cloudkms": "v1",
    "cloudtasks": "v2",
    "eventarc": "v1",
    "secretmanager": "v1",
    "vpcaccess": "v1",
}
SINGLE = LISTED.keys() - {"cloudfunctions", "vpcaccess"}


@pytest.mark.parametrize("service", LISTED)
def test_a_service_lists_the_regions(admin: Caller, enable: Callable[..., None], project: str, service: str) -> None:
    enable(service)
    root = f"/{service}/{LISTED[service]}/projects/{project}/locations"
    places = admin("GET", root)[1]["locations"]
    assert {"europe-west4", "us-central1"} <= {place["locationId"] for place in places}
    assert places[0]["name"].startswith(f"projects/{project}/locations/")
    if service in SINGLE:
        assert admin("GET", f"{root}/europe-west4")[1]["locationId"] == "europe-west4"
        assert admin("GET", f"{root}/atlantis")[0] == 404
