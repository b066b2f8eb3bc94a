"""A campaign in a project of others, with keys of a central ring and every option on: deployed, changed, destroyed.

The tests run in the order below. The second half takes each grant away and sees which step notices.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from plantain.errors import StackError

from .deployment import CAMPAIGN, TEAM, Deployment
from .least_privilege import AT_ONCE, HOURLY, LISTED, NEEDED
from .privilege_removal import Granted, Without, granted
from .privilege_steps import Steps

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]

PROJECT, KEYS, RING = "acme-spring", "acme-keys", "campaigns"
REGION = "europe-west4"
SECRET = f"projects/{PROJECT}/secrets/brand-key"
OPTIONS: dict[str, Any] = {
    "project": {"existing": PROJECT},
    "keys": {"project": KEYS, "ring": RING},
    "build": {"privatePool": True},
    "capacity": {"imagesPerMinute": 100, "provisionedUnits": 3},
    "references": {"editors": [f"group:{TEAM}"]},
    "channels": {
        "pubsub": ["alerts"],
        "slack": [{"channel": "#campaigns", "token": "slack-token"}],
        "pagerduty": [{"name": "oncall", "serviceKey": "pagerduty-key"}],
        "webhook": [{"url": "https://hooks.example.com/a", "username": "u", "password": "hook-password"}],
    },
    "quotas": [
        {
            "service": "aiplatform.googleapis.com",
            "quotaId": "GenerateContentImageGenPerProjectPerBaseModelGlobal",
            "value": 60,
            "dimensions": {"base_model": "gemini-3-pro-image"},
        }
    ],
}
FUNCTION: dict[str, Any] = {
    "secrets": {"BRAND_KEY": f"{SECRET}/versions/1"},
    "minInstances": 1,
    "binaryAuthorization": True,
}
CHANGED: dict[str, Any] = {
    "invokers": ["group:agency@example.com"],
    "contacts": ["other-oncall@example.com"],
    "function": {
        "minInstances": 0,
        "maxInstances": 12,
        "concurrency": 4,
        "memory": "4Gi",
        "timeoutSeconds": 300,
        "secrets": {},
    },
    "images": {
        "nearlineAfterDays": 10,
        "archiveAfterDays": 40,
        "deleteAfterDays": 400,
        "recoverableDays": 14,
        "retentionDays": 2,
    },
    "references": {"deleteAfterDays": 30, "editors": []},
    "logs": {"retentionDays": 90, "dataAccess": ["storage.googleapis.com"]},
    "capacity": {"imagesPerMinute": 30, "provisionedUnits": 0},
    "queue": {"maxAttempts": 3, "retryHours": 2},
    "budget": {"amount": 50},
    "objectives": {"successRate": 0.95, "latencySeconds": 90, "rejectionRate": 0.5, "costPerImage": 1},
    "channels": {"slack": [{"channel": "#other", "token": "slack-token"}]},
    "network": {"ipRange": "10.8.0.0/25"},
    "build": {"privatePool": True, "machineType": "e2-standard-4"},
    "keys": {"project": KEYS, "ring": RING, "rotationDays": 30},
}
"""Every setting that may change while the campaign lives, changed at once."""
STATEFUL = {
    "CryptoKey",
    "Bucket",
    "ProjectBucketConfig",
    "Repository",
    "Network",
    "Subnetwork",
    "Function",
    "Queue",
    "Account",
    "Project",
    "Budget",
    "Topic",
}


def campaign_file(deployment: Deployment) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((deployment.project / "campaigns" / f"{CAMPAIGN}.yaml").read_text())
    found["labels"]["ends-on"] = str(found["labels"]["ends-on"])
    return found


def write(deployment: Deployment, changes: dict[str, Any]) -> None:
    """Change keys of the campaign's file; keys of a section that are not named stay."""
    document = campaign_file(deployment)
    for key, value in changes.items():
        merged = {**document.get(key, {}), **value} if isinstance(value, dict) else value
        document[key] = merged
    (deployment.project / "campaigns" / f"{CAMPAIGN}.yaml").write_text(yaml.safe_dump(document))


def called(deployment: Deployment, verb: str, path: str, body: Any = None) -> dict[str, Any]:
    reply = deployment.call(verb, path, body)
    assert reply.is_success, reply.text
    found: dict[str, Any] = reply.json()
    return found


def others_projects(deployment: Deployment, labels: dict[str, str]) -> str:
    """What exists before: a labelled project, a project with a key ring, a secret; the number of the second."""
    numbers = {}
    for project, own in ((PROJECT, labels), (KEYS, {})):
        parent = {"type": "organization", "id": "123456789012"}
        body = {"projectId": project, "name": project, "labels": own, "parent": parent}
        called(deployment, "POST", "cloudresourcemanager/v1/projects", body)
        billing = {"billingAccountName": "billingAccounts/010101-010101-010101"}
        called(deployment, "PUT", f"cloudbilling/v1/projects/{project}/billingInfo", billing)
        found = called(deployment, "GET", f"cloudresourcemanager/v1/projects/{project}")
        numbers[project] = found["projectNumber"]
    for project, api in ((KEYS, "cloudkms"), (PROJECT, "secretmanager")):
        path = f"serviceusage/v1/projects/{numbers[project]}/services/{api}.googleapis.com:enable"
        called(deployment, "POST", path, {})
    called(deployment, "POST", f"cloudkms/v1/projects/{KEYS}/locations/{REGION}/keyRings?keyRingId={RING}", {})
    secrets = f"secretmanager/v1/projects/{PROJECT}/secrets"
    called(deployment, "POST", f"{secrets}?secretId=brand-key", {"replication": {"automatic": {}}})
    called(deployment, "POST", f"{secrets}/brand-key:addVersion", {"payload": {"data": "aGVsbG8="}})
    return str(numbers[KEYS])


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    made = Deployment.make(tmp_path_factory.mktemp("campaign"))
    try:
        number = others_projects(made, campaign_file(made)["labels"])
        write(made, {**OPTIONS, "function": FUNCTION})
        write(made, {"images": {"retentionDays": 1}})
        assert made.stack.config_file is not None
        settings = yaml.safe_load(made.stack.config_file.read_text())
        settings["config"]["plantain:perimeter"]["otherMembers"] = [f"projects/{number}"]
        names = ("slack-token", "pagerduty-key", "hook-password")
        settings["config"]["plantain:channelSecrets"] = dict.fromkeys(names, "credential")
        made.stack.config_file.write_text(yaml.safe_dump(settings))
        made.stack.up()
        made.admit_artist()
        yield made
    finally:
        made.close()


