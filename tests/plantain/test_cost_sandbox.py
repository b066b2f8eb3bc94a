"""What was billed against what was recorded, from tables and logs as Google keeps them, in a local Google Cloud."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from plantain import main
from plantain.google_cloud import GoogleCloud
from plantain.stack import Stack
from sandbox.app import create_app
from tests.plantain.in_process import InProcess
from tests.sandbox.conftest import ORGANIZATION, build_cloud

PROJECT = "spring-launch-1"
EXPORT = "seed-project.billing.gcp_billing_export_v1_010101"
LABELS = {"name": "labels", "type": "RECORD", "mode": "REPEATED"} | {
    "fields": [{"name": "key", "type": "STRING"}, {"name": "value", "type": "STRING"}]
}


def named(name: str) -> dict[str, Any]:
    return {"name": name, "type": "RECORD", "fields": [{"name": "description", "type": "STRING"}]}


SCHEMA = [
    named("service"),
    named("sku"),
    {"name": "usage_start_time", "type": "TIMESTAMP"},
    {"name": "project", "type": "RECORD", "fields": [{"name": "id", "type": "STRING"}, LABELS]},
    LABELS,
    {"name": "cost", "type": "FLOAT"},
    {"name": "currency", "type": "STRING"},
    {"name": "credits", "type": "RECORD", "mode": "REPEATED", "fields": [{"name": "amount", "type": "FLOAT"}]},
]
CAMPAIGN = [{"key": "campaign", "value": "spring-launch"}]


def line(service: str, cost: float, day: str, *, asked: bool = False, credit: float = 0.0) -> dict[str, Any]:
    """A row of the export, as https://cloud.google.com/billing/docs/how-to/export-data-bigquery-tables has them."""
    return {
        "service": {"description": service},
        "sku": {"description": f"{service} use"},
        "usage_start_time": f"{day}T08:00:00Z",
        "project": {"id": PROJECT, "labels": CAMPAIGN},
        "labels": CAMPAIGN if asked else [],
        "cost": cost,
        "currency": "USD",
        "credits": [{"amount": -credit}] if credit else [],
    }


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[GoogleCloud]:
    """A seed project with an export, and a campaign whose function has logged two images."""
    built = build_cloud(tmp_path / "sandbox")
    transport = InProcess(TestClient(create_app(built), base_url="http://127.0.0.1"))
    with GoogleCloud(lambda _: "sandbox", sandbox="http://127.0.0.1", transport=transport) as client:
        parent = {"type": "organization", "id": ORGANIZATION.rpartition("/")[2]}
        for project, api in (("seed-project", "bigquery"), (PROJECT, "logging")):
            client.call("POST", "cloudresourcemanager", "v1/projects", body={"projectId": project, "parent": parent})
            account = {"billingAccountName": "billingAccounts/010101-010101-010101"}
            client.call("PUT", "cloudbilling", f"v1/projects/{project}/billingInfo", body=account)
            client.call("POST", "serviceusage", f"v1/projects/{project}/services/{api}.googleapis.com:enable", body={})
        datasets = "bigquery/v2/projects/seed-project/datasets"
        reference = {"projectId": "seed-project", "datasetId": "billing"}
        client.call("POST", "bigquery", datasets, body={"datasetReference": reference, "location": "EU"})
        table = {"tableReference": {**reference, "tableId": EXPORT.rpartition(".")[2]}, "schema": {"fields": SCHEMA}}
        client.call("POST", "bigquery", f"{datasets}/billing/tables", body=table)
        rows = [
            line("Vertex AI", 0.30, "2026-11-02", asked=True, credit=0.03),
            line("Vertex AI", 9.00, "2026-10-30", asked=True),
            line("Cloud Storage", 0.50, "2026-11-03"),
        ]
        path = f"{datasets}/billing/tables/{EXPORT.rpartition('.')[2]}/insertAll"
        assert "insertErrors" not in client.call(
            "POST", "bigquery", path, body={"rows": [{"json": row} for row in rows]}
        )
        outcome = {"event": "outcome", "campaign": "spring-launch", "model": "gemini-3-pro-image", "images": 1}
        entries = [
            {
                "logName": f"projects/{PROJECT}/logs/run.googleapis.com%2Fstdout",
                "resource": {"type": "cloud_run_revision", "labels": {"project_id": PROJECT}},
                "timestamp": f"2026-11-0{day}T08:00:00Z",
                "jsonPayload": {**outcome, "cost": {"amount": 0.134, "currency": "USD"}},
            }
            for day in (2, 3)
        ]
        client.call("POST", "logging", "v2/entries:write", body={"entries": entries})
        yield client
    built.close()


@pytest.mark.usefixtures("project")
def test_the_report_puts_the_export_beside_the_records_and_leaves_other_months_out(
    cloud: GoogleCloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(GoogleCloud, "from_environment", lambda *_, **__: cloud)
    monkeypatch.setattr(Stack, "outputs", lambda _: {"campaigns": {"spring-launch": {"projectId": PROJECT}}})
    words = ["cost", "report", "--from", "2026-11-01", "--to", "2026-11-05", "--export", EXPORT, "--json"]
    monkeypatch.setattr(sys, "argv", ["plantain", *words])
    with pytest.raises(SystemExit) as caught:
        main.main()
    shown = capsys.readouterr()
    assert caught.value.code in {None, 0}, shown.err
    found = json.loads(shown.out)
    [recorded] = found["recorded"]
    assert (recorded["images"], round(float(recorded["cost"]), 6)) == (2, 0.268)
    billed = {one["service"]: (one["byRequest"], round(float(one["cost"]), 6)) for one in found["billed"]}
    assert billed == {"Vertex AI": (True, 0.27), "Cloud Storage": (False, 0.5)}
    [compared] = found["reconciled"]
    assert float(compared["difference"]) == pytest.approx(0.002)
    assert float(compared["otherCost"]) == pytest.approx(0.50)
