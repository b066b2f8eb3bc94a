"""The seed project: what must exist before anything can be deployed by a pipeline, made once, by a person.

It lies outside every perimeter: it creates the projects that become members, and what it holds must be readable before
there is a perimeter. Nothing that belongs to a campaign is kept in it.
"""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_gcp as gcp

from infra import billing_export, deployer, naming, workload_identity
from infra.bootstrap_settings import Bootstrap
from infra.bucket import only_with
from infra.component import Component
from infra.foundation_labels import FoundationLabels
from infra.retention import Retention
from infra.settings import Settings
from infra.shared_keys import SharedKeys
from infra.shared_project import SharedProject

APIS = (
    "accesscontextmanager.googleapis.com",
    "billingbudgets.googleapis.com",
    "cloudasset.googleapis.com",
    "cloudbilling.googleapis.com",
    "cloudkms.googleapis.com",
    "cloudquotas.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "essentialcontacts.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "orgpolicy.googleapis.com",
    "pubsub.googleapis.com",
    "serviceusage.googleapis.com",
    "storage.googleapis.com",
    "sts.googleapis.com",
)
"""What the deployer calls with the seed project as the one that is charged."""

STATE, SECRETS, TOPICS, BILLS = "state", "secrets", "topics", "bills"
SECONDS_A_DAY = 86_400
BUDGETS = "budgets"
BUDGET_SENDER = "serviceAccount:billing-budget-alert@system.gserviceaccount.com"
"""cloud.google.com/billing/docs/how-to/budgets-programmatic-notifications (2026-11)."""


