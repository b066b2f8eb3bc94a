"""What a campaign stands on: its project, the identities of Google's services in it, and its keys.

Its own module because a stack declares the foundations of all its campaigns first, and what a campaign works with takes
longer to load than this: the engine begins with these while the rest loads.
"""

from collections.abc import Mapping, Sequence

import pulumi

from infra import campaign_model
from infra.component import Component
from infra.encryption import Encryption
from infra.project import CampaignProject
from infra.retention import Retention
from infra.service_agents import ServiceAgents, agents_of


class CampaignFoundation(Component):
    """What must exist of a campaign before its project can become a member: project, identities, keys.

    Attributes:
        project: the project with its APIs.
        encryption: its keys and their grants.
    """

    def __init__(
        self,
        campaign: campaign_model.Campaign,
        *,
        parent: Mapping[str, str],
        billing_account: str,
        region: str,
        retention: Retention,
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("CampaignFoundation", campaign.name, opts=opts)
        labels = campaign.labels.as_labels()
        self.project = CampaignProject(
            campaign,
            parent=parent,
            billing_account=billing_account,
            retention=retention,
            after=after,
            opts=self._options(),
        )
        apis = tuple(self.project.services.values())
        self.agents = ServiceAgents(
            campaign.name,
            project=self.project.project,
            agents=agents_of(campaign),
            asked_of={api: self.project.enabled(api) for api in ("storage", "logging")},
            after=apis,
            opts=self._options(),
        )
        self.encryption = Encryption(
            campaign.name,
            project=self.project.project,
            location=region,
            placement=campaign.keys,
            adopted=campaign.project.existing is not None,
            labels=labels,
            users=self.agents.users,
            retention=retention,
            after=apis,
            opts=self._options(),
        )
        self.register_outputs({"projectId": self.project.project_id})
