"""The covered services, one line each."""

from __future__ import annotations

from sandbox.services import (
    accesscontextmanager,
    aiplatform,
    cloudbilling,
    cloudresourcemanager,
    compute,
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
    compute.SERVICE,
    iam.SERVICE,
    iamcredentials.SERVICE,
    openidconnect.OAUTH2,
    openidconnect.SERVICE,
    run.SERVICE,
    serviceusage.SERVICE,
)
