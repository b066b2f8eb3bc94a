from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.cloud import Cloud
from sandbox.services.monitoring.series import record
from tests.sandbox.conftest import Caller

Document = dict[str, Any]
INSTANCES = "run.googleapis.com/container/instance_count"


@pytest.fixture
def instances(cloud: Cloud, project: str) -> Callable[..., None]:
    """Says how many instances a service has, by state."""

    def tell(count: int, state: str = "active", service: str = "images") -> None:
        resource = ("cloud_run_revision", {"service_name": service})
        record(cloud, project, INSTANCES, count, labels={"state": state}, resource=resource)

    return tell


@pytest.fixture
def states(admin: Caller, url: str) -> Callable[[], list[str]]:
    """States of all incidents, newest first."""
    return lambda: [alert["state"] for alert in admin("GET", f"{url}/alerts")[1].get("alerts", [])]


def test_an_incident_opens_above_the_threshold_and_closes_below(
    admin: Caller,
    url: str,
    cloud: Cloud,
    create: Callable[[str, Document], Document],
    policy: Callable[..., Document],
    instances: Callable[..., None],
    states: Callable[[], list[str]],
) -> None:
    made = create("alertPolicies", {**policy(), "severity": "WARNING", "userLabels": {"campaign": "c"}})
    instances(8)
    assert states() == []
    cloud.clock.advance(60)
    instances(9)
    assert states() == ["OPEN"]
    assert states() == ["OPEN"]
    (alert,) = admin("GET", f"{url}/alerts", params={"filter": 'state="OPEN"'})[1]["alerts"]
    assert alert["policy"] == {
        "name": made["name"],
        "displayName": "too many",
        "userLabels": {"campaign": "c"},
        "severity": "WARNING",
    }
    assert (alert["metric"]["type"], alert["resource"]["labels"]["service_name"]) == (INSTANCES, "images")
    cloud.clock.advance(60)
    instances(3)
    assert states() == ["CLOSED"]
    assert admin("GET", f"/monitoring/v3/{alert['name']}")[1]["closeTime"] > alert["openTime"]


def test_a_sum_over_states_counts_all_of_them(
    create: Callable[[str, Document], Document],
    policy: Callable[..., Document],
    instances: Callable[..., None],
    states: Callable[[], list[str]],
) -> None:
    step = {
        "alignmentPeriod": "60s",
        "perSeriesAligner": "ALIGN_MAX",
        "crossSeriesReducer": "REDUCE_SUM",
        "groupByFields": ["resource.labels.service_name"],
    }
    create("alertPolicies", policy(aggregations=[step]))
    instances(5, "active")
    instances(3, "idle")
    assert states() == []
    instances(3, "active", "other")
    assert states() == []
    instances(4, "idle")
    assert states() == ["OPEN"]


def test_a_duration_must_be_exceeded_throughout(
    cloud: Cloud,
    create: Callable[[str, Document], Document],
    policy: Callable[..., Document],
    instances: Callable[..., None],
    states: Callable[[], list[str]],
) -> None:
    create("alertPolicies", policy(duration="180s"))
    for count in (9, 2, 9, 9):
        cloud.clock.advance(60)
        instances(count)
    assert states() == []
    cloud.clock.advance(60)
    instances(9)
    cloud.clock.advance(60)
    instances(9)
    assert states() == ["OPEN"]


def test_a_ratio_divides_by_its_denominator(
    cloud: Cloud,
    project: str,
    create: Callable[[str, Document], Document],
    policy: Callable[..., Document],
    states: Callable[[], list[str]],
) -> None:
    requests = 'metric.type="run.googleapis.com/request_count"'
    step = {"alignmentPeriod": "300s", "perSeriesAligner": "ALIGN_SUM", "crossSeriesReducer": "REDUCE_SUM"}
    create(
        "alertPolicies",
        policy(
            f'{requests} AND metric.labels.response_code_class="5xx"',
            thresholdValue=0.1,
            aggregations=[step],
            denominatorFilter=requests,
            denominatorAggregations=[step],
        ),
    )

    def served(count: int, kind: str) -> None:
        resource = ("cloud_run_revision", {"service_name": "images"})
        labels = {"response_code_class": kind}
        record(cloud, project, "run.googleapis.com/request_count", count, labels=labels, resource=resource)

    served(95, "2xx")
    served(5, "5xx")
    assert states() == []
    served(10, "5xx")
    assert states() == ["OPEN"]


def test_silence_opens_an_incident_of_absence(
    cloud: Cloud,
    create: Callable[[str, Document], Document],
    policy: Callable[..., Document],
    instances: Callable[..., None],
    states: Callable[[], list[str]],
) -> None:
    absence = {"filter": f'metric.type="{INSTANCES}"', "duration": "600s"}
    create("alertPolicies", {**policy(), "conditions": [{"displayName": "a", "conditionAbsent": absence}]})
    assert states() == []
    instances(1)
    assert states() == []
    cloud.clock.advance(601)
    assert states() == ["OPEN"]
    instances(1)
    assert states() == ["CLOSED"]


def test_a_log_entry_opens_an_incident(
    admin: Caller,
    cloud: Cloud,
    project: str,
    create: Callable[[str, Document], Document],
    policy: Callable[..., Document],
    states: Callable[[], list[str]],
) -> None:
    match = {"filter": "severity>=CRITICAL"}
    create(
        "alertPolicies",
        {
            **policy(),
            "conditions": [{"displayName": "m", "conditionMatchedLog": match}],
            "alertStrategy": {"notificationRateLimit": {"period": "300s"}},
        },
    )
    assert states() == []
    entry = {"logName": f"projects/{project}/logs/app", "resource": {"type": "global"}, "severity": "ALERT"}
    assert admin("POST", "/logging/v2/entries:write", {"entries": [entry]})[0] == 200
    assert states() == ["OPEN"]
    cloud.clock.advance(301)
    assert states() == ["CLOSED"]


def test_both_conditions_must_hold_when_combined_with_and(
    cloud: Cloud,
    create: Callable[[str, Document], Document],
    policy: Callable[..., Document],
    instances: Callable[..., None],
    states: Callable[[], list[str]],
) -> None:
    first = policy()["conditions"][0]
    second = {**policy(thresholdValue=20)["conditions"][0], "displayName": "many more"}
    create("alertPolicies", {**policy(), "combiner": "AND", "conditions": [first, second]})
    instances(9)
    assert states() == []
    cloud.clock.advance(1)
    instances(21)
    assert states() == ["OPEN"]


def test_a_disabled_policy_opens_nothing(
    create: Callable[[str, Document], Document],
    policy: Callable[..., Document],
    instances: Callable[..., None],
    states: Callable[[], list[str]],
) -> None:
    create("alertPolicies", {**policy(), "enabled": False})
    instances(99)
    assert states() == []
