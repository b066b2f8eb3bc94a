"""IAM: service accounts and their keys, roles, deny policies, workload identity pools."""

from __future__ import annotations

from sandbox.services.iam import deny_policies, keys, roles, service_accounts, workload_identity
from sandbox.services.registry import Service

SERVICE = Service(
    name="iam",
    title="Identity and Access Management (IAM) API",
    prefix="google.iam.admin.v1",
    resources=(
        keys.Key,
        roles.Role,
        service_accounts.ServiceAccount,
        workload_identity.Pool,
        workload_identity.Provider,
    ),
    handlers={
        **deny_policies.HANDLERS,
        **keys.HANDLERS,
        **roles.HANDLERS,
        **service_accounts.HANDLERS,
        **workload_identity.HANDLERS,
    },
    targets=deny_policies.TARGETS,
)
