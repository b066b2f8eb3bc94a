"""Service level objectives: how many requests shall be answered, and how fast, within 28 days."""

from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp

from infra import campaign_model, log_metrics, naming
from infra.component import Component

AVAILABILITY, LATENCY = "availability", "latency"
PERIOD_DAYS = 28
FAST_SHARE = 0.95
MILLISECONDS = 1000


class Objectives(Component):
    """The campaign as a service of Cloud Monitoring, and its objectives.

    Attributes:
        objectives: by key.
    """

    def __init__(
        self,
        campaign: campaign_model.Campaign,
        *,
        project: gcp.organizations.Project,
        metrics: log_metrics.LogMetrics,
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Objectives", campaign.name, after=after, opts=opts)
        labels, wanted = campaign.labels.as_labels(), campaign.objectives
        self.service = gcp.monitoring.CustomService(
            f"{campaign.name}-service",
            project=project.project_id,
            service_id=naming.FUNCTION,
            display_name=f"{campaign.name}: images",
            user_labels=labels,
            deletion_policy="DELETE",
            opts=self._options(delete_before_replace=True),
        )
        self.objectives = {
            AVAILABILITY: gcp.monitoring.Slo(
                f"{campaign.name}-{AVAILABILITY}",
                project=project.project_id,
                service=self.service.service_id,
                slo_id=AVAILABILITY,
                display_name=f"{wanted.success_rate:.2%} of valid requests are answered",
                goal=wanted.success_rate,
                rolling_period_days=PERIOD_DAYS,
                request_based_sli=gcp.monitoring.SloRequestBasedSliArgs(
                    good_total_ratio=gcp.monitoring.SloRequestBasedSliGoodTotalRatioArgs(
                        good_service_filter=_filter(log_metrics.ANSWERS),
                        total_service_filter=_filter(log_metrics.VALID),
                    )
                ),
                user_labels=labels,
                deletion_policy="DELETE",
                opts=self._options(after=list(metrics.metrics.values()), delete_before_replace=True),
            ),
            LATENCY: gcp.monitoring.Slo(
                f"{campaign.name}-{LATENCY}",
                project=project.project_id,
                service=self.service.service_id,
                slo_id=LATENCY,
                display_name=f"{FAST_SHARE:.0%} of images are made within {wanted.latency_seconds} s",
                goal=FAST_SHARE,
                rolling_period_days=PERIOD_DAYS,
                request_based_sli=gcp.monitoring.SloRequestBasedSliArgs(
                    distribution_cut=gcp.monitoring.SloRequestBasedSliDistributionCutArgs(
                        distribution_filter=_filter(log_metrics.LATENCY),
                        range=gcp.monitoring.SloRequestBasedSliDistributionCutRangeArgs(
                            min=0, max=wanted.latency_seconds * MILLISECONDS
                        ),
                    )
                ),
                user_labels=labels,
                deletion_policy="DELETE",
                opts=self._options(after=list(metrics.metrics.values()), delete_before_replace=True),
            ),
        }
        self.register_outputs({key: objective.name for key, objective in self.objectives.items()})


def _filter(metric: log_metrics.LogMetric) -> str:
    return f'metric.type="{log_metrics.PREFIX}{metric.name}" AND resource.type="cloud_run_revision"'
