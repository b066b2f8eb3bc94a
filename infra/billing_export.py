"""The dataset that Cloud Billing exports to. Switching the export on has no API: the console does it, once.

`plantain cost report --export` reads the table that appears there.
"""

from collections.abc import Mapping

import pulumi
import pulumi_gcp as gcp

from infra.component import Component
from infra.foundation_labels import FoundationLabels
from infra.retention import Retention

DATASET = "billing_export"
API = "bigquery.googleapis.com"
CONSOLE = "https://console.cloud.google.com/billing/{account}/export"
TABLE = "gcp_billing_export_v1_{account}"
"""The table's name is the account's with underscores
(cloud.google.com/billing/docs/how-to/export-data-bigquery-tables, 2026-11)."""


class BillingExport(Component):
    """The dataset, and how the export into it is switched on.

    Attributes:
        outputs: the dataset, the console's address, the table that will appear.
    """

    def __init__(
        self,
        *,
        project: gcp.organizations.Project,
        location: str,
        billing_account: str,
        key: pulumi.Input[str],
        labels: FoundationLabels,
        retention: Retention,
        after: tuple[pulumi.Resource, ...],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("BillingExport", "billing-export", after=after, opts=opts)
        self.dataset = gcp.bigquery.Dataset(
            "billing-export",
            dataset_id=DATASET,
            project=project.project_id,
            location=location,
            description="What Google bills, by project, service and label.",
            default_encryption_configuration=gcp.bigquery.DatasetDefaultEncryptionConfigurationArgs(kms_key_name=key),
            labels=labels.as_labels(),
            delete_contents_on_destroy=retention.force_destroy,
            deletion_policy=retention.bucket,
            opts=self._options(protect=retention.protect),
        )
        table = TABLE.format(account=billing_account.replace("-", "_"))
        self.outputs: Mapping[str, pulumi.Input[str]] = {
            "dataset": self.dataset.id,
            "console": CONSOLE.format(account=billing_account),
            "table": pulumi.Output.concat(project.project_id, f".{DATASET}.{table}"),
        }
        self.register_outputs(dict(self.outputs))
