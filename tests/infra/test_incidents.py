"""Each alert is seen firing: the policies a campaign deploys, in the local Monitoring, driven beyond their limits.

Every case names what happens each minute, once below the limit and once beyond it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from infra.alerts import capacity, metrics, watched
from infra.log_metrics import VIOLATION
from sandbox.audit import ENTRIES
from sandbox.services.monitoring.series import record as write
from tests.infra.stacks import make_campaign, record
from tests.sandbox.conftest import admin, client, cloud, enable, project  # noqa: F401 -- fixtures

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.cloud import Cloud
    from tests.infra.recording_engine import Recording
    from tests.sandbox.conftest import Caller

CHANGES: dict[str, Any] = {
    "capacity": {"imagesPerMinute": 100, "provisionedUnits": 7},
    "function": {"maxInstances": 10, "concurrency": 10},
}
MINUTES = 14
POLICY = "monitoring/alertPolicy:AlertPolicy"
SERVICE = (metrics.RUN, {"service_name": "images"})


@dataclass
class Drive:
    """What can happen to a campaign's project."""

    cloud: Cloud
    project: str

    def metric(
        self, name: str, value: float | list[float], resource: tuple[str, dict[str, str]] = ("", {}), **labels: str
    ) -> None:
        kind = resource[0] or metrics.RESOURCES[name]
        write(self.cloud, self.project, name, value, labels=labels, resource=(kind, resource[1]))

    def entry(self, log: str, resource: str = metrics.RUN, **fields: Any) -> None:
        now = self.cloud.clock.timestamp()
        key = self.cloud.identifiers.hexadecimal("insertId", 24)
        entry = {
            "logName": f"projects/{self.project}/logs/{log}",
            "resource": {"type": resource, "labels": {"service_name": "images"}},
            "timestamp": now,
            "receiveTimestamp": now,
            "insertId": key,
            **fields,
        }
        self.cloud.store.put(ENTRIES, f"projects/{self.project}/entries/{key}", entry)

    def outcomes(self, count: int, **fields: Any) -> None:
        for _ in range(count):
            line = {"event": "outcome", "model": "gemini-3-pro-image", "latencyMs": 9000, "images": 1, **fields}
            self.entry("run.googleapis.com%2Fstdout", jsonPayload=line)

    def audit(self, log: str, **payload: Any) -> None:
        self.entry(f"cloudaudit.googleapis.com%2F{log}", "audited_resource", protoPayload=payload)


Happening = Callable[[Drive, bool], None]


def instances(drive: Drive, beyond: bool) -> None:
    drive.metric(metrics.INSTANCES, 8 if beyond else 7, SERVICE, state="active")
    drive.metric(metrics.INSTANCES, 1, SERVICE, state="idle")


def concurrency(drive: Drive, beyond: bool) -> None:
    drive.metric(metrics.CONCURRENCY, [9.9 if beyond else 3.0] * 10, SERVICE, state="active")


def images_per_minute(drive: Drive, beyond: bool) -> None:
    drive.metric(metrics.INVOCATIONS, 90 if beyond else 80, request_type="shared", response_code="200")


def capacity_errors(drive: Drive, beyond: bool) -> None:
    drive.metric(metrics.INVOCATIONS, 40, request_type="shared", response_code="200")
    drive.metric(metrics.INVOCATIONS, 4 if beyond else 1, request_type="shared", response_code="429")


def throughput(drive: Drive, beyond: bool) -> None:
    drive.metric(metrics.TOKEN_LIMIT, 3500)
    drive.metric(metrics.TOKENS, (3200 if beyond else 2500) * 60, request_type="dedicated")


def spillover(drive: Drive, beyond: bool) -> None:
    kind = "spillover" if beyond else "dedicated"
    drive.metric(metrics.INVOCATIONS, 1, request_type=kind, response_code="200")


def model_quota(drive: Drive, beyond: bool) -> None:
    name = "aiplatform.googleapis.com/generate_content_image_gen_per_project_per_base_model_global"
    quota(drive, name, "aiplatform.googleapis.com", 59 if beyond else 30, 60)


def kms_quota(drive: Drive, beyond: bool) -> None:
    name = "cloudkms.googleapis.com/crypto_requests"
    quota(drive, name, "cloudkms.googleapis.com", 58_000 if beyond else 40_000, 60_000)


def quota(drive: Drive, name: str, service: str, used: int, limit: int) -> None:
    resource = (metrics.QUOTA, {"service": service, "location": "global"})
    drive.metric(metrics.QUOTA_LIMIT, limit, resource, quota_metric=name, limit_name="per-minute")
    drive.metric(metrics.RATE_QUOTA, used, resource, quota_metric=name, method="m")


def queue_depth(drive: Drive, beyond: bool) -> None:
    drive.metric(metrics.QUEUE_DEPTH, 1100 if beyond else 900)


def success(drive: Drive, beyond: bool) -> None:
    drive.outcomes(20 if beyond else 30)
    drive.outcomes(10, **{"class": "safety", "reason": "PROHIBITED_CONTENT"})
    if beyond:
        drive.outcomes(10, **{"class": "retryable", "reason": "UNAVAILABLE"})


def latency(drive: Drive, beyond: bool) -> None:
    drive.outcomes(10, latencyMs=150_000 if beyond else 20_000)


def rejections(drive: Drive, beyond: bool) -> None:
    drive.outcomes(7)
    drive.outcomes(4 if beyond else 1, **{"class": "safety"})


def cost(drive: Drive, beyond: bool) -> None:
    drive.outcomes(2, cost={"amount": 0.24, "currency": "USD"})
    if beyond:
        drive.outcomes(3, **{"class": "safety", "cost": {"amount": 0.24}, "images": 0})


