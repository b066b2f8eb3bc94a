"""One campaign from its project to its alerts. It only wires: order and names are its business, resources are not.

The order is the one that works on an empty project: APIs, then the identities of Google's services, then keys and
who may use them, then membership of the perimeter, and only then what needs all of these.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pulumi

from infra import campaign_model, naming
from infra.accounts import BuildAccount, RuntimeAccount
from infra.alerts import Alerts
from infra.bucket import EncryptedBucket
from infra.component import Component
from infra.encryption import Encryption
from infra.function import Deployment, ImageFunction
from infra.logs import Logs
from infra.network import Network
from infra.project import CampaignProject
from infra.registry import Registry
from infra.retention import Retention
from infra.service_agents import ServiceAgents

SOURCE_RECOVERABLE_DAYS = 7
CLAIM_PREFIX = "claims/"
CLAIM_DAYS = 1
"""The function marks work in progress with objects below this prefix, and may not delete them itself."""


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
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("CampaignFoundation", campaign.name, opts=opts)
        labels = campaign.labels.as_labels()
        self.project = CampaignProject(
            campaign.name,
            parent=parent,
            billing_account=billing_account,
            labels=labels,
            retention=retention,
            opts=self._options(),
        )
        apis = tuple(self.project.services.values())
        self.agents = ServiceAgents(campaign.name, project=self.project.project, after=apis, opts=self._options())
        self.encryption = Encryption(
            campaign.name,
            project=self.project.project,
            location=region,
            labels=labels,
            users=self.agents.users,
            retention=retention,
            after=apis,
            opts=self._options(),
        )
        self.register_outputs({"projectId": self.project.project_id})


class Campaign(Component):
    """What a campaign works with, inside the perimeter.

    Attributes:
        outputs: what the stack says about the campaign.
    """

    def __init__(
        self,
        campaign: campaign_model.Campaign,
        foundation: CampaignFoundation,
        *,
        region: str,
        archive: Path,
        digest: str,
        retention: Retention,
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the campaign.

        Args:
            campaign: its file.
            foundation: its project and keys.
            region: region of everything.
            archive: path of the function's packed source.
            digest: SHA-256 of it.
            retention: what may be deleted.
            after: the membership of the perimeter.
            opts: options of the component.
        """
        super().__init__("Campaign", campaign.name, opts=opts)
        name, labels = campaign.name, campaign.labels.as_labels()
        project = foundation.project.project
        keys, grants = foundation.encryption.keys, foundation.encryption.grants
        apis = tuple(foundation.project.services.values())
        ready = (*apis, *after)

        network = Network(
            name,
            project=project,
            region=region,
            ip_range=campaign.network.ip_range,
            labels=labels,
            after=ready,
            opts=self._options(),
        )
        images = EncryptedBucket(
            f"{name}-images-bucket",
            project=project,
            bucket_name=project.project_id.apply(naming.images_bucket),
            location=region,
            key=keys["images"].id,
            labels=labels,
            recoverable_days=campaign.images.recoverable_days,
            ages={
                "NEARLINE": campaign.images.nearline_after_days,
                "ARCHIVE": campaign.images.archive_after_days,
            },
            delete_after_days=campaign.images.delete_after_days,
            short_lived={CLAIM_PREFIX: CLAIM_DAYS},
            retention=retention,
            after=(*ready, *grants["images"]),
            opts=self._options(),
        )
        source = EncryptedBucket(
            f"{name}-source-bucket",
            project=project,
            bucket_name=project.project_id.apply(naming.source_bucket),
            location=region,
            key=keys["function"].id,
            labels=labels,
            recoverable_days=SOURCE_RECOVERABLE_DAYS,
            ages={},
            delete_after_days=None,
            short_lived={},
            retention=retention,
            after=(*ready, *grants["function"]),
            opts=self._options(),
        )
        logs = Logs(
            name,
            project=project,
            location=region,
            key=keys["logs"].id,
            retention_days=campaign.logs.retention_days,
            retention=retention,
            after=(*ready, *grants["logs"]),
            opts=self._options(),
        )
        registry = Registry(
            name,
            project=project,
            location=region,
            key=keys["function"].id,
            labels=labels,
            after=(*ready, *grants["function"]),
            opts=self._options(),
        )
        runtime = RuntimeAccount(name, project=project, bucket=images.name, after=ready, opts=self._options())
        build = BuildAccount(
            name,
            project=project,
            source_bucket=source.name,
            repository=registry.repository,
            after=ready,
            opts=self._options(),
        )
        function = ImageFunction(
            campaign,
            project=project,
            region=region,
            network=network,
            deployment=Deployment(
                archive=archive,
                digest=digest,
                source_bucket=source.name,
                images_bucket=images.name,
                repository=registry.repository.id,
                key=keys["function"].id,
                build_account=build.account.name,
                runtime_email=runtime.account.email,
            ),
            after=(
                *ready,
                *grants["function"],
                *foundation.agents.roles,
                *runtime.grants,
                *build.grants,
                network.route,
                *network.firewalls,
                *network.records,
            ),
            opts=self._options(),
        )
        alerts = Alerts(campaign, project=project, after=ready, opts=self._options())

        self.outputs: Mapping[str, Any] = {
            "projectId": project.project_id,
            "projectNumber": project.number,
            "region": region,
            "functionName": function.name,
            "functionUri": function.uri,
            "bucket": images.name,
            "logBucket": logs.bucket.id,
            "network": network.network.id,
            "subnet": network.subnet.id,
            "runtimeServiceAccount": runtime.account.email,
            "buildServiceAccount": build.account.email,
            "repository": registry.repository.id,
            "keys": {key: resource.id for key, resource in keys.items()},
            "alertPolicies": {key: policy.name for key, policy in alerts.policies.items()},
            "labels": labels,
        }
        self.register_outputs(dict(self.outputs))
