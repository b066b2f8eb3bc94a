"""No outbound connection ever: every test in this folder is watched, and here is shown that the watch sees."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable

import pytest

from sandbox.cloud import Cloud
from sandbox.services.monitoring.series import record
from tests.sandbox.conftest import WATCH, Caller
from tests.sandbox.outbound import LeftTheMachineError

INSTANCES = "run.googleapis.com/container/instance_count"


def turn_to(host: str) -> None:
    with contextlib.suppress(LeftTheMachineError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.connect((host, 53))


@pytest.mark.parametrize("host", ["192.0.2.1", "10.0.0.1"])
def test_the_watch_sees_a_connection_whose_failure_was_swallowed(host: str) -> None:
    with pytest.raises(LeftTheMachineError, match=host), WATCH.on():
        turn_to(host)


def test_the_watch_sees_a_look_up_of_a_name() -> None:
    with (
        pytest.raises(LeftTheMachineError, match=r"example\.com"),
        WATCH.on(),
        contextlib.suppress(LeftTheMachineError),
    ):
        socket.getaddrinfo("example.com", 443)


def test_the_watch_lets_this_machine_pass() -> None:
    with WATCH.on():
        turn_to("127.0.0.1")


def test_a_webhook_of_an_incident_is_written_down_and_called_by_nobody(
    admin: Caller, cloud: Cloud, project: str, enable: Callable[..., None]
) -> None:
    enable("monitoring")
    root = f"/monitoring/v3/projects/{project}"
    labels = {"url": "https://hooks.example.com/alerts"}
    status, channel = admin("POST", f"{root}/notificationChannels", {"type": "webhook_tokenauth", "labels": labels})
    assert status == 200
    threshold = {
        "filter": f'metric.type="{INSTANCES}" AND resource.type="cloud_run_revision"',
        "comparison": "COMPARISON_GT",
        "thresholdValue": 5,
        "duration": "0s",
        "aggregations": [{"alignmentPeriod": "60s", "perSeriesAligner": "ALIGN_MAX"}],
    }
    policy = {
        "displayName": "too many",
        "combiner": "OR",
        "conditions": [{"displayName": "instances", "conditionThreshold": threshold}],
        "notificationChannels": [channel["name"]],
    }
    assert admin("POST", f"{root}/alertPolicies", policy)[0] == 200
    cloud.clock.advance(60)
    record(cloud, project, INSTANCES, 9, labels={"state": "active"}, resource=("cloud_run_revision", {}))
    assert admin("GET", f"{root}/alerts")[0] == 200
    (told,) = admin("GET", "/_sandbox/notifications")[1]
    assert told["address"] == "https://hooks.example.com/alerts"
