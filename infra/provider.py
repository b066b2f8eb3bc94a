"""The only place where a Google Cloud provider is made. Nothing ambient decides where it goes or how it labels."""

from typing import Any

import pulumi
import pulumi_gcp as gcp

from infra import endpoints, naming
from infra.settings import Settings


def google(settings: Settings, *, stack: str) -> gcp.Provider:
    """The provider of every resource of the stack.

    Args:
        settings: endpoints, token, quota project, impersonation and pace come from here.
        stack: name of the stack, which becomes a label.
    """
    arguments: dict[str, Any] = {
        # The label Pulumi adds by itself would be one that no campaign file knows of.
        "add_pulumi_attribution_label": False,
        "default_labels": {"managed-by": "plantain", "stack": naming.label_value(stack)},
        **endpoints.provider_arguments(settings.endpoints),
    }
    if settings.access_token is not None:
        arguments["access_token"] = pulumi.Output.secret(settings.access_token.get_secret_value())
    if settings.impersonate is not None:
        arguments["impersonate_service_account"] = settings.impersonate
    if settings.quota_project is not None:
        arguments |= {"user_project_override": True, "billing_project": settings.quota_project}
    if settings.poll_interval is not None:
        arguments["poll_interval"] = settings.poll_interval
    if settings.batch_delay is not None:
        arguments["batching"] = gcp.ProviderBatchingArgs(enable_batching=True, send_after=settings.batch_delay)
    return gcp.Provider("google", **arguments)
