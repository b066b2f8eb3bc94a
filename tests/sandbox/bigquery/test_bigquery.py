"""BigQuery through its API: datasets, tables, streamed rows, queries, and who may do what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.conftest import Caller

ROOT = "/bigquery/v2/projects/test-project"
DATASET = {"datasetReference": {"datasetId": "billing"}, "location": "EU"}
FIELDS: list[dict[str, Any]] = [
    {"name": "service", "type": "RECORD", "fields": [{"name": "description", "type": "STRING"}]},
    {"name": "usage_start_time", "type": "TIMESTAMP", "mode": "REQUIRED"},
    {
        "name": "labels",
        "type": "RECORD",
        "mode": "REPEATED",
        "fields": [{"name": "key", "type": "STRING"}, {"name": "value", "type": "STRING"}],
    },
    {"name": "cost", "type": "FLOAT"},
]
TABLE = {"tableReference": {"tableId": "export"}, "schema": {"fields": FIELDS}}


def row(campaign: str, cost: float, day: str) -> dict[str, Any]:
    return {
        "service": {"description": "Vertex AI"},
        "usage_start_time": f"{day}T10:00:00Z",
        "labels": [{"key": "campaign", "value": campaign}, {"key": "env", "value": "prod"}],
        "cost": cost,
    }


@pytest.fixture
def table(admin: Caller, project: str) -> str:
    assert project == "test-project"
    assert admin("POST", f"{ROOT}/datasets", DATASET)[0] == 200
    assert admin("POST", f"{ROOT}/datasets/billing/tables", TABLE)[0] == 200
    rows = [row("spring", 1.5, "2026-08-01"), row("spring", 2.5, "2026-08-02"), row("autumn", 4, "2026-07-31")]
    url = f"{ROOT}/datasets/billing/tables/export"
    status, answer = admin("POST", f"{url}/insertAll", {"rows": [{"json": item} for item in rows]})
    assert (status, answer) == (200, {"kind": "bigquery#tableDataInsertAllResponse"})
    return url


def query(caller: Caller, text: str, **more: Any) -> tuple[int, Any]:
    return caller("POST", f"{ROOT}/queries", {"query": text, "useLegacySql": False, **more})


def cells(answer: dict[str, Any]) -> list[list[Any]]:
    return [[cell["v"] for cell in item["f"]] for item in answer.get("rows", [])]


@pytest.mark.usefixtures("table")
def test_costs_are_summed_by_label_and_time(admin: Caller) -> None:
    status, answer = query(
        admin,
        """
        SELECT (SELECT value FROM UNNEST(labels) WHERE key = 'campaign') AS campaign,
               service.description AS service, SUM(cost) AS cost
        FROM `test-project.billing.export`
        WHERE usage_start_time >= TIMESTAMP('2026-08-01')
        GROUP BY campaign, service ORDER BY cost DESC
        """,
    )
    assert status == 200, answer
    assert cells(answer) == [["spring", "Vertex AI", "4.0"]]
    assert [f["type"] for f in answer["schema"]["fields"]] == ["STRING", "STRING", "FLOAT"]
    assert (answer["totalRows"], answer["jobComplete"]) == ("1", True)


@pytest.mark.usefixtures("table")
def test_labels_are_joined_and_parameters_bound(admin: Caller) -> None:
    parameter = {
        "name": "campaign",
        "parameterType": {"type": "STRING"},
        "parameterValue": {"value": "spring' OR '1'='1"},
    }
    text = "SELECT l.value, t.cost FROM billing.export AS t, UNNEST(t.labels) AS l WHERE l.value = @campaign"
    assert query(admin, text, queryParameters=[parameter])[1]["totalRows"] == "0"
    parameter["parameterValue"] = {"value": "spring"}
    answer = query(admin, text + " ORDER BY t.cost", queryParameters=[parameter])[1]
    assert cells(answer) == [["spring", "1.5"], ["spring", "2.5"]]
    status, answer = query(admin, text)
    assert (status, answer["error"]["errors"][0]["reason"]) == (400, "invalidQuery")
    assert "'campaign' not found" in answer["error"]["message"]


def test_rows_are_read_back_nested_and_by_page(admin: Caller, table: str) -> None:
    first = admin("GET", f"{table}/data?maxResults=2")[1]
    assert first["totalRows"] == "3"
    service, moment, labels, cost = (cell["v"] for cell in first["rows"][0]["f"])
    assert service == {"f": [{"v": "Vertex AI"}]}
    assert moment == "1785578400000000"
    assert labels[0] == {"v": {"f": [{"v": "campaign"}, {"v": "spring"}]}}
    assert cost == "1.5"
    rest = admin("GET", f"{table}/data?maxResults=2&pageToken={first['pageToken']}")[1]
    assert len(rest["rows"]) == 1


def test_a_wrong_row_stops_the_others_and_says_why(admin: Caller, table: str) -> None:
    rows = [{"json": {"cost": 1, "colour": "red"}}, {"json": row("x", 1, "2026-08-01")}]
    answer = admin("POST", f"{table}/insertAll", {"rows": rows})[1]["insertErrors"]
    messages = [error["message"] for error in answer[0]["errors"]]
    assert messages == ["no such field: colour.", "Missing required field: usage_start_time."]
    assert answer[1]["errors"][0]["reason"] == "stopped"
    assert admin("GET", table)[1]["numRows"] == "3"
    answer = admin("POST", f"{table}/insertAll", {"rows": rows, "skipInvalidRows": True})[1]
    assert [error["index"] for error in answer["insertErrors"]] == [0]
    assert admin("GET", table)[1]["numRows"] == "4"


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELECT FROM WHERE", "Syntax error"),
        ("DELETE FROM billing.export WHERE TRUE", "single SELECT"),
        ("SELECT 1; SELECT 2", "single SELECT"),
        ("SELECT colour FROM billing.export", "colour"),
        ("SELECT 1 FROM export", "must be qualified with a dataset"),
        ("SELECT * FROM READ_CSV('/etc/passwd')", ""),
        ("SELECT * FROM READ_TEXT('/etc/hostname')", ""),
    ],
)
def test_a_query_that_cannot_run_is_refused(admin: Caller, text: str, words: str) -> None:
    status, answer = query(admin, text)
    assert status == 400, answer
    assert words in answer["error"]["message"]
    assert "root:" not in answer["error"]["message"]


@pytest.mark.usefixtures("table")
def test_a_job_keeps_its_results_and_its_failure(admin: Caller) -> None:
    configuration = {"query": {"query": "SELECT cost FROM billing.export ORDER BY cost", "useLegacySql": False}}
    body = {"jobReference": {"jobId": "mine"}, "configuration": configuration}
    job = admin("POST", f"{ROOT}/jobs", body)[1]
    assert (job["status"], job["jobReference"]["jobId"]) == ({"state": "DONE"}, "mine")
    first = admin("GET", f"{ROOT}/queries/mine?maxResults=2")[1]
    assert cells(first) == [["1.5"], ["2.5"]]
    assert cells(admin("GET", f"{ROOT}/queries/mine?pageToken={first['pageToken']}")[1]) == [["4.0"]]
    status, answer = admin("POST", f"{ROOT}/jobs", body)
    assert (status, answer["error"]["errors"][0]["reason"]) == (409, "duplicate")
    configuration["query"]["query"] = "SELECT 1 FROM billing.absent"
    failed = admin("POST", f"{ROOT}/jobs", {"jobReference": {"jobId": "bad"}, "configuration": configuration})[1]
    assert failed["status"]["errorResult"]["message"] == "Not found: Table test-project:billing.absent"
    assert admin("GET", f"{ROOT}/queries/bad")[0] == 400
    assert [j["jobReference"]["jobId"] for j in admin("GET", f"{ROOT}/jobs")[1]["jobs"]] == ["bad", "mine"]
    assert admin("GET", f"{ROOT}/jobs/none")[0] == 404


def test_whoever_runs_jobs_still_needs_the_table(
    admin: Caller, as_member: Callable[[str], Caller], table: str, project: str
) -> None:
    path = f"/cloudresourcemanager/v1/projects/{project}"
    policy = admin("POST", f"{path}:getIamPolicy")[1]
    binding = {"role": "roles/bigquery.jobUser", "members": ["user:jo@example.com"]}
    admin("POST", f"{path}:setIamPolicy", {"policy": {**policy, "bindings": [*policy["bindings"], binding]}})
    jo = as_member("user:jo@example.com")
    assert query(jo, "SELECT 1 AS one")[0] == 200
    status, answer = query(jo, "SELECT cost FROM billing.export")
    assert (status, answer["error"]["errors"][0]["reason"]) == (403, "accessDenied")
    assert jo("GET", f"{table}/data")[0] == 403
    grant = {"policy": {"bindings": [{"role": "roles/bigquery.dataViewer", "members": ["user:jo@example.com"]}]}}
    assert admin("POST", f"{table}:setIamPolicy", grant)[0] == 200
    assert query(jo, "SELECT cost FROM billing.export")[0] == 200


def test_a_dataset_says_what_google_says(admin: Caller, table: str) -> None:
    status, answer = admin("POST", f"{ROOT}/datasets", DATASET)
    assert (status, answer["error"]["message"]) == (409, "Already Exists: Dataset test-project:billing")
    status, answer = admin("GET", f"{ROOT}/datasets/none")
    assert (status, answer["error"]["message"]) == (404, "Not found: Dataset test-project:none")
    status, answer = admin("DELETE", f"{ROOT}/datasets/billing")
    assert (status, answer["error"]["errors"][0]["reason"]) == (400, "resourceInUse")
    assert admin("PATCH", f"{ROOT}/datasets/billing", {"labels": {"a": "b"}})[1]["labels"] == {"a": "b"}
    assert admin("DELETE", f"{ROOT}/datasets/billing?deleteContents=true") == (204, None)
    assert admin("GET", table)[0] == 404


def test_a_schema_only_grows(admin: Caller, table: str) -> None:
    grown = [*FIELDS, {"name": "currency", "type": "STRING"}]
    assert admin("PATCH", table, {"schema": {"fields": grown}})[0] == 200
    status, answer = admin("PATCH", table, {"schema": {"fields": FIELDS[1:]}})
    assert (status, "Field service is missing" in answer["error"]["message"]) == (400, True)
    bad = {"tableReference": {"tableId": "bad"}, "schema": {"fields": [{"name": "a", "type": "COLOUR"}]}}
    assert admin("POST", f"{ROOT}/datasets/billing/tables", bad)[0] == 400


def test_a_customers_key_is_needed_for_every_row(admin: Caller, enable: Callable[..., None]) -> None:
    enable("cloudkms")
    ring = "/cloudkms/v1/projects/test-project/locations/europe/keyRings"
    admin("POST", f"{ring}?keyRingId=ring", {})
    admin("POST", f"{ring}/ring/cryptoKeys?cryptoKeyId=key", {"purpose": "ENCRYPT_DECRYPT"})
    key = "projects/test-project/locations/europe/keyRings/ring/cryptoKeys/key"
    body = {**DATASET, "defaultEncryptionConfiguration": {"kmsKeyName": key}}
    status, answer = admin("POST", f"{ROOT}/datasets", body)
    assert (status, "Permission denied on Cloud KMS key" in answer["error"]["message"]) == (403, True)
    agent = admin("GET", f"{ROOT}/serviceAccount")[1]["email"]
    role = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
    policy = {"policy": {"bindings": [{"role": role, "members": [f"serviceAccount:{agent}"]}]}}
    admin("POST", f"/cloudkms/v1/{key}:setIamPolicy", policy)
    assert admin("POST", f"{ROOT}/datasets", body)[0] == 200
    assert admin("POST", f"{ROOT}/datasets/billing/tables", TABLE)[0] == 200
    assert query(admin, "SELECT COUNT(*) AS n FROM billing.export")[0] == 200
    admin("POST", f"/cloudkms/v1/{key}:setIamPolicy", {"policy": {"bindings": []}})
    status, answer = query(admin, "SELECT COUNT(*) AS n FROM billing.export")
    assert (status, "Permission denied on Cloud KMS key" in answer["error"]["message"]) == (403, True)


def test_a_dataset_answers_as_google_does(admin: Caller, project: str) -> None:
    assert project == "test-project"
    made = admin("POST", f"{ROOT}/datasets", DATASET)[1]
    assert "name" not in made
    assert "maxTimeTravelHours" not in made
    assert admin("GET", f"{ROOT}/datasets/billing")[1]["maxTimeTravelHours"] == "168"
    replaced = admin("PUT", f"{ROOT}/datasets/billing", {**DATASET, "friendlyName": "Costs"})[1]
    assert replaced["access"] == made["access"]
    status, refusal = admin("POST", f"{ROOT}/datasets", {"datasetReference": {"datasetId": "bad-name"}})
    assert (status, refusal["error"]["errors"][0]["reason"]) == (400, "invalid")
    assert refusal["error"]["message"].startswith('Invalid dataset ID "bad-name". Dataset IDs must be alphanumeric')
    status, refusal = admin("POST", f"{ROOT}/datasets", {"location": "EU"})
    assert (status, refusal["error"]["message"]) == (400, "Required parameter is missing: datasetId")


def test_datasets_are_listed_by_label(admin: Caller, project: str) -> None:
    assert project == "test-project"
    for name, labels in (("a", {"env": "prod", "team": "x"}), ("b", {"env": "dev"}), ("_hidden", {"env": "prod"})):
        body = {"datasetReference": {"datasetId": name}, "labels": labels}
        assert admin("POST", f"{ROOT}/datasets", body)[0] == 200

    def listed(**params: str) -> list[str]:
        found = admin("GET", f"{ROOT}/datasets", params=params)[1].get("datasets", [])
        return [dataset["datasetReference"]["datasetId"] for dataset in found]

    assert listed() == ["a", "b"]
    assert listed(all="true") == ["a", "b", "_hidden"]
    assert listed(filter="labels.env:prod labels.team") == ["a"]
    assert listed(filter="labels.env:test") == []


def test_a_table_shows_its_size_and_a_missing_dataset_is_named_first(admin: Caller, table: str) -> None:
    found = admin("GET", table)[1]
    assert found["numRows"] == "3"
    assert int(found["numBytes"]) == int(found["numTotalLogicalBytes"]) > 0
    assert found["numLongTermBytes"] == "0"
    for path in ("datasets/none/tables/x", "datasets/none/tables"):
        status, refusal = admin("GET", f"{ROOT}/{path}")
        assert (status, refusal["error"]["message"]) == (404, "Not found: Dataset test-project:none")
