"""The covered services, one line each."""

from __future__ import annotations

from sandbox.services import (
    accesscontextmanager,
    aiplatform,
    cloudbilling,
    cloudresourcemanager,
    iam,
    iamcredentials,
    openidconnect,
    run,
    serviceusage,
)

SERVICES = (
    accesscontextmanager.SERVICE,
    aiplatform.SERVICE,
    cloudbilling.SERVICE,
    cloudresourcemanager.SERVICE,
    iam.SERVICE,
    iamcredentials.SERVICE,
    openidconnect.SERVICE,
    run.SERVICE,
    serviceusage.SERVICE,
)
