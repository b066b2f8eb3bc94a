"""Who is told, and when: at 85 % of what a campaign may use.

The model has no fixed quota on pay-as-you-go, so an alert on its quota would never fire. What does run out is the
function: its instances are limited on purpose, and beyond the limit requests wait and then fail.
"""

from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp

from infra import campaign_model, naming
from infra.component import Component

CAPACITY = 0.85
INSTANCES = "run.googleapis.com/container/instance_count"
"""Instances by state (cloud.google.com/monitoring/api/metrics_gcp_p_z, 2026-11)."""
WINDOW_SECONDS = 60
LASTING_SECONDS = 300


class Alerts(Component):
    """A campaign's notification channels and alert policies.

    Attributes:
        channels: one for each contact.
        policies: alert policies by what they watch.
    """

    def __init__(
        self,
        campaign: campaign_model.Campaign,
        *,
        project: gcp.organizations.Project,
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Alerts", campaign.name, after=after, opts=opts)
        labels = campaign.labels.as_labels()
        self.channels = [
            gcp.monitoring.NotificationChannel(
                f"{campaign.name}-{contact}",
                project=project.project_id,
                type="email",
                display_name=f"{campaign.name}: {contact}",
                labels={"email_address": contact},
                user_labels=labels,
                # A channel that a policy still names cannot be deleted otherwise.
                force_delete=True,
                opts=self._options(),
            )
            for contact in campaign.contacts
        ]
        limit = campaign.function.max_instances
        self.policies = {
            "function-instances": gcp.monitoring.AlertPolicy(
                f"{campaign.name}-function-instances",
                project=project.project_id,
                display_name=f"{campaign.name}: function instances over {CAPACITY:.0%} of {limit}",
                combiner="OR",
                severity="WARNING",
                conditions=[
                    gcp.monitoring.AlertPolicyConditionArgs(
                        display_name=f"More than {CAPACITY * limit:g} of {limit} instances for five minutes",
                        condition_threshold=gcp.monitoring.AlertPolicyConditionConditionThresholdArgs(
                            filter=(
                                'resource.type = "cloud_run_revision"'
                                f' AND resource.labels.service_name = "{naming.FUNCTION}"'
                                f' AND metric.type = "{INSTANCES}"'
                            ),
                            comparison="COMPARISON_GT",
                            threshold_value=CAPACITY * limit,
                            duration=f"{LASTING_SECONDS}s",
                            aggregations=[
                                # Active and idle instances are two series, and both count towards the limit.
                                gcp.monitoring.AlertPolicyConditionConditionThresholdAggregationArgs(
                                    alignment_period=f"{WINDOW_SECONDS}s",
                                    per_series_aligner="ALIGN_MAX",
                                    cross_series_reducer="REDUCE_SUM",
                                    group_by_fields=["resource.labels.service_name"],
                                )
                            ],
                            trigger=gcp.monitoring.AlertPolicyConditionConditionThresholdTriggerArgs(count=1),
                        ),
                    )
                ],
                alert_strategy=gcp.monitoring.AlertPolicyAlertStrategyArgs(auto_close="86400s"),
                documentation=gcp.monitoring.AlertPolicyDocumentationArgs(
                    mime_type="text/markdown", content=_runbook(campaign)
                ),
                notification_channels=[channel.id for channel in self.channels],
                user_labels=labels,
                opts=self._options(),
            )
        }
        self.register_outputs({key: policy.name for key, policy in self.policies.items()})


def _runbook(campaign: campaign_model.Campaign) -> str:
    size = campaign.function
    return f"""\
The image function of campaign **{campaign.name}** runs more than {CAPACITY:.0%} of its {size.max_instances} instances.
Beyond the limit requests wait for an instance and fail with 429 when none becomes free.

1. Look for one caller with far more requests than before: log query
   `resource.type="cloud_run_revision" severity>=INFO`, grouped by `jsonPayload.model`.
2. Look at the latency of the model: slow answers hold instances. If it has grown, the model is short of capacity
   and more instances do not help.
3. Otherwise raise `function.maxInstances` in `campaigns/{campaign.name}.yaml` and run `pulumi up`.
   Each instance needs an address of the subnet `{campaign.network.ip_range}`.
"""
