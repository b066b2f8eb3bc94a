"""The covered services, one line each."""

from __future__ import annotations

from sandbox.services import (
    accesscontextmanager,
    aiplatform,
    cloudbilling,
    cloudkms,
    cloudfunctions,
    cloudresourcemanager,
    compute,
    dns,
    iam,
    iamcredentials,
    openidconnect,
    run,
    serviceusage,
    storage,
)

SERVICES = (
    accesscontextmanager.SERVICE,
    aiplatform.SERVICE,
    cloudbilling.SERVICE,
    cloudkms.SERVICE,
    cloudfunctions.SERVICE,
    cloudresourcemanager.SERVICE,
    compute.SERVICE,
    dns.SERVICE,
    iam.SERVICE,
    iamcredentials.SERVICE,
    openidconnect.OAUTH2,
    openidconnect.SERVICE,
    run.SERVICE,
    serviceusage.SERVICE,
    storage.SERVICE,
)
