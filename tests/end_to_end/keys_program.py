"""A campaign's keys alone, and a quota, in a project of others: what the tests of their names deploy."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_gcp as gcp

from infra import error_hooks, naming
from infra.encryption import Encryption
from infra.placement_model import Keys
from infra.retention import retention

PROJECT, RING, LOCATION = "acme-spring", "campaigns", "europe-west4"


def deploy() -> None:
    """Declare everything."""
    error_hooks.register()
    endpoints: dict[str, str] = pulumi.Config().require_object("endpoints")
    arguments: dict[str, Any] = {f"{name}_custom_endpoint": url for name, url in endpoints.items()}
    provider = gcp.Provider("gcp", access_token="sandbox", poll_interval="100ms", **arguments)
    options = pulumi.ResourceOptions(provider=provider)
    if asked := pulumi.Config().get_int("images-a-minute"):
        gcp.cloudquota.SQuotaPreference(
            "images-a-minute",
            name="images-a-minute",
            parent=f"projects/{PROJECT}",
            service="aiplatform.googleapis.com",
            quota_id="GenerateContentImageGenPerProjectPerBaseModelGlobal",
            dimensions={"base_model": "gemini-3-pro-image"},
            contact_email="oncall@example.com",
            quota_config=gcp.cloudquota.SQuotaPreferenceQuotaConfigArgs(preferred_value=str(asked)),
            opts=pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(hooks=error_hooks.named_once())),
        )
    encryption = Encryption(
        "spring-launch",
        project=gcp.organizations.Project.get("spring-launch", PROJECT, opts=options),
        location=LOCATION,
        placement=Keys.model_validate(pulumi.Config().get_object("keys") or {"ring": RING}),
        adopted=pulumi.Config().get_object("keys") is None,
        labels={},
        users={key: {} for key in naming.KEYS},
        retention=retention(deletion_protection=False),
        after=[],
        opts=options,
    )
    pulumi.export("keys", {key: resource.id for key, resource in encryption.keys.items()})
