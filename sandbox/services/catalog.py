"""The covered services, one line each."""

from __future__ import annotations

from sandbox.services import cloudbilling, cloudresourcemanager, serviceusage

SERVICES = (
    cloudbilling.SERVICE,
    cloudresourcemanager.SERVICE,
    serviceusage.SERVICE,
)
