"""One campaign from its project to its alerts. It only wires: order and names are its business, resources are not.

The order is the one that works on an empty project: APIs, then the identities of Google's services, then keys and
who may use them, then membership of the perimeter, and only then what needs all of these.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pulumi
from pydantic import SecretStr

from infra import campaign_model, naming
from infra.accounts import BuildAccount, RuntimeAccount
from infra.alerts import Alerts, watched
from infra.audit_logs import AuditLogs
from infra.binary_authorization import ImagePolicy
from infra.budget import Budget
from infra.campaign_foundation import CampaignFoundation
from infra.channels import Channels
from infra.component import Component
from infra.dashboard import Dashboard
from infra.function import Deployment, ImageFunction
from infra.log_metrics import LogMetrics
from infra.logs import Logs
from infra.network import Network
from infra.objectives import Objectives
from infra.placement_model import Dependencies
from infra.queue import Queue
from infra.quota import Quotas
from infra.registry import Packages, Registry
from infra.retention import Retention
from infra.storage_buckets import Buckets
from infra.worker_pool import WorkerPool


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
        billing_account: str,
        archive: Path,
        digest: str,
        secrets: Mapping[str, SecretStr],
        retention: Retention,
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the campaign.

        Args:
            campaign: its file.
            foundation: its project and keys.
            region: region of everything.
            billing_account: id of the account that its budget is a part of.
            archive: path of the function's packed source.
            digest: SHA-256 of it.
            secrets: credentials of notification channels by name.
            retention: what may be deleted.
            after: the membership of the perimeter.
            opts: options of the component.
        """
        super().__init__("Campaign", campaign.name, opts=opts)
        name, labels = campaign.name, campaign.labels.as_labels()
        project = foundation.project.project
        keys, grants = foundation.encryption.keys, foundation.encryption.grants
        existing = campaign.project.existing is not None
        options = self._options()

        def ready(*apis: str) -> tuple[pulumi.Resource, ...]:
            return (*foundation.project.enabled(*apis), *after)

        network = Network(
            name,
            project=project,
            region=region,
            ip_range=campaign.network.ip_range,
            labels=labels,
            after=ready("compute", "dns"),
            kept=existing,
            opts=options,
        )
        buckets = Buckets(
            campaign,
            project=project,
            location=region,
            keys=keys,
            grants=grants,
            retention=retention,
            after=ready("storage"),
            opts=options,
        )
        runtime = RuntimeAccount(
            name,
            project=project,
            bucket=buckets.images.name,
            references=buckets.references.name if buckets.references else None,
            secrets=sorted({version.partition("/versions/")[0] for version in campaign.function.secrets.values()}),
            after=ready(
                "iam",
                "cloudresourcemanager",
                "aiplatform",
                "storage",
                *(("secretmanager",) if campaign.function.secrets else ()),
            ),
            opts=options,
        )

        def once(word: str) -> pulumi.Input[str]:
            # Names of deleted queues and log buckets are held for days. A new project has none; in one that stays, a
            # campaign that follows another must not meet its names. An account that is made again is another one.
            return runtime.account.unique_id.apply(lambda number: f"{word}-{number}") if existing else word

        logs = Logs(
            name,
            project=project,
            location=region,
            key=keys["logs"].id,
            retention_days=campaign.logs.retention_days,
            locked=campaign.logs.locked,
            retention=retention,
            bucket_id=once(naming.LOG_BUCKET),
            after=(*ready("logging"), *grants["logs"]),
            opts=options,
        )
        AuditLogs(
            name, project=project, services=campaign.logs.data_access, after=ready("cloudresourcemanager"), opts=options
        )
        registry = Registry(
            name,
            project=project,
            location=region,
            key=keys["function"].id,
            labels=labels,
            after=(*ready("artifactregistry"), *grants["function"]),
            opts=options,
        )
        packages = (
            Packages(
                name,
                project=project,
                location=region,
                key=keys["function"].id,
                labels=labels,
                after=(*ready("artifactregistry"), *grants["function"]),
                opts=options,
            )
            if campaign.build.dependencies == Dependencies.REGISTRY
            else None
        )
        pool = (
            WorkerPool(
                name,
                project=project,
                location=region,
                machine_type=campaign.build.machine_type,
                after=ready("cloudbuild"),
                opts=options,
            )
            if campaign.build.private_pool
            else None
        )
        build = BuildAccount(
            name,
            project=project,
            repository=registry.repository,
            packages=packages.repository if packages else None,
            after=ready("iam", "cloudresourcemanager", "artifactregistry", "logging", "storage"),
            opts=options,
        )
        queue = (
            Queue(
                campaign,
                project=project,
                region=region,
                runtime=runtime,
                queue_id=once(naming.QUEUE),
                after=ready("cloudtasks", "iam"),
                opts=options,
            )
            if campaign.queue.enabled
            else None
        )
        # In a project of others the policy is theirs: one that is written here would hold for all that they run.
        policy = (
            ImagePolicy(name, project=project, location=region, after=ready("binaryauthorization"), opts=options)
            if campaign.function.binary_authorization and not existing
            else None
        )
        function = ImageFunction(
            campaign,
            project=project,
            region=region,
            network=network,
            deployment=Deployment(
                archive=archive,
                digest=digest,
                source_bucket=buckets.source.name,
                images_bucket=buckets.images.name,
                repository=registry.repository.id,
                key=keys["function"].id,
                build_account=build.account.name,
                runtime_email=runtime.account.email,
                index=packages.index if packages else None,
                worker_pool=pool.pool.id if pool else None,
                queue=queue.name if queue else None,
                references_bucket=buckets.references.name if buckets.references else None,
            ),
            after=(
                *foundation.project.services.values(),
                *after,
                *grants["function"],
                *foundation.agents.roles,
                *runtime.grants,
                *build.grants,
                *(queue.grants if queue else ()),
                *((policy.policy,) if policy else ()),
                network.route,
                *network.firewalls,
                *network.records,
            ),
            opts=options,
        )
        channels = Channels(
            campaign,
            project=project,
            key=keys["logs"].id,
            secrets=secrets,
            after=(*ready("monitoring", "pubsub"), *grants["logs"]),
            opts=options,
        )
        metrics = LogMetrics(name, project=project, after=ready("logging"), opts=options)
        objectives = Objectives(
            campaign, project=project, metrics=metrics, after=ready("monitoring", "logging"), opts=options
        )
        found = watched(campaign)
        alerts = Alerts(
            campaign,
            project=project,
            alerts=found,
            channels=channels.channels,
            objectives=objectives.objectives,
            after=ready("monitoring"),
            opts=options,
        )
        dashboard = Dashboard(campaign, project=project, alerts=found, after=ready("monitoring"), opts=options)
        budget = Budget(
            campaign,
            billing_account=billing_account,
            project=project,
            emails=channels.emails,
            after=ready("monitoring"),
            opts=options,
        )
        if campaign.quotas or campaign.capacity.quota_adjuster:
            Quotas(campaign, project=project, after=ready("cloudquotas"), opts=options)

        self.outputs: Mapping[str, Any] = {
            "projectId": project.project_id,
            "projectNumber": project.number,
            "region": region,
            "functionName": function.name,
            "functionUri": function.uri,
            "bucket": buckets.images.name,
            "referencesBucket": buckets.references.name if buckets.references else None,
            "logBucket": logs.bucket.id,
            "network": network.network.id,
            "subnet": network.subnet.id,
            "runtimeServiceAccount": runtime.account.email,
            "buildServiceAccount": build.account.email,
            "repository": registry.repository.id,
            "keys": {key: resource.id for key, resource in keys.items()},
            "alertPolicies": {key: policy.name for key, policy in alerts.policies.items()},
            "objectives": {key: objective.name for key, objective in objectives.objectives.items()},
            "dashboard": dashboard.dashboard.id,
            "budget": budget.budget.name,
            "queue": queue.name if queue else None,
            "labels": labels,
        }
        self.register_outputs(dict(self.outputs))
