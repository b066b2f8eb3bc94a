"""A dashboard with everything that alerts watch, each beside its limit."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import pulumi
import pulumi_gcp as gcp

from infra import campaign_model, log_metrics, naming
from infra.alerts import metrics
from infra.alerts.policy import Alert
from infra.component import Component

COLUMNS, WIDTH, HEIGHT = 12, 4, 4


class Dashboard(Component):
    """The dashboard of one campaign.

    Attributes:
        dashboard: the dashboard.
    """

    def __init__(
        self,
        campaign: campaign_model.Campaign,
        *,
        project: gcp.organizations.Project,
        alerts: Sequence[Alert],
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Dashboard", campaign.name, after=after, opts=opts)
        self.dashboard = gcp.monitoring.Dashboard(
            f"{campaign.name}-dashboard",
            project=project.project_id,
            dashboard_json=document(campaign, alerts),
            deletion_policy="DELETE",
            opts=self._options(),
        )
        self.register_outputs({"dashboard": self.dashboard.id})


def document(campaign: campaign_model.Campaign, alerts: Iterable[Alert]) -> str:
    """The dashboard as the API takes it (cloud.google.com/monitoring/api/ref_v3/rest/v1/projects.dashboards)."""
    outcomes = metrics.increase(metrics.log_metric(log_metrics.REQUESTS), "5m")
    instances = metrics.latest(metrics.INSTANCES, f'service_name="{naming.FUNCTION}"')
    widgets = [
        chart("Requests for images by outcome", f"sum by (class) ({outcomes})"),
        chart(
            "Instances",
            f"sum by (state) ({instances})",
            campaign.function.max_instances,
        ),
        *(
            chart(query.title, query.promql, query.limit)
            for alert in alerts
            if isinstance(alert.conditions, tuple)
            for query in alert.conditions
        ),
    ]
    tiles = [
        {
            "xPos": index * WIDTH % COLUMNS,
            "yPos": index * WIDTH // COLUMNS * HEIGHT,
            "width": WIDTH,
            "height": HEIGHT,
            "widget": widget,
        }
        for index, widget in enumerate(widgets)
    ]
    return json.dumps(
        {
            "displayName": f"Plantain: {campaign.name}",
            "mosaicLayout": {"columns": COLUMNS, "tiles": tiles},
        },
        sort_keys=True,
    )


def chart(title: str, promql: str, limit: float | None = None) -> dict[str, Any]:
    """A line chart of a PromQL query, with a limit drawn into it where there is one."""
    return {
        "title": title,
        "xyChart": {
            "dataSets": [{"plotType": "LINE", "timeSeriesQuery": {"prometheusQuery": promql}}],
            **({"thresholds": [{"value": limit}]} if limit else {}),
        },
    }
