"""Quotas that a campaign asks Google for.

Asking is all that can be done: Google may grant less, later, or nothing, and a granted quota stays when the preference
goes (the API has no delete). A system limit cannot be asked for at all: `gcloud beta quotas info describe` says
`isFixed`.
"""

from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp

from infra import campaign_model, error_hooks, naming
from infra.component import Component


class Quotas(Component):
    """One preference for each quota of the campaign's file, and the adjuster where the campaign wants it."""

    def __init__(
        self,
        campaign: campaign_model.Campaign,
        *,
        project: gcp.organizations.Project,
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Quotas", campaign.name, after=after, opts=opts)
        self.preferences = [
            gcp.cloudquota.SQuotaPreference(
                f"{campaign.name}-{naming.quota(quota.quota_id, quota.dimensions)}",
                name=naming.quota(quota.quota_id, quota.dimensions),
                parent=project.project_id.apply(naming.project_member),
                service=quota.service,
                quota_id=quota.quota_id,
                dimensions=quota.dimensions or None,
                contact_email=campaign.contacts[0],
                justification=f"Image generation of campaign {campaign.name}.",
                quota_config=gcp.cloudquota.SQuotaPreferenceQuotaConfigArgs(preferred_value=str(quota.value)),
                opts=self._options(hooks=error_hooks.named_once()),
            )
            for quota in campaign.quotas
        ]
        if campaign.capacity.quota_adjuster:
            gcp.cloudquota.SQuotaAdjusterSettings(
                f"{campaign.name}-quotas",
                parent=project.number.apply(naming.project_member),
                enablement="ENABLED",
                opts=self._options(),
            )
        self.register_outputs({})
