"""Conditions in PromQL, and burn rates of objectives."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.audit import ENTRIES
from sandbox.cloud import Cloud
from sandbox.errors import InvalidArgument
from sandbox.services.monitoring import promql
from sandbox.services.monitoring.series import record
from tests.sandbox.conftest import Caller

Document = dict[str, Any]
Create = Callable[[str, Document], Document]
COUNT = "run.googleapis.com/request_count"
LATENCIES = "run.googleapis.com/request_latencies"
INSTANCES = "run.googleapis.com/container/instance_count"


@pytest.fixture
def requests(cloud: Cloud, project: str) -> Callable[..., None]:
    """Counts requests of a service by response code."""

    def tell(count: int, code: str = "200", service: str = "images") -> None:
        resource = ("cloud_run_revision", {"service_name": service})
        record(cloud, project, COUNT, count, labels={"response_code": code}, resource=resource)

    return tell


@pytest.fixture
def answer(cloud: Cloud, project: str, url: str) -> Callable[[str], dict[promql.Labels, float]]:
    """What a query answers now."""
    assert url, "the APIs are enabled"

    def ask(query: str) -> dict[promql.Labels, float]:
        from sandbox.services.monitoring.selection import select  # noqa: PLC0415 -- reads as what it is beside its use

        series = select(cloud, project, "")
        evaluator = promql.Evaluator(
            lambda name: [one for one in series if promql.spelled(one.metric["type"]) == name], cloud.clock.now()
        )
        found = evaluator.value(promql.parse(query))
        return {sample.labels: sample.value for sample in promql.samples_of(found)}

    return ask


Ask = Callable[[str], dict[promql.Labels, float]]


def test_metrics_are_spelled_as_cloud_monitoring_does() -> None:
    assert promql.spelled(INSTANCES) == "run_googleapis_com:container_instance_count"
    assert promql.spelled("logging.googleapis.com/user/image_cost") == "logging_googleapis_com:user_image_cost"


def test_growth_is_summed_over_the_window_and_divided_by_it(requests: Callable[..., None], answer: Ask) -> None:
    requests(12)
    requests(3, "429")
    name = "run_googleapis_com:request_count"
    assert answer(f"sum(increase({name}[5m]))") == {(): 15.0}
    assert answer(f'sum by (response_code) (increase({name}{{response_code="429"}}[5m]))') == {
        (("response_code", "429"),): 3.0
    }
    assert answer(f"sum(rate({name}[1m]))") == {(): 0.25}
    assert answer(f'sum(increase({name}{{response_code=~"4.."}}[5m])) / sum(increase({name}[5m])) > 0.1') == {(): 0.2}
    assert answer(f"sum(increase({name}[5m])) > 100") == {}
    assert answer(f'sum(increase({name}{{monitored_resource="cloud_run_revision",service_name!="images"}}[5m]))') == {}


def test_what_is_older_than_the_window_does_not_count(cloud: Cloud, requests: Callable[..., None], answer: Ask) -> None:
    requests(12)
    cloud.clock.advance(600)
    assert answer("sum(increase(run_googleapis_com:request_count[5m]))") == {}


def test_two_sides_are_matched_by_equal_labels(requests: Callable[..., None], answer: Ask) -> None:
    requests(6, "200", "images")
    requests(8, "200", "other")
    name = "increase(run_googleapis_com:request_count[5m])"
    assert answer(f"sum by (service_name) ({name}) / max by (service_name) ({name} > 7)") == {
        (("service_name", "other"),): 1.0
    }


def test_quantiles_sums_and_counts_of_distributions(cloud: Cloud, project: str, answer: Ask) -> None:
    resource = ("cloud_run_revision", {"service_name": "images"})
    record(cloud, project, LATENCIES, [100.0] * 95 + [9000.0] * 5, resource=resource)
    name = "run_googleapis_com:request_latencies"
    assert answer(f"sum(increase({name}_count[5m]))") == {(): 100.0}
    assert answer(f"sum(increase({name}_sum[5m]))") == {(): pytest.approx(54_500)}
    (middle,) = answer(f"histogram_quantile(0.5, sum by (le) (increase({name}_bucket[5m])))").values()
    (late,) = answer(f"histogram_quantile(0.99, sum by (le) (increase({name}_bucket[5m])))").values()
    assert 50 < middle < 200
    assert 4000 < late < 20_000


def test_numbers_time_and_vectors(cloud: Cloud, answer: Ask) -> None:
    now = cloud.clock.now().timestamp()
    assert answer("time() - 60") == {(): pytest.approx(now - 60)}
    assert answer("vector(1) * -2") == {(): -2.0}
    assert answer("vector(1) > 2") == {}
    assert math.isinf(answer("vector(1) / 0")[()])


@pytest.mark.parametrize(
    "query",
    [
        "sum(",
        "topk(3, a)",
        "absent(a)",
        "a and b",
        "a[5m:1m]",
        "deriv(a[5m])",
        "label_replace(a, 'x', '$1', 'y', '(.*)')",
    ],
)
def test_what_cannot_be_evaluated_is_refused_when_it_is_written(query: str) -> None:
    with pytest.raises(InvalidArgument, match="Field query had an invalid value"):
        promql.check(query)


def test_an_incident_needs_the_answer_at_every_evaluation_within_the_duration(
    admin: Caller, url: str, cloud: Cloud, project: str, create: Create
) -> None:
    condition = {
        "query": 'sum(run_googleapis_com:container_instance_count{service_name="images"}) > 8',
        "duration": "180s",
        "evaluationInterval": "60s",
    }
    body = {"displayName": "too many", "combiner": "OR"}
    create(
        "alertPolicies", {**body, "conditions": [{"displayName": "c", "conditionPrometheusQueryLanguage": condition}]}
    )
    states = []
    for count in (9, 2, 9, 9, 9, 9, 3):
        cloud.clock.advance(60)
        record(cloud, project, INSTANCES, count, resource=("cloud_run_revision", {"service_name": "images"}))
        states.append([alert["state"] for alert in admin("GET", f"{url}/alerts")[1].get("alerts", [])])
    assert states == [[], [], [], [], [], ["OPEN"], ["CLOSED"]]


def test_a_policy_with_a_query_that_is_none_is_refused(admin: Caller, url: str) -> None:
    condition = {"displayName": "c", "conditionPrometheusQueryLanguage": {"query": "sum("}}
    status, answer = admin(
        "POST", f"{url}/alertPolicies", {"displayName": "d", "combiner": "OR", "conditions": [condition]}
    )
    assert status == 400
    assert "Field query had an invalid value" in answer["error"]["message"]


@pytest.fixture
def objective(admin: Caller, project: str, create: Create) -> str:
    """Of 100 requests 99 shall be answered; requests are counted from the log."""
    for name, text in (("good", 'jsonPayload.ok="yes"'), ("every", "jsonPayload.ok:*")):
        status, made = admin(
            "POST",
            f"/logging/v2/projects/{project}/metrics",
            {"name": name, "filter": text, "metricDescriptor": {"metricKind": "DELTA", "valueType": "INT64"}},
        )
        assert status == 200, made
    create("services?serviceId=images", {"displayName": "images", "custom": {}})
    ratio = {
        "goodServiceFilter": 'metric.type="logging.googleapis.com/user/good" AND resource.type="cloud_run_revision"',
        "totalServiceFilter": 'metric.type="logging.googleapis.com/user/every" AND resource.type="cloud_run_revision"',
    }
    made = create(
        "services/images/serviceLevelObjectives?serviceLevelObjectiveId=availability",
        {
            "goal": 0.99,
            "rollingPeriod": "2419200s",
            "serviceLevelIndicator": {"requestBased": {"goodTotalRatio": ratio}},
        },
    )
    return str(made["name"])


def test_an_error_budget_that_burns_too_fast_opens_an_incident(
    admin: Caller, url: str, cloud: Cloud, project: str, create: Create, objective: str
) -> None:
    threshold = {
        "filter": f'select_slo_burn_rate("{objective}", "3600s")',
        "comparison": "COMPARISON_GT",
        "thresholdValue": 14.4,
        "duration": "0s",
    }
    body = {"displayName": "burning", "combiner": "OR"}
    create("alertPolicies", {**body, "conditions": [{"displayName": "c", "conditionThreshold": threshold}]})

    def said(good: int, bad: int) -> list[str]:
        for number in range(good + bad):
            entry = {
                "logName": f"projects/{project}/logs/x",
                "resource": {"type": "cloud_run_revision", "labels": {}},
                "timestamp": cloud.clock.timestamp(),
                "receiveTimestamp": cloud.clock.timestamp(),
                "insertId": f"{cloud.clock.timestamp()}{number}",
                "jsonPayload": {"ok": "yes" if number < good else "no"},
            }
            cloud.store.put(ENTRIES, f"projects/{project}/entries/{entry['insertId']}", entry)
        cloud.clock.advance(60)
        return [alert["state"] for alert in admin("GET", f"{url}/alerts")[1].get("alerts", [])]

    assert said(9, 1) == [], "a tenth of failures burns ten times too fast, which is not yet too fast here"
    assert said(0, 2) == ["OPEN"]
    cloud.clock.advance(3600)
    assert said(10, 0) == ["CLOSED"]


def test_a_burn_rate_of_no_objective_is_refused(admin: Caller, url: str, project: str) -> None:
    text = f'select_slo_burn_rate("projects/{project}/services/images/serviceLevelObjectives/none", "3600s")'
    threshold = {"filter": text, "comparison": "COMPARISON_GT", "thresholdValue": 1, "duration": "0s"}
    condition = {"displayName": "c", "conditionThreshold": threshold}
    body = {"displayName": "d", "combiner": "OR", "conditions": [condition]}
    status, answer = admin("POST", f"{url}/alertPolicies", body)
    assert status == 400
    assert "The service level objective does not exist." in answer["error"]["message"]