def denials(drive: Drive, beyond: bool) -> None:
    metadata = {"@type": VIOLATION if beyond else "other", "dryRun": True}
    drive.audit("policy", serviceName="storage.googleapis.com", metadata=metadata)


def key_destruction(drive: Drive, beyond: bool) -> None:
    method = "DestroyCryptoKeyVersion" if beyond else "Encrypt"
    drive.audit("activity", serviceName="cloudkms.googleapis.com", methodName=method)


def configuration(drive: Drive, beyond: bool) -> None:
    drive.audit("activity", methodName="SetIamPolicy" if beyond else "storage.objects.create")


def retirement(drive: Drive, beyond: bool) -> None:
    drive.outcomes(1, modelRetiresInDays=60 if beyond else 200)


def delivery(drive: Drive, beyond: bool) -> None:
    drive.metric(metrics.SINK_ERRORS, 1 if beyond else 0)


def regression(drive: Drive, beyond: bool) -> None:
    event = "control-regressed" if beyond else "audit-completed"
    drive.entry("plantain-audit", "global", jsonPayload={"event": event, "control": "keys-usable"})


CASES: dict[str, tuple[Happening, ...]] = {
    "function-instances": (instances,),
    "function-concurrency": (concurrency,),
    "images-per-minute": (images_per_minute,),
    "capacity-errors": (capacity_errors,),
    "provisioned-throughput": (throughput,),
    "spillover": (spillover,),
    "model-quota": (model_quota,),
    "quotas": (kms_quota,),
    "queue-depth": (queue_depth,),
    "success-fast": (success,),
    "success-slow": (success,),
    "latency": (latency,),
    "rejections": (rejections,),
    "cost-per-image": (cost,),
    "perimeter-denials": (denials,),
    "key-destruction": (key_destruction,),
    "configuration-changes": (configuration,),
    "control-regressed": (regression,),
    "model-retirement": (retirement,),
    "log-delivery": (delivery,),
}


@pytest.fixture(scope="module")
def stack(root: Path) -> Recording:
    return record(root, [make_campaign(**CHANGES)])


@pytest.fixture
def deployed(
    stack: Recording,
    admin: Caller,  # noqa: F811 -- the fixture
    project: str,  # noqa: F811 -- the fixture
    enable: Callable[..., None],  # noqa: F811 -- the fixture
) -> Callable[[str], None]:
    """Deploys one policy with the metrics and objectives it needs."""
    enable("monitoring", "logging", "iam")

    def accepted(path: str, body: dict[str, Any]) -> None:
        status, answer = admin("POST", path, body)
        assert status == 200, answer

    def deploy(key: str) -> None:
        for metric in stack.of_type("logging/metric:Metric"):
            kept = ("name", "description", "filter", "metricDescriptor", "valueExtractor", "labelExtractors")
            body = {name: metric.inputs[name] for name in kept if name in metric.inputs}
            accepted(f"/logging/v2/projects/{project}/metrics", body)
        service = stack.only("monitoring/customService:CustomService").inputs
        accepted(f"/monitoring/v3/projects/{project}/services?serviceId={service['serviceId']}", {"custom": {}})
        (slo,) = [slo for slo in stack.of_type("monitoring/slo:Slo") if slo.inputs["sloId"] == "availability"]
        path = f"/monitoring/v3/projects/{project}/services/images/serviceLevelObjectives"
        indicator = {"requestBased": {"goodTotalRatio": slo.inputs["requestBasedSli"]["goodTotalRatio"]}}
        body = {"goal": slo.inputs["goal"], "rollingPeriod": "2419200s", "serviceLevelIndicator": indicator}
        accepted(f"{path}?serviceLevelObjectiveId=availability", body)

        inputs = stack.named(POLICY, f"spring-launch-{key}").inputs
        body = {name: inputs[name] for name in ("displayName", "combiner", "severity", "conditions", "documentation")}
        for condition in body["conditions"]:
            text = condition.get("conditionThreshold", {}).get("filter", "")
            if text.startswith("select_slo_burn_rate"):
                window = text.split('"')[3]
                name = f"projects/{project}/services/images/serviceLevelObjectives/availability"
                condition["conditionThreshold"]["filter"] = f'select_slo_burn_rate("{name}", "{window}")'
        accepted(f"/monitoring/v3/projects/{project}/alertPolicies", body)

    return deploy


def test_every_alert_has_a_case() -> None:
    keys = {alert.key for alert in watched(make_campaign(**CHANGES))}
    assert set(CASES) == keys | {capacity.instances(make_campaign()).key}


@pytest.mark.parametrize("key", CASES)
def test_an_alert_fires_beyond_its_limit_and_not_below_it(
    key: str,
    deployed: Callable[[str], None],
    admin: Caller,  # noqa: F811 -- the fixture
    cloud: Cloud,  # noqa: F811 -- the fixture
    project: str,  # noqa: F811 -- the fixture
) -> None:
    deployed(key)
    drive = Drive(cloud, project)

    def states(beyond: bool) -> set[str]:
        found: set[str] = set()
        for _ in range(MINUTES):
            cloud.clock.advance(60)
            for happens in CASES[key]:
                happens(drive, beyond)
        status, answer = admin("GET", f"/monitoring/v3/projects/{project}/alerts")
        assert status == 200, answer
        found |= {alert["state"] for alert in answer.get("alerts", [])}
        return found

    assert states(beyond=False) == set(), "it fires although nothing is beyond its limit"
    cloud.clock.advance(8 * 3600)
    assert states(beyond=True) == {"OPEN"}, "it stays silent"