def test_the_second_preview_is_empty_and_a_refresh_finds_nothing(campaign: Deployment) -> None:
    campaign.stack.preview(expect_no_changes=True)
    campaign.stack.refresh(expect_no_changes=True)


def test_nothing_that_was_asked_for_is_missing_in_the_sandbox(campaign: Deployment) -> None:
    report = campaign.sandbox.get("status")
    assert (report["notEmulated"], report["refusedHosts"], report["defects"]) == ({}, {}, 0)


def test_the_campaign_works_in_the_project_and_with_the_ring_of_others(campaign: Deployment) -> None:
    output = campaign.campaign()
    assert output["projectId"] == PROJECT
    keys = called(campaign, "GET", f"cloudkms/v1/projects/{KEYS}/locations/{REGION}/keyRings/{RING}/cryptoKeys")
    named = {key["name"].rpartition("/")[2].rpartition("-")[0] for key in keys["cryptoKeys"]}
    assert named == {f"{CAMPAIGN}-function", f"{CAMPAIGN}-images", f"{CAMPAIGN}-logs"}
    bucket = called(campaign, "GET", f"storage/v1/b/{output['bucket']}")
    assert bucket["encryption"]["defaultKmsKeyName"].startswith(f"projects/{KEYS}/")


@pytest.fixture(scope="module")
def steps(campaign: Deployment) -> Iterator[Steps]:
    made = Steps(campaign, campaign.campaign())
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def grants(campaign: Deployment) -> dict[str, Granted]:
    return {name.removeprefix(f"{CAMPAIGN}-"): grant for name, grant in granted(campaign.stack.export()).items()}


def test_every_grant_is_taken_away_below_or_has_its_reason(grants: dict[str, Granted]) -> None:
    assert set(grants) == {*NEEDED, *LISTED}


@pytest.mark.parametrize("name", AT_ONCE)
def test_without_this_grant_a_step_fails(
    campaign: Deployment, steps: Steps, grants: dict[str, Granted], name: str
) -> None:
    with Without(campaign.call, grants[name]):
        assert getattr(steps, NEEDED[name])(), f"nothing needs {name}"


@pytest.mark.parametrize("step", dict.fromkeys(NEEDED[name] for name in AT_ONCE))
def test_with_all_grants_no_step_fails(steps: Steps, step: str) -> None:
    assert getattr(steps, step)() == ""


@pytest.mark.parametrize("name", HOURLY)
def test_without_this_grant_an_hour_is_not_recorded(
    campaign: Deployment, steps: Steps, grants: dict[str, Granted], name: str
) -> None:
    with Without(campaign.call, grants[name]):
        assert steps.records_usage(), f"nothing needs {name}"
    assert steps.records_usage() == ""


def test_a_change_of_every_setting_replaces_nothing_that_holds_anything(campaign: Deployment) -> None:
    write(campaign, CHANGED)
    plan = campaign.stack.preview()
    replaced = set(re.findall(r"\+-\s*gcp:[\w/]+:(\w+):", plan))
    updated = set(re.findall(r"~\s*gcp:[\w/]+:(\w+):", plan))
    assert replaced & STATEFUL == set()
    assert {"Function", "Bucket", "CryptoKey", "Queue", "Budget", "Subnetwork", "Slo", "AlertPolicy"} <= updated


def test_destroy_waits_for_images_that_nobody_may_delete(campaign: Deployment) -> None:
    bucket = campaign.campaign()["bucket"]
    kept = called(campaign, "GET", f"storage/v1/b/{bucket}/o")["items"]
    with pytest.raises(StackError, match="pulumi destroy"):
        campaign.stack.destroy()
    assert kept
    assert called(campaign, "GET", f"storage/v1/b/{bucket}/o")["items"] == kept


def test_destroy_leaves_the_project_and_the_ring_of_others(campaign: Deployment) -> None:
    campaign.sandbox.post("clock", {"seconds": 2 * 86_400})
    campaign.stack.destroy()
    assert not campaign.stack.export()["deployment"].get("resources")
    project = called(campaign, "GET", f"cloudresourcemanager/v1/projects/{PROJECT}")
    assert project["lifecycleState"] == "ACTIVE"
    called(campaign, "GET", f"cloudkms/v1/projects/{KEYS}/locations/{REGION}/keyRings/{RING}")
    left = [names for kind, names in campaign.sandbox.get("resources").items() if kind == "storage.buckets"]
    assert left in ([], [[]])