class Seed(Component):
    """The seed project with all that is in it.

    Attributes:
        outputs: what the stack says about it.
    """

    def __init__(
        self,
        settings: Settings,
        bootstrap: Bootstrap,
        labels: FoundationLabels,
        *,
        retention: Retention,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Seed", "seed", opts=opts)
        self._labels = labels
        self._retention = retention
        shared = SharedProject(
            "seed",
            settings,
            stem=bootstrap.project,
            labels=labels,
            apis=(*APIS, billing_export.API) if bootstrap.billing_export else APIS,
            retention=retention,
            opts=self._options(),
        )
        self._project = shared.project
        self._apis = shared.services
        identities = {
            name: deployer.PulumiIdentity(
                settings,
                name=name,
                purpose=purpose,
                rights=[right for right in rights if bootstrap.organization_rights or not right.foundation],
                project=self._project,
                after=self._apis,
                opts=self._options(),
            )
            for name, purpose, rights in (
                ("deployer", "Runs pulumi up", deployer.DEPLOYER_RIGHTS),
                ("previewer", "Runs pulumi preview, changes nothing", deployer.PREVIEWER_RIGHTS),
            )
        }
        members = {name: identity.member for name, identity in identities.items()}
        keys = self._keys(settings.region, members, shared, bills=bootstrap.billing_export)
        state = self._state(bootstrap, settings.region, keys)
        self._readers(state, members)
        topic = self._budget_topic(keys, members["deployer"])
        pipelines = workload_identity.WorkloadIdentity(
            project=self._project,
            trusted=workload_identity.trusts(bootstrap),
            deployer=identities["deployer"].account,
            previewer=identities["previewer"].account,
            after=self._apis,
            opts=self._options(),
        )
        bills = (
            billing_export.BillingExport(
                project=self._project,
                location=settings.region,
                billing_account=settings.billing_account,
                key=keys.keys[BILLS].id,
                labels=labels,
                retention=retention,
                after=(*self._apis, *keys.grants[BILLS]),
                opts=self._options(),
            )
            if bootstrap.billing_export
            else None
        )
        self.outputs: Mapping[str, Any] = {
            "projectId": shared.project_id,
            "projectNumber": shared.number,
            "deployer": identities["deployer"].account.email,
            "previewer": identities["previewer"].account.email,
            "backend": state.name.apply(lambda name: f"gs://{name}"),
            "secretsProvider": keys.keys[SECRETS].id.apply(lambda key: f"gcpkms://{key}"),
            "budgetTopic": topic.id,
            "providers": {name: provider.name for name, provider in pipelines.providers.items()},
            **({"billingExport": dict(bills.outputs)} if bills else {}),
        }
        self.register_outputs(dict(self.outputs))

    def _keys(
        self, region: str, members: Mapping[str, pulumi.Output[str]], shared: SharedProject, *, bills: bool
    ) -> SharedKeys:
        def asked(api: str) -> pulumi.InvokeOutputOptions:
            return pulumi.InvokeOutputOptions(parent=self, depends_on=shared.enabled(api))

        project = self._project.project_id
        storage = gcp.storage.get_project_service_account_output(project=project, opts=asked("storage"))
        messages = gcp.projects.ServiceIdentity(
            "seed-pubsub",
            project=self._project.project_id,
            service="pubsub.googleapis.com",
            opts=self._options(after=self._apis),
        )
        exporting: dict[str, dict[str, pulumi.Input[str]]] = {}
        if bills:
            bigquery = gcp.bigquery.get_default_service_account_output(project=project, opts=asked("bigquery"))
            exporting = {BILLS: {"bigquery": bigquery.email.apply(naming.service_account_member)}}
        return SharedKeys(
            "seed",
            project=self._project,
            location=region,
            labels=self._labels,
            users={
                STATE: {"storage": storage.email_address.apply(naming.service_account_member)},
                SECRETS: members,
                TOPICS: {"pubsub": messages.email.apply(naming.service_account_member)},
                **exporting,
            },
            retention=self._retention,
            after=self._apis,
            opts=self._options(),
        )

    def _state(self, bootstrap: Bootstrap, region: str, keys: SharedKeys) -> gcp.storage.Bucket:
        """Where Pulumi keeps its state: every version of it, long enough to come back from any mistake."""
        return gcp.storage.Bucket(
            "seed-state",
            name=self._project.project_id.apply(lambda project: f"{project}-state"),
            project=self._project.project_id,
            location=region.upper(),
            storage_class="STANDARD",
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            encryption=only_with(keys.keys[STATE].id),
            versioning=gcp.storage.BucketVersioningArgs(enabled=True),
            soft_delete_policy=gcp.storage.BucketSoftDeletePolicyArgs(
                retention_duration_seconds=bootstrap.recoverable_days * SECONDS_A_DAY
            ),
            lifecycle_rules=[
                gcp.storage.BucketLifecycleRuleArgs(
                    action=gcp.storage.BucketLifecycleRuleActionArgs(type="Delete"),
                    condition=gcp.storage.BucketLifecycleRuleConditionArgs(
                        num_newer_versions=bootstrap.kept_versions,
                        days_since_noncurrent_time=bootstrap.recoverable_days,
                    ),
                )
            ],
            labels=self._labels.as_labels(),
            force_destroy=self._retention.force_destroy,
            deletion_policy=self._retention.bucket,
            opts=self._options(after=[*self._apis, *keys.grants[STATE]], protect=self._retention.protect),
        )

    def _readers(self, state: gcp.storage.Bucket, members: Mapping[str, pulumi.Output[str]]) -> None:
        """The deployer writes state and locks. The previewer reads them: pulumi takes no lock for a preview."""
        for name, role in (("deployer", "roles/storage.objectUser"), ("previewer", "roles/storage.objectViewer")):
            gcp.storage.BucketIAMMember(
                f"{name}-state", bucket=state.name, role=role, member=members[name], opts=self._options()
            )

    def _budget_topic(self, keys: SharedKeys, deployer: pulumi.Input[str]) -> gcp.pubsub.Topic:
        """Where campaigns' budgets may report to: outside the perimeter, because Cloud Billing is."""
        topic = gcp.pubsub.Topic(
            "seed-budgets",
            name=BUDGETS,
            project=self._project.project_id,
            kms_key_name=keys.keys[TOPICS].id,
            labels=self._labels.as_labels(),
            opts=self._options(after=[*self._apis, *keys.grants[TOPICS]]),
        )
        gcp.pubsub.TopicIAMMember(
            "seed-budgets-sender",
            project=self._project.project_id,
            topic=topic.name,
            role="roles/pubsub.publisher",
            member=BUDGET_SENDER,
            opts=self._options(),
        )
        # A budget that reports to a topic changes who may publish there, in the name of whoever makes the budget
        # (NotificationsRule in the reference of the Cloud Billing Budget API, 2026-11).
        gcp.pubsub.TopicIAMMember(
            "deployer-budgets",
            project=self._project.project_id,
            topic=topic.name,
            role="roles/pubsub.admin",
            member=deployer,
            opts=self._options(),
        )
        return topic
