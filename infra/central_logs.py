"""The log project: audit logs of the whole folder or organisation, where those they are about cannot delete them.

The sink is made above the projects, so no owner of a project can switch it off, and it covers projects from their first
moment. What data access costs is decided where it is switched on, in the campaigns.
"""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_gcp as gcp

from infra import naming
from infra.component import Component
from infra.foundation_labels import FoundationLabels
from infra.log_settings import CentralLogs
from infra.retention import Retention
from infra.settings import Settings
from infra.shared_keys import SharedKeys
from infra.shared_project import SharedProject

APIS = (
    "cloudkms.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "iam.googleapis.com",
    "logging.googleapis.com",
    "serviceusage.googleapis.com",
)
BUCKET = SINK = VIEW = "audit"
LOGS = "logs"
DEFAULTS = "new-projects"
FILTER = " OR ".join(
    f'log_id("{log}")'
    for log in (
        "cloudaudit.googleapis.com/activity",
        "cloudaudit.googleapis.com/data_access",
        "cloudaudit.googleapis.com/policy",
        "cloudaudit.googleapis.com/system_event",
        "cloudaudit.googleapis.com/access_transparency",
        "externalaudit.googleapis.com/activity",
    )
)
"""Every audit log there is; `policy` is where the perimeter writes what it refused
(cloud.google.com/logging/docs/audit, 2026-11)."""


class LogProject(Component):
    """The log project with its bucket, the sinks that fill it, and who may read it.

    Attributes:
        project: the project, which belongs into the perimeter.
        writers: identities the sinks write as, which an enforced perimeter must let in.
        defaults: what a project must come after so that its first log buckets are encrypted; empty without it.
        outputs: what the stack says about it.
    """

    def __init__(
        self,
        settings: Settings,
        logs: CentralLogs,
        labels: FoundationLabels,
        *,
        retention: Retention,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("LogProject", "logs", opts=opts)
        self.project = SharedProject(
            "logs",
            settings,
            stem=logs.project,
            labels=labels,
            apis=APIS,
            retention=retention,
            opts=self._options(),
        )
        apis = self.project.services
        project = self.project.project
        asked = pulumi.InvokeOutputOptions(parent=self, depends_on=self.project.enabled("logging"))
        agent = gcp.logging.get_project_cmek_settings_output(project=project.project_id, opts=asked)
        users = {LOGS: {"logging": agent.service_account_id.apply(naming.service_account_member)}}
        if logs.default_key:
            above = _encrypting_account(settings, opts=asked).apply(naming.service_account_member)
            users[DEFAULTS] = {"logging": above}
        keys = SharedKeys(
            "logs",
            project=project,
            location=settings.region,
            labels=labels,
            users=users,
            retention=retention,
            after=apis,
            opts=self._options(),
        )
        self.bucket = gcp.logging.ProjectBucketConfig(
            "logs-audit",
            project=project.project_id,
            location=settings.region,
            bucket_id=BUCKET,
            description="Audit logs of all projects.",
            retention_days=logs.retention_days,
            locked=logs.locked or None,
            enable_analytics=logs.analytics or None,
            cmek_settings=gcp.logging.ProjectBucketConfigCmekSettingsArgs(kms_key_name=keys.keys[LOGS].id),
            deletion_policy=retention.bucket,
            opts=self._options(after=[*apis, *keys.grants[LOGS]], protect=retention.protect),
        )
        self.defaults = self._defaults(settings, keys) if logs.default_key else ()
        sinks = self._sinks(settings, logs)
        for name, sink in sinks.items():
            gcp.projects.IAMMember(
                f"logs-{name}-writer",
                project=project.project_id,
                role="roles/logging.bucketWriter",
                member=sink.writer_identity,
                condition=gcp.projects.IAMMemberConditionArgs(
                    title="audit bucket",
                    description="Only the bucket of audit logs.",
                    expression=f'resource.name.endsWith("locations/{settings.region}/buckets/{BUCKET}")',
                ),
                opts=self._options(),
            )
        self._readers(logs)
        self.writers = [sink.writer_identity for sink in sinks.values()]
        self.outputs: Mapping[str, Any] = {
            "projectId": self.project.project_id,
            "projectNumber": self.project.number,
            "bucket": self.bucket.id,
            "view": self.view.id,
            "key": keys.keys[LOGS].id,
            "writers": self.writers,
        }
        self.register_outputs(dict(self.outputs))

    def _defaults(self, settings: Settings, keys: SharedKeys) -> tuple[pulumi.Resource, ...]:
        """What Logging does with projects that are made from now on: the only way to a key for `_Required`."""
        common: dict[str, Any] = {
            "kms_key_name": keys.keys[DEFAULTS].id,
            "storage_location": settings.region,
            "opts": self._options(after=keys.grants[DEFAULTS]),
        }
        if settings.folder:
            return (
                gcp.logging.FolderSettings("logs-defaults", folder=settings.folder.removeprefix("folders/"), **common),
            )
        return (gcp.logging.OrganizationSettings("logs-defaults", organization=settings.organization, **common),)

    def _sinks(self, settings: Settings, logs: CentralLogs) -> dict[str, Any]:
        common: dict[str, Any] = {
            "name": f"plantain-{SINK}",
            "destination": self.bucket.id.apply(lambda bucket: f"logging.googleapis.com/{bucket}"),
            "filter": FILTER,
            "description": "Every audit log entry to the log project.",
            "opts": self._options(),
        }
        sinks: dict[str, Any] = {}
        if settings.folder:
            sinks["folder"] = gcp.logging.FolderSink(
                "logs-audit", folder=settings.folder, include_children=True, **common
            )
        else:
            sinks["organization"] = gcp.logging.OrganizationSink(
                "logs-audit", org_id=settings.organization, include_children=True, **common
            )
        if logs.billing_account_sink:
            sinks["billing"] = gcp.logging.BillingAccountSink(
                "logs-billing", billing_account=settings.billing_account, **common
            )
        return sinks

    def _readers(self, logs: CentralLogs) -> None:
        """Auditors read one view of one bucket, and nothing else in the project."""
        self.view = gcp.logging.LogView(
            "logs-audit",
            name=VIEW,
            bucket=self.bucket.id,
            description="What auditors read.",
            opts=self._options(),
        )
        for reader in logs.auditors:
            gcp.projects.IAMMember(
                f"logs-{reader}",
                project=self.project.project_id,
                role="roles/logging.viewAccessor",
                member=reader,
                condition=gcp.projects.IAMMemberConditionArgs(
                    title="audit view",
                    description="Only the view of audit logs.",
                    expression=f'resource.name.endsWith("buckets/{BUCKET}/views/{VIEW}")',
                ),
                opts=self._options(),
            )


def _encrypting_account(settings: Settings, *, opts: pulumi.InvokeOutputOptions) -> pulumi.Output[str]:
    """Who encrypts log buckets for the folder or organisation; asking for it makes it."""
    if settings.folder:
        number = settings.folder.removeprefix("folders/")
        return gcp.logging.get_folder_settings_output(folder=number, opts=opts).kms_service_account_id
    found = gcp.logging.get_organization_settings_output(organization=settings.organization, opts=opts)
    return found.kms_service_account_id
