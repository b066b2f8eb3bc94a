"""Sinks to BigQuery: rows, a schema that grows, and a table for what does not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.cloud import Cloud
from sandbox.services.logging.delivery import deliver
from sandbox.services.logging.tables import MismatchError, row_of, table_name, widened
from tests.sandbox.conftest import Caller

Document = dict[str, Any]
TABLES = "/bigquery/v2/projects/test-project/datasets/logs/tables"


@pytest.fixture
def dataset(admin: Caller, project: str, enable: Callable[..., None]) -> None:
    enable("logging", "bigquery")
    body = {"datasetReference": {"projectId": project, "datasetId": "logs"}, "location": "EU"}
    assert admin("POST", f"/bigquery/v2/projects/{project}/datasets", body)[0] == 200


def sink(admin: Caller, *, partitioned: bool) -> None:
    body: Document = {
        "name": "out",
        "destination": "bigquery.googleapis.com/projects/test-project/datasets/logs",
        "filter": 'LOG_ID("run/app")',
        "bigqueryOptions": {"usePartitionedTables": partitioned},
    }
    status, made = admin("POST", "/logging/v2/projects/test-project/sinks?uniqueWriterIdentity=true", body)
    assert status == 200
    writer = made["writerIdentity"].partition(":")[2]
    body = {"access": [{"role": "WRITER", "userByEmail": writer}, {"role": "OWNER", "specialGroup": "projectOwners"}]}
    assert admin("PATCH", "/bigquery/v2/projects/test-project/datasets/logs", body)[0] == 200
    policy = admin("POST", "/cloudresourcemanager/v1/projects/test-project:getIamPolicy", {})[1]
    policy["bindings"].append({"role": "roles/bigquery.dataEditor", "members": [made["writerIdentity"]]})
    path = "/cloudresourcemanager/v1/projects/test-project:setIamPolicy"
    assert admin("POST", path, {"policy": policy})[0] == 200


def write(admin: Caller, payload: Document, timestamp: str = "2026-11-21T12:00:00Z") -> None:
    log = "projects/test-project/logs/run%2Fapp"
    entry = {"logName": log, "resource": {"type": "global"}, "jsonPayload": payload, "timestamp": timestamp}
    assert admin("POST", "/logging/v2/entries:write", {"entries": [entry]})[0] == 200


def query(admin: Caller, text: str) -> list[list[Any]]:
    body = {"query": text, "useLegacySql": False}
    status, answer = admin("POST", "/bigquery/v2/projects/test-project/queries", body)
    assert status == 200, answer
    return [[cell["v"] for cell in row["f"]] for row in answer.get("rows", [])]


@pytest.mark.usefixtures("dataset")
async def test_a_log_is_one_partitioned_table(admin: Caller, cloud: Cloud) -> None:
    sink(admin, partitioned=True)
    write(admin, {"event": "outcome", "costUsd": 0.5})
    await deliver(cloud)
    write(admin, {"event": "outcome", "images": ["a", "b"]})
    await deliver(cloud)
    await deliver(cloud)
    table = admin("GET", f"{TABLES}/run_app")[1]
    assert table["timePartitioning"] == {"type": "DAY", "field": "timestamp"}
    rows = query(admin, "SELECT jsonPayload.event, jsonPayload.costusd FROM logs.run_app ORDER BY receiveTimestamp")
    assert rows == [["outcome", "0.5"], ["outcome", None]]
    assert query(admin, "SELECT COUNT(*) FROM logs.run_app, UNNEST(jsonPayload.images)") == [["2"]]


@pytest.mark.usefixtures("dataset")
async def test_a_log_has_a_table_a_day(admin: Caller, cloud: Cloud) -> None:
    sink(admin, partitioned=False)
    write(admin, {"n": 1}, "2026-11-20T23:59:59Z")
    write(admin, {"n": 2}, "2026-11-21T00:00:00Z")
    await deliver(cloud)
    names = [item["tableReference"]["tableId"] for item in admin("GET", TABLES)[1]["tables"]]
    assert names == ["run_app_20261120", "run_app_20261121"]


@pytest.mark.usefixtures("dataset")
async def test_what_does_not_fit_is_kept_as_an_error(admin: Caller, cloud: Cloud) -> None:
    sink(admin, partitioned=True)
    write(admin, {"cost": 0.5})
    await deliver(cloud)
    write(admin, {"cost": "a lot"})
    await deliver(cloud)
    [[detail]] = query(admin, "SELECT schemaErrorDetail FROM logs.export_errors")
    assert detail == "jsonPayload.cost: NULLABLE STRING instead of FLOAT"
    assert query(admin, "SELECT COUNT(*) FROM logs.run_app") == [["1"]]


@pytest.mark.usefixtures("dataset")
async def test_a_writer_without_its_role_writes_nothing_and_loses_nothing(admin: Caller, cloud: Cloud) -> None:
    body: Document = {
        "name": "out",
        "destination": "bigquery.googleapis.com/projects/test-project/datasets/logs",
        "filter": 'LOG_ID("run/app")',
    }
    assert admin("POST", "/logging/v2/projects/test-project/sinks?uniqueWriterIdentity=true", body)[0] == 200
    write(admin, {"n": 1})
    await deliver(cloud)
    assert "tables" not in admin("GET", TABLES)[1]
    assert admin("DELETE", "/logging/v2/projects/test-project/sinks/out")[0] == 200


def test_names_are_those_that_bigquery_takes() -> None:
    entry = {
        "logName": "projects/p/logs/cloudaudit.googleapis.com%2Factivity",
        "timestamp": "2026-11-21T00:00:00Z",
        "labels": {"Some-Key": "v", "empty": {}},
        "protoPayload": {"@type": "type.googleapis.com/google.cloud.audit.AuditLog", "methodName": "m"},
    }
    assert table_name(entry, partitioned=True) == "cloudaudit_googleapis_com_activity"
    row = row_of(entry)
    assert (row["labels"], row["protopayload_auditlog"]) == ({"some_key": "v"}, {"methodName": "m"})


def test_records_grow_field_by_field() -> None:
    fields = widened([], {"a": {"b": [{"c": 1}, {"d": True}]}})
    assert fields == widened(fields, {"a": {"b": [{"c": 2}]}})
    with pytest.raises(MismatchError, match=r"a\.b\.c: NULLABLE STRING instead of FLOAT"):
        widened(fields, {"a": {"b": [{"c": "x"}]}})
