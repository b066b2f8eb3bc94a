"""The covered services, one line each."""

from __future__ import annotations

from sandbox.services import (
    accesscontextmanager,
    aiplatform,
    artifactregistry,
    billingbudgets,
    cloudbilling,
    cloudkms,
    cloudfunctions,
    cloudresourcemanager,
    compute,
    dns,
    essentialcontacts,
    iam,
    iamcredentials,
    openidconnect,
    orgpolicy,
    run,
    serviceusage,
    storage,
)

SERVICES = (
    accesscontextmanager.SERVICE,
    aiplatform.SERVICE,
    artifactregistry.SERVICE,
    billingbudgets.SERVICE,
    cloudbilling.SERVICE,
    cloudkms.SERVICE,
    cloudfunctions.SERVICE,
    cloudresourcemanager.SERVICE,
    compute.SERVICE,
    dns.SERVICE,
    essentialcontacts.SERVICE,
    iam.SERVICE,
    iamcredentials.SERVICE,
    openidconnect.OAUTH2,
    openidconnect.SERVICE,
    orgpolicy.SERVICE,
    run.SERVICE,
    serviceusage.SERVICE,
    storage.SERVICE,
)
