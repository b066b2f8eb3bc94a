"""One dashboard over all campaigns: a project of the platform team sees the series of each, side by side.

The project is not made here. Its Monitoring gathers the campaigns' (a metrics scope), and nothing is copied: who may
look at it there still needs to be let in there only.
"""

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_gcp as gcp

from infra import log_metrics, naming
from infra.alerts import metrics
from infra.component import Component
from infra.dashboard import COLUMNS, HEIGHT, chart

WIDTH = 6


class Overview(Component):
    """The campaigns of a stack in a scoping project.

    Attributes:
        dashboard: the dashboard over all of them.
    """

    def __init__(
        self,
        *,
        project: str,
        stack: str,
        campaigns: Mapping[str, gcp.organizations.Project],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Gather campaigns.

        Args:
            project: id of the scoping project, in which the Monitoring API is enabled.
            stack: name of the stack, part of the dashboard's.
            campaigns: their projects by name.
            opts: options of the component.
        """
        super().__init__("Overview", "overview", opts=opts)
        self.members = [
            gcp.monitoring.MonitoredProject(
                f"{name}-monitored",
                metrics_scope=f"locations/global/metricsScopes/{project}",
                name=campaign.project_id,
                deletion_policy="DELETE",
                opts=self._options(),
            )
            for name, campaign in campaigns.items()
        ]
        self.dashboard = gcp.monitoring.Dashboard(
            "overview",
            project=project,
            dashboard_json=document(stack),
            deletion_policy="DELETE",
            opts=self._options(),
        )
        self.register_outputs({"dashboard": self.dashboard.id})


def document(stack: str) -> str:
    """The dashboard: each question once, answered for each campaign's project."""
    requests = metrics.log_metric(log_metrics.REQUESTS)
    every = metrics.increase(requests, "1h")
    safe = metrics.increase(requests, "1h", 'class="safety"')
    cost = metrics.increase(metrics.log_metric(log_metrics.COST), "1d", suffix="_sum")
    images = metrics.increase(metrics.log_metric(log_metrics.IMAGES), "1d", suffix="_sum")
    valid = metrics.increase(metrics.log_metric(log_metrics.VALID), "1h")
    answers = metrics.increase(metrics.log_metric(log_metrics.ANSWERS), "1h")
    latency = metrics.increase(metrics.log_metric(log_metrics.LATENCY), "1h", suffix="_bucket")
    running = metrics.latest(metrics.INSTANCES, f'service_name="{naming.FUNCTION}"')
    refused = metrics.increase(metrics.INVOCATIONS, "1h", 'response_code="429"')
    denials = metrics.increase(metrics.log_metric(log_metrics.DENIALS), "1h")
    by = "by (project_id)"
    questions = {
        "Images a day": f"sum {by} ({images})",
        "Cost a day in US dollars": f"sum {by} ({cost})",
        "Cost of an accepted image": f"sum {by} ({cost}) / (sum {by} ({images}) > 0)",
        "Share of valid requests answered": f"sum {by} ({answers}) / (sum {by} ({valid}) > 0)",
        "95th percentile of the time for an image": f"histogram_quantile(0.95, sum by (project_id, le) ({latency}))",
        "Share of requests refused for safety": f"sum {by} ({safe}) / (sum {by} ({every}) > 0)",
        "Requests refused for want of capacity": f"sum by (resource_container) ({refused})",
        "Instances": f"sum {by} ({running})",
        "Calls refused by the perimeter": f"sum {by} ({denials})",
        "Waiting tasks": f"sum {by} ({metrics.latest(metrics.QUEUE_DEPTH)})",
    }
    tiles: list[dict[str, Any]] = [
        {
            "xPos": index * WIDTH % COLUMNS,
            "yPos": index * WIDTH // COLUMNS * HEIGHT,
            "width": WIDTH,
            "height": HEIGHT,
            "widget": chart(title, promql),
        }
        for index, (title, promql) in enumerate(questions.items())
    ]
    content = {"displayName": f"Plantain: all of {stack}", "mosaicLayout": {"columns": COLUMNS, "tiles": tiles}}
    return json.dumps(content, sort_keys=True)
