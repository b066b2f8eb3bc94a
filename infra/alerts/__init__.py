"""A campaign's alert policies, each with a documented metric and with what to do.

`capacity`, `quality` and `security` say what is watched, as data; here it becomes policies.
"""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_gcp as gcp

from infra import campaign_model, naming
from infra.alerts import capacity, metrics, quality, security
from infra.alerts.policy import CAPACITY, Alert, BurnRate
from infra.component import Component

WINDOW_SECONDS = 60
LASTING_SECONDS = 300
CLOSED_AFTER = "86400s"
INSTANCES = "function-instances"


def watched(campaign: campaign_model.Campaign) -> tuple[Alert, ...]:
    """Everything that alerts of a campaign watch, the function's instances apart."""
    return (*capacity.alerts(campaign), *quality.alerts(campaign), *security.alerts(campaign))


class Alerts(Component):
    """A campaign's alert policies.

    Attributes:
        policies: alert policies by what they watch.
    """

    def __init__(
        self,
        campaign: campaign_model.Campaign,
        *,
        project: gcp.organizations.Project,
        alerts: Sequence[Alert],
        channels: Sequence[gcp.monitoring.NotificationChannel],
        objectives: Mapping[str, gcp.monitoring.Slo],
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the policies.

        Args:
            campaign: its file.
            project: where they live.
            alerts: what is watched, from `watched`.
            channels: who is told.
            objectives: service level objectives by key.
            after: what must exist before.
            opts: options of the component.
        """
        super().__init__("Alerts", campaign.name, after=after, opts=opts)
        self._campaign, self._project = campaign, project
        self._channels = [channel.id for channel in channels]
        instances = capacity.instances(campaign)
        self.policies = {INSTANCES: self._policy(instances, [_instances(campaign)])}
        for alert in alerts:
            if isinstance(alert.conditions, BurnRate):
                conditions = _burn_rates(alert.conditions, objectives)
            else:
                conditions = [query.condition() for query in alert.conditions]
            self.policies[alert.key] = self._policy(alert, conditions)
        self.register_outputs({key: policy.name for key, policy in self.policies.items()})

    def _policy(
        self, alert: Alert, conditions: list[gcp.monitoring.AlertPolicyConditionArgs]
    ) -> gcp.monitoring.AlertPolicy:
        name = self._campaign.name
        return gcp.monitoring.AlertPolicy(
            f"{name}-{alert.key}",
            project=self._project.project_id,
            display_name=f"{name}: {alert.title}",
            combiner="AND" if isinstance(alert.conditions, BurnRate) else "OR",
            severity=alert.severity,
            conditions=conditions,
            alert_strategy=gcp.monitoring.AlertPolicyAlertStrategyArgs(auto_close=CLOSED_AFTER),
            documentation=gcp.monitoring.AlertPolicyDocumentationArgs(
                mime_type="text/markdown", content=alert.runbook(name)
            ),
            notification_channels=self._channels,
            user_labels=self._campaign.labels.as_labels(),
            opts=self._options(),
        )


def _instances(campaign: campaign_model.Campaign) -> gcp.monitoring.AlertPolicyConditionArgs:
    limit = campaign.function.max_instances
    return gcp.monitoring.AlertPolicyConditionArgs(
        display_name=f"More than {CAPACITY * limit:g} of {limit} instances for five minutes",
        condition_threshold=gcp.monitoring.AlertPolicyConditionConditionThresholdArgs(
            filter=(
                f'resource.type = "{metrics.RUN}"'
                f' AND resource.labels.service_name = "{naming.FUNCTION}"'
                f' AND metric.type = "{metrics.INSTANCES}"'
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


def _burn_rates(
    burn: BurnRate, objectives: Mapping[str, gcp.monitoring.Slo]
) -> list[gcp.monitoring.AlertPolicyConditionArgs]:
    return [
        gcp.monitoring.AlertPolicyConditionArgs(
            display_name=f"Error budget is used up {burn.rate:g} times too fast for {window} s",
            condition_threshold=gcp.monitoring.AlertPolicyConditionConditionThresholdArgs(
                filter=pulumi.Output.concat(
                    'select_slo_burn_rate("', objectives[burn.objective].name, f'", "{window}s")'
                ),
                comparison="COMPARISON_GT",
                threshold_value=burn.rate,
                duration="0s",
                trigger=gcp.monitoring.AlertPolicyConditionConditionThresholdTriggerArgs(count=1),
            ),
        )
        for window in burn.windows
    ]
