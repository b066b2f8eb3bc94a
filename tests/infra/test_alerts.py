"""Somebody is told at 85 % of what a campaign may use, by metrics that exist, with what to do."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from infra.alerts import capacity, metrics, watched
from infra.alerts.policy import BurnRate
from infra.log_metrics import METRICS, OUTCOME, PREFIX
from sandbox.services.monitoring import promql
from tests.infra.stacks import make_campaign, record

if TYPE_CHECKING:
    from pathlib import Path

    from infra.alerts.policy import Alert
    from tests.infra.recording_engine import Recording

POLICY = "monitoring/alertPolicy:AlertPolicy"
CHANNEL = "monitoring/notificationChannel:NotificationChannel"
BOUGHT: dict[str, Any] = {"capacity": {"provisionedUnits": 3, "imagesPerMinute": 200}}


def every_alert() -> tuple[Alert, ...]:
    """All alerts a campaign can have."""
    return watched(make_campaign(**BOUGHT))


def queries() -> list[str]:
    return [query.text for alert in every_alert() if isinstance(alert.conditions, tuple) for query in alert.conditions]


@pytest.fixture(scope="module")
def stack(root: Path) -> Recording:
    return record(root)


def policy(stack: Recording, key: str) -> dict[str, Any]:
    return stack.named(POLICY, f"spring-launch-{key}").inputs


class TestMetrics:
    """An invented metric makes an alert that never fires."""

    def test_every_name_in_a_query_is_a_metric_from_the_list(self) -> None:
        known = {promql.spelled(metric) for metric in metrics.RESOURCES}
        asked = {name for query in queries() for name in re.findall(r"[a-z_]+:[a-z_]+", query)}
        bare = {re.sub(r"_(bucket|sum|count)$", "", name) if name not in known else name for name in asked}
        assert len(asked) > 10
        assert bare <= known

    @pytest.mark.parametrize("query", queries())
    def test_every_query_is_promql_that_can_be_evaluated(self, query: str) -> None:
        promql.check(query)

    def test_every_log_metric_is_made_and_asked_for(self, stack: Recording) -> None:
        made = {metric.inputs["name"] for metric in stack.of_type("logging/metric:Metric")}
        assert made == {metric.name for metric in METRICS}
        objectives = json.dumps([slo.inputs for slo in stack.of_type("monitoring/slo:Slo")])
        text = "\n".join(queries()) + objectives
        assert [name for name in made if name not in text] == []

    def test_log_metrics_extract_what_the_function_writes(self) -> None:
        fields = {"class", "model", "latencyMs", "images", "cost.amount", "modelRetiresInDays"}
        extracted = {
            path.removeprefix("jsonPayload.")
            for metric in METRICS
            if metric.filter.startswith(OUTCOME)
            for path in [metric.value, *metric.labels.values()]
            if path.startswith("jsonPayload.")
        }
        assert extracted == fields

    def test_no_prompt_can_get_into_a_metric(self) -> None:
        assert not any("prompt" in json.dumps([metric.filter, metric.value]) for metric in METRICS)


class TestCapacity:
    def test_instances_are_watched_at_85_percent_of_the_campaigns(self, root: Path) -> None:
        stack = record(root, [make_campaign(function={"maxInstances": 20})])
        (condition,) = policy(stack, "function-instances")["conditions"]
        threshold = condition["conditionThreshold"]
        assert threshold["thresholdValue"] == pytest.approx(17)
        assert threshold["comparison"] == "COMPARISON_GT"
        assert 'metric.type = "run.googleapis.com/container/instance_count"' in threshold["filter"]
        assert threshold["aggregations"][0]["crossSeriesReducer"] == "REDUCE_SUM"

    @pytest.mark.parametrize(
        ("key", "limit"),
        [("images-per-minute", 170), ("function-concurrency", 6.8), ("model-quota", 0.85), ("quotas", 0.85)],
    )
    def test_each_ceiling_is_watched_at_85_percent(self, root: Path, key: str, limit: float) -> None:
        inputs = policy(record(root, [make_campaign(**BOUGHT)]), key)
        query = inputs["conditions"][0]["conditionPrometheusQueryLanguage"]["query"]
        assert float(query.rpartition(" > ")[2]) == pytest.approx(limit)

    def test_provisioned_throughput_is_watched_only_where_some_was_bought(self, root: Path, stack: Recording) -> None:
        names = {found.name for found in stack.of_type(POLICY)}
        assert not names & {"spring-launch-provisioned-throughput", "spring-launch-spillover"}
        query = policy(record(root, [make_campaign(**BOUGHT)]), "provisioned-throughput")["conditions"][0]
        assert 'request_type="dedicated"' in query["conditionPrometheusQueryLanguage"]["query"]
        assert "[410s]" in query["conditionPrometheusQueryLanguage"]["query"], "three units are judged over 410 s"

    @pytest.mark.parametrize(("units", "seconds"), [(1, 1230), (5, 245), (7, 175), (244, 10), (245, 5), (1000, 5)])
    def test_the_window_follows_from_the_units(self, units: int, seconds: int) -> None:
        assert capacity.window(units) == seconds

    def test_a_campaign_without_a_queue_has_no_alert_on_one(self) -> None:
        keys = {alert.key for alert in watched(make_campaign(queue={"enabled": False}))}
        assert "queue-depth" not in keys


class TestPolicies:
    def test_a_policy_is_accepted_before_its_metric_was_ever_written(self, stack: Recording) -> None:
        conditions = [
            condition["conditionPrometheusQueryLanguage"]
            for found in stack.of_type(POLICY)
            for condition in found.inputs["conditions"]
            if "conditionPrometheusQueryLanguage" in condition
        ]
        assert len(conditions) > 10
        assert all(condition["disableMetricValidation"] for condition in conditions)

    def test_every_alert_says_what_follows_and_what_to_do(self, stack: Recording) -> None:
        for found in stack.of_type(POLICY):
            text = found.inputs["documentation"]["content"]
            assert text.startswith("Campaign **spring-launch**: ")
            assert "\n1. " in text, found.name
            assert "\n2. " in text, found.name

    def test_everybody_is_told_of_everything(self, stack: Recording) -> None:
        channels = len(stack.of_type(CHANNEL))
        assert {len(found.inputs["notificationChannels"]) for found in stack.of_type(POLICY)} == {channels}

    def test_what_alerts_watch_is_on_the_dashboard_with_its_limit(self, stack: Recording) -> None:
        document = json.loads(stack.only("monitoring/dashboard:Dashboard").inputs["dashboardJson"])
        widgets = [tile["widget"] for tile in document["mosaicLayout"]["tiles"]]
        drawn = [widget["xyChart"]["dataSets"][0]["timeSeriesQuery"]["prometheusQuery"] for widget in widgets]
        for alert in watched(make_campaign()):
            for query in alert.conditions if isinstance(alert.conditions, tuple) else ():
                assert query.promql in drawn
        places = {(tile["xPos"], tile["yPos"]) for tile in document["mosaicLayout"]["tiles"]}
        assert len(places) == len(widgets), "tiles lie over each other"


class TestObjectives:
    def test_a_burn_rate_must_be_exceeded_over_all_its_windows(self, stack: Recording) -> None:
        for key, windows in (("success-fast", ("3600s", "300s")), ("success-slow", ("21600s", "1800s"))):
            inputs = policy(stack, key)
            assert inputs["combiner"] == "AND"
            filters = [condition["conditionThreshold"]["filter"] for condition in inputs["conditions"]]
            assert [text.split('"')[3] for text in filters] == list(windows)
            assert all(text.startswith('select_slo_burn_rate("') for text in filters)

    def test_what_is_the_callers_fault_does_not_count(self, stack: Recording) -> None:
        objective = stack.named("monitoring/slo:Slo", "spring-launch-availability").inputs
        ratio = objective["requestBasedSli"]["goodTotalRatio"]
        assert f"{PREFIX}image_valid_requests" in ratio["totalServiceFilter"]
        valid = stack.named("logging/metric:Metric", "spring-launch-image-valid-requests").inputs["filter"]
        assert 'NOT (jsonPayload.class="safety" OR jsonPayload.class="invalid")' in valid

    def test_objectives_come_after_the_metrics_they_count(self, stack: Recording) -> None:
        counted = {metric.urn for metric in stack.of_type("logging/metric:Metric")}
        for objective in stack.of_type("monitoring/slo:Slo"):
            assert counted <= stack.ancestors(objective)

    def test_an_alert_names_an_objective_that_exists(self, stack: Recording) -> None:
        objectives = {found.inputs["sloId"] for found in stack.of_type("monitoring/slo:Slo")}
        burns = [alert.conditions for alert in every_alert() if isinstance(alert.conditions, BurnRate)]
        assert burns
        assert {burn.objective for burn in burns} <= objectives
