"""What is counted in the campaign's logs, because no metric of Google's says it.

Each of these is `logging.googleapis.com/user/<name>` in Monitoring and `logging_googleapis_com:user_<name>` in PromQL.
They count from the moment they exist; nothing is counted afterwards.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_gcp as gcp

from infra import naming
from infra.component import Component

PREFIX = "logging.googleapis.com/user/"
OUTCOME = (
    f'resource.type="cloud_run_revision" AND resource.labels.service_name="{naming.FUNCTION}"'
    ' AND jsonPayload.event="outcome"'
)
"""One line of the function for each request for images; see functions/generation/log.py."""
CALLERS_FAULT = '(jsonPayload.class="safety" OR jsonPayload.class="invalid")'
"""Refusals that say nothing about the service."""
VIOLATION = "type.googleapis.com/google.cloud.audit.VpcServiceControlAuditMetadata"


@dataclass(frozen=True)
class LogMetric:
    """One log-based metric.

    Attributes:
        name: its name, also part of a PromQL name, so letters, digits and underscores.
        description: what it counts.
        filter: which entries.
        value: field whose values are gathered into a distribution; "" counts entries.
        unit: of the values.
        labels: what entries are told apart by: label to field.
    """

    name: str
    description: str
    filter: str
    value: str = ""
    unit: str = "1"
    labels: Mapping[str, str] = field(default_factory=dict)


REQUESTS = LogMetric(
    "image_requests",
    "Requests for images by outcome.",
    OUTCOME,
    labels={"class": "jsonPayload.class", "model": "jsonPayload.model"},
)
VALID = LogMetric(
    "image_valid_requests",
    "Requests for images, without those that were the caller's fault.",
    f"{OUTCOME} AND NOT {CALLERS_FAULT}",
)
ANSWERS = LogMetric(
    "image_answers", "Requests for images that were answered.", f"{OUTCOME} AND NOT jsonPayload.class:*"
)
LATENCY = LogMetric(
    "image_latency",
    "Milliseconds until a request for images was answered, those from the bucket left out.",
    f"{OUTCOME} AND NOT jsonPayload.class:* AND NOT jsonPayload.cached=true",
    value="jsonPayload.latencyMs",
    unit="ms",
)
IMAGES = LogMetric(
    "images_accepted",
    "Images made, those from the bucket left out.",
    f"{OUTCOME} AND NOT jsonPayload.class:* AND NOT jsonPayload.cached=true",
    value="jsonPayload.images",
)
COST = LogMetric(
    "image_cost",
    "US dollars a request cost, refused ones included.",
    f"{OUTCOME} AND NOT jsonPayload.cached=true",
    value="jsonPayload.cost.amount",
)
RETIREMENT = LogMetric(
    "model_retires_in_days",
    "Days until the model that was used is retired.",
    OUTCOME,
    value="jsonPayload.modelRetiresInDays",
    unit="d",
    labels={"model": "jsonPayload.model"},
)
DENIALS = LogMetric(
    "perimeter_denials",
    "Calls that the perimeter refused, or would refuse if it were enforced.",
    f'logName:"cloudaudit.googleapis.com%2Fpolicy" AND protoPayload.metadata.@type="{VIOLATION}"',
    labels={"service": "protoPayload.serviceName", "dry_run": "protoPayload.metadata.dryRun"},
)
KEYS = LogMetric(
    "key_destructions",
    "Requests to destroy, disable or change a key version.",
    'logName:"cloudaudit.googleapis.com%2Factivity" AND protoPayload.serviceName="cloudkms.googleapis.com" AND '
    "protoPayload.methodName=~"
    '"(?i)(DestroyCryptoKeyVersion|UpdateCryptoKeyVersion|cryptoKeyVersions\\.(destroy|patch))$"',
    labels={"method": "protoPayload.methodName"},
)
CONFIGURATION = LogMetric(
    "configuration_changes",
    "Changes of what CIS Google Cloud Foundations 3.0, 2.4 to 2.10, wants to be watched.",
    'logName:"cloudaudit.googleapis.com%2Factivity" AND protoPayload.methodName=~'
    '"(?i)(SetIamPolicy|SetIamPermissions|(Create|Update|Delete)(Role|Sink|Exclusion)|(Update|Delete)Bucket'
    '|compute\\.(firewalls|routes|networks)\\.(insert|patch|update|delete))$"',
    labels={"method": "protoPayload.methodName"},
)
REGRESSIONS = LogMetric(
    "audit_regressions",
    "Controls that passed in the audit before and fail in this one: what `plantain audit run --log` writes.",
    'logName:"logs/plantain-audit" AND jsonPayload.event="control-regressed"',
    labels={"control": "jsonPayload.control"},
)
METRICS = (REQUESTS, VALID, ANSWERS, LATENCY, IMAGES, COST, RETIREMENT, DENIALS, KEYS, CONFIGURATION, REGRESSIONS)


class LogMetrics(Component):
    """All of a campaign's log-based metrics.

    Attributes:
        metrics: by name.
    """

    def __init__(
        self,
        name: str,
        *,
        project: gcp.organizations.Project,
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("LogMetrics", name, after=after, opts=opts)
        self.metrics = {
            metric.name: gcp.logging.Metric(
                f"{name}-{metric.name.replace('_', '-')}",
                name=metric.name,
                project=project.project_id,
                description=metric.description,
                filter=metric.filter,
                metric_descriptor=gcp.logging.MetricMetricDescriptorArgs(
                    metric_kind="DELTA",
                    value_type="DISTRIBUTION" if metric.value else "INT64",
                    unit=metric.unit,
                    labels=[
                        gcp.logging.MetricMetricDescriptorLabelArgs(key=label, value_type="STRING")
                        for label in metric.labels
                    ],
                ),
                value_extractor=f"EXTRACT({metric.value})" if metric.value else None,
                label_extractors={label: f"EXTRACT({path})" for label, path in metric.labels.items()} or None,
                deletion_policy="DELETE",
                opts=self._options(delete_before_replace=True),
            )
            for metric in METRICS
        }
        self.register_outputs({})
