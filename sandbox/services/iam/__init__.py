"""IAM: service accounts, roles, service account keys."""

from __future__ import annotations

from sandbox.services.iam import keys, roles, service_accounts
from sandbox.services.registry import Service

SERVICE = Service(
    name="iam",
    title="Identity and Access Management (IAM) API",
    prefix="google.iam.admin.v1",
    resources=(keys.Key, roles.Role, service_accounts.ServiceAccount),
    handlers={**roles.HANDLERS, **service_accounts.HANDLERS},
)
