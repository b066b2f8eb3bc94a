from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.cloud import Cloud
from sandbox.services.monitoring import log_series
from sandbox.services.monitoring.series import record
from tests.sandbox.conftest import Caller

Document = dict[str, Any]
TYPE = "custom.googleapis.com/plantain/images"


def moment(minutes: float) -> str:
    """A time so many minutes ago."""
    return (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()


@pytest.fixture
def write(admin: Caller, url: str) -> Callable[..., tuple[int, Document]]:
    """Write one point of a gauge."""

    def point(value: float, minutes: float = 0, kind: str = TYPE, **labels: str) -> tuple[int, Document]:
        series = {
            "metric": {"type": kind, "labels": labels},
            "resource": {"type": "global"},
            "points": [{"interval": {"endTime": moment(minutes)}, "value": {"doubleValue": value}}],
        }
        return admin("POST", f"{url}/timeSeries", {"timeSeries": [series]})

    return point


@pytest.fixture
def read(admin: Caller, url: str) -> Callable[..., list[Document]]:
    """Series of the last hour."""

    def series(text: str = f'metric.type="{TYPE}"', **aggregation: Any) -> list[Document]:
        params = {"filter": text, "interval.startTime": moment(60), "interval.endTime": moment(0)}
        params |= {f"aggregation.{key}": value for key, value in aggregation.items()}
        status, body = admin("GET", f"{url}/timeSeries", params=params)
        assert status == 200, body
        return list(body.get("timeSeries", []))

    return series


def values(series: Document) -> list[float]:
    return [float(next(iter(point["value"].values()))) for point in series["points"]]


def test_points_come_back_newest_first_and_define_their_metric(
    admin: Caller, url: str, write: Callable[..., Any], read: Callable[..., list[Document]], project: str
) -> None:
    for value, minutes in ((1, 3), (2, 2), (3, 1)):
        assert write(value, minutes, model="flash")[0] == 200
    (series,) = read()
    assert values(series) == [3, 2, 1]
    assert series["resource"] == {"type": "global", "labels": {"project_id": project}}
    found = admin("GET", f"{url}/metricDescriptors/{TYPE}")[1]
    assert (found["metricKind"], found["valueType"], found["labels"]) == ("GAUGE", "DOUBLE", [{"key": "model"}])


@pytest.mark.parametrize(
    ("value", "minutes", "kind", "reason"),
    [
        (1, 5, TYPE, "Points must be written in order"),
        (1, -10, TYPE, "interval.end_time"),
        (1, 60 * 30, TYPE, "interval.end_time"),
        (1, 0, "run.googleapis.com/request_count", "metric.type"),
    ],
)
def test_points_that_cannot_be_written_are_refused(
    write: Callable[..., Any], value: float, minutes: float, kind: str, reason: str
) -> None:
    assert write(0, 2)[0] == 200
    status, body = write(value, minutes, kind)
    assert (status, reason in body["error"]["message"]) == (400, True)


def test_a_metric_keeps_the_type_of_its_first_value(admin: Caller, url: str, write: Callable[..., Any]) -> None:
    write(1, 1)
    point = {"interval": {"endTime": moment(0)}, "value": {"int64Value": "2"}}
    body = {"timeSeries": [{"metric": {"type": TYPE}, "points": [point]}]}
    status, answer = admin("POST", f"{url}/timeSeries", body)
    assert (status, f"the metric {TYPE} is DOUBLE" in answer["error"]["message"]) == (400, True)


@pytest.mark.parametrize(
    ("text", "models"),
    [
        (f'metric.type="{TYPE}" AND metric.labels.model="pro"', ["pro"]),
        (f'metric.type="{TYPE}" metric.label.model!="pro"', ["flash"]),
        (f'metric.type="{TYPE}" AND metric.labels.model=starts_with("fl")', ["flash"]),
        (f'metric.type="{TYPE}" AND metric.labels.model=one_of("flash","pro")', ["flash", "pro"]),
        (f'metric.type="{TYPE}" AND metric.labels.model=monitoring.regex.full_match("p.*")', ["pro"]),
        ('metric.type=starts_with("custom.googleapis.com/plantain")', ["flash", "pro"]),
        (f'metric.type="{TYPE}" AND NOT metric.labels.model="pro"', ["flash"]),
        (f'metric.type="{TYPE}" AND resource.type="gce_instance"', []),
        (f'metric.type="{TYPE}" AND (metric.labels.model="pro" OR metric.labels.model="flash")', ["flash", "pro"]),
        (f'project="test-project" AND metric.type="{TYPE}"', ["flash", "pro"]),
    ],
)
def test_filters_select_series(
    write: Callable[..., Any], read: Callable[..., list[Document]], text: str, models: list[str]
) -> None:
    for model in ("flash", "pro"):
        write(1, 1, model=model)
    assert sorted(series["metric"]["labels"]["model"] for series in read(text)) == models


def test_a_list_needs_a_filter_and_an_interval(admin: Caller, url: str) -> None:
    for params in ({}, {"filter": f'metric.type="{TYPE}"'}, {"filter": "nonsense", "interval.endTime": moment(0)}):
        assert admin("GET", f"{url}/timeSeries", params=params)[0] == 400


@pytest.mark.parametrize(
    ("aligner", "expected"),
    [
        ("ALIGN_MEAN", 4),
        ("ALIGN_MAX", 7),
        ("ALIGN_MIN", 1),
        ("ALIGN_SUM", 12),
        ("ALIGN_COUNT", 3),
        ("ALIGN_PERCENTILE_50", 4),
        ("ALIGN_NEXT_OLDER", 7),
        ("ALIGN_DELTA", 6),
    ],
)
def test_aligners(
    write: Callable[..., Any], read: Callable[..., list[Document]], aligner: str, expected: float
) -> None:
    for value, minutes in ((1, 3), (4, 2), (7, 1)):
        write(value, minutes)
    (series,) = read(alignmentPeriod="3600s", perSeriesAligner=aligner)
    assert values(series) == [expected]


def test_reducers_leave_the_group_by_fields(write: Callable[..., Any], read: Callable[..., list[Document]]) -> None:
    for model, size, value in (("flash", "1K", 1), ("flash", "2K", 2), ("pro", "1K", 5)):
        write(value, 1, model=model, size=size)
    step = {"alignmentPeriod": "3600s", "perSeriesAligner": "ALIGN_SUM", "crossSeriesReducer": "REDUCE_SUM"}
    found = read(**step, groupByFields="metric.labels.model")
    assert {s["metric"]["labels"]["model"]: values(s)[0] for s in found} == {"flash": 3, "pro": 5}
    (whole,) = read(**step)
    assert values(whole) == [8]
    assert "labels" not in whole["metric"]


def test_a_reducer_without_an_aligner_is_refused(admin: Caller, url: str) -> None:
    params = {
        "filter": f'metric.type="{TYPE}"',
        "interval.endTime": moment(0),
        "aggregation.crossSeriesReducer": "REDUCE_SUM",
    }
    status, body = admin("GET", f"{url}/timeSeries", params=params)
    assert (status, "perSeriesAligner must be set" in body["error"]["message"]) == (400, True)


def test_the_sandboxs_own_series_have_rates_and_percentiles(
    cloud: Cloud, read: Callable[..., list[Document]], project: str
) -> None:
    now = cloud.clock.now()
    resource = ("cloud_run_revision", {"service_name": "images"})
    for minutes in (3, 2, 1):
        at = now - timedelta(minutes=minutes)
        record(cloud, project, "run.googleapis.com/request_count", 20, resource=resource, moment=at)
        latencies = [100.0] * 9 + [3000.0]
        record(cloud, project, "run.googleapis.com/request_latencies", latencies, resource=resource, moment=at)
    (rate,) = read(
        'metric.type="run.googleapis.com/request_count"', alignmentPeriod="600s", perSeriesAligner="ALIGN_RATE"
    )
    assert values(rate) == [pytest.approx(60 / 600)]
    text = 'metric.type="run.googleapis.com/request_latencies"'
    (median,) = read(text, alignmentPeriod="600s", perSeriesAligner="ALIGN_PERCENTILE_50")
    (tail,) = read(text, alignmentPeriod="600s", perSeriesAligner="ALIGN_PERCENTILE_99")
    assert 80 <= values(median)[0] <= 170
    assert values(tail)[0] > 2000
    (mean,) = read(text, alignmentPeriod="600s", perSeriesAligner="ALIGN_MEAN")
    assert values(mean) == [pytest.approx(390)]


def test_log_metrics_count_entries_from_their_creation_on(
    admin: Caller, url: str, read: Callable[..., list[Document]], project: str
) -> None:
    logs = url.replace("monitoring/v3", "logging/v2")

    def log(model: str, milliseconds: int) -> None:
        entry = {
            "logName": f"projects/{project}/logs/app",
            "resource": {"type": "cloud_run_revision", "labels": {"service_name": "images"}},
            "severity": "ERROR",
            "jsonPayload": {"model": model, "ms": milliseconds},
        }
        assert admin("POST", "/logging/v2/entries:write", {"entries": [entry]})[0] == 200

    log("before", 1)
    count = {
        "name": "errors",
        "filter": "severity>=ERROR AND resource.type=cloud_run_revision",
        "metricDescriptor": {"labels": [{"key": "model"}]},
        "labelExtractors": {"model": "EXTRACT(jsonPayload.model)"},
    }
    latency = {
        "name": "latency",
        "filter": "jsonPayload.ms>0",
        "metricDescriptor": {"valueType": "DISTRIBUTION"},
        "valueExtractor": "EXTRACT(jsonPayload.ms)",
    }
    for body in (count, latency):
        assert admin("POST", f"{logs}/metrics", body)[0] == 200
    for model, milliseconds in (("flash", 100), ("flash", 300), ("pro", 500)):
        log(model, milliseconds)
    found = read('metric.type="logging.googleapis.com/user/errors"')
    assert {s["metric"]["labels"]["model"]: sum(values(s)) for s in found} == {"flash": 2, "pro": 1}
    text = 'metric.type="logging.googleapis.com/user/latency"'
    (mean,) = read(text, alignmentPeriod="3600s", perSeriesAligner="ALIGN_MEAN")
    assert values(mean) == [pytest.approx(300)]


def test_entries_are_counted_again_only_when_they_or_the_metrics_changed(
    admin: Caller, url: str, read: Callable[..., list[Document]], project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs, counts = url.replace("monitoring/v3", "logging/v2"), []
    counted = log_series.counted

    def noted(*arguments: Any) -> list[log_series.Counted]:
        counts.append(arguments[0])
        return counted(*arguments)

    def log(text: str) -> None:
        entry = {"logName": f"projects/{project}/logs/app", "resource": {"type": "global"}, "textPayload": text}
        assert admin("POST", "/logging/v2/entries:write", {"entries": [entry]})[0] == 200

    def total() -> float:
        return sum(sum(values(one)) for one in read('metric.type="logging.googleapis.com/user/words"'))

    monkeypatch.setattr(log_series, "counted", noted)
    metric = {"name": "words", "filter": 'textPayload:"a"'}
    assert admin("POST", f"{logs}/metrics", metric)[0] == 200
    log("a")
    assert (total(), total(), len(counts)) == (1, 1, 1)
    log("b")
    log("a again")
    assert (total(), total(), len(counts)) == (2, 2, 2)
    assert admin("PUT", f"{logs}/metrics/words", {**metric, "filter": 'textPayload:"b"'})[0] == 200
    assert (total(), len(counts)) == (1, 3)


def test_descriptors_are_googles_or_the_callers(admin: Caller, url: str, write: Callable[..., Any]) -> None:
    assert admin("GET", f"{url}/metricDescriptors/run.googleapis.com/request_count")[1]["metricKind"] == "DELTA"
    status, body = admin("GET", f"{url}/metricDescriptors/run.googleapis.com/nonsense")
    assert (status, "run.googleapis.com/nonsense" in body["error"]["message"]) == (404, True)
    own = {"type": TYPE, "metricKind": "GAUGE", "valueType": "DOUBLE", "labels": [{"key": "a", "valueType": "STRING"}]}
    made = admin("POST", f"{url}/metricDescriptors", own)[1]
    assert made["labels"] == [{"key": "a"}]
    assert admin("POST", f"{url}/metricDescriptors", {**own, "valueType": "INT64"})[0] == 400
    assert admin("POST", f"{url}/metricDescriptors", {**own, "type": "run.googleapis.com/mine"})[0] == 400
    write(1, 1)
    text = {"filter": 'metric.type=starts_with("custom.googleapis.com/")'}
    assert len(admin("GET", f"{url}/metricDescriptors", params=text)[1]["metricDescriptors"]) == 1
    assert admin("DELETE", f"{url}/metricDescriptors/{TYPE}") == (200, {})
    params = {"filter": f'metric.type="{TYPE}"', "interval.startTime": moment(9), "interval.endTime": moment(0)}
    assert admin("GET", f"{url}/timeSeries", params=params)[1] == {}


def test_a_metric_writer_writes_and_a_viewer_reads(
    admin: Caller, as_member: Callable[[str], Caller], url: str, project: str
) -> None:
    bindings = [
        {"role": "roles/monitoring.metricWriter", "members": ["user:writer@example.com"]},
        {"role": "roles/monitoring.viewer", "members": ["user:viewer@example.com"]},
    ]
    path = f"/cloudresourcemanager/v1/projects/{project}:setIamPolicy"
    assert admin("POST", path, {"policy": {"bindings": bindings}})[0] == 200
    point = {"interval": {"endTime": moment(0)}, "value": {"doubleValue": 1}}
    body = {"timeSeries": [{"metric": {"type": TYPE}, "points": [point]}]}
    writer, viewer = as_member("user:writer@example.com"), as_member("user:viewer@example.com")
    assert viewer("POST", f"{url}/timeSeries", body)[0] == 403
    assert writer("POST", f"{url}/timeSeries", body)[0] == 200
    params = {"filter": f'metric.type="{TYPE}"', "interval.startTime": moment(9), "interval.endTime": moment(0)}
    assert writer("GET", f"{url}/timeSeries", params=params)[0] == 403
    assert len(viewer("GET", f"{url}/timeSeries", params=params)[1]["timeSeries"]) == 1
