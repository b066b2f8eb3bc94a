"""One dashboard over all campaigns, in a project of the platform team."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from infra.alerts import metrics
from sandbox.services.monitoring import promql
from tests.infra.stacks import make_campaign, record

if TYPE_CHECKING:
    from pathlib import Path


def test_every_campaign_is_seen_by_the_scoping_project(root: Path) -> None:
    campaigns = [make_campaign("autumn"), make_campaign("summer")]
    stack = record(root, campaigns, monitoringProject="plantain-monitoring")
    members = [member.inputs for member in stack.of_type("monitoring/monitoredProject:MonitoredProject")]
    assert {member["name"] for member in members} == {"autumn-0a1b2c3", "summer-0a1b2c3"}
    assert {member["metricsScope"] for member in members} == {"locations/global/metricsScopes/plantain-monitoring"}
    assert stack.named("monitoring/dashboard:Dashboard", "overview").inputs["project"] == "plantain-monitoring"


def test_it_asks_only_for_metrics_that_exist_and_tells_campaigns_apart(root: Path) -> None:
    stack = record(root, monitoringProject="plantain-monitoring")
    document = json.loads(stack.named("monitoring/dashboard:Dashboard", "overview").inputs["dashboardJson"])
    known = {promql.spelled(metric) for metric in metrics.RESOURCES}
    for tile in document["mosaicLayout"]["tiles"]:
        query = tile["widget"]["xyChart"]["dataSets"][0]["timeSeriesQuery"]["prometheusQuery"]
        promql.check(query)
        assert re.search(r"by \((project_id|resource_container)", query)
        for name in re.findall(r"[a-z_]+:[a-z_]+", query):
            assert name in known or re.sub(r"_(bucket|sum|count)$", "", name) in known


def test_without_one_there_is_none(root: Path) -> None:
    stack = record(root)
    assert stack.of_type("monitoring/monitoredProject:MonitoredProject") == []
    assert len(stack.of_type("monitoring/dashboard:Dashboard")) == 1
