"""The inventory as tables of BigQuery."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.conftest import Caller

DATASET = "projects/test-project/datasets/assets"


@pytest.fixture
def export(admin: Caller, project: str, enable: Callable[..., None]) -> Callable[..., tuple[int, Any]]:
    enable("cloudasset", "bigquery", "storage")
    body = {"datasetReference": {"projectId": project, "datasetId": "assets"}, "location": "EU"}
    assert admin("POST", f"/bigquery/v2/projects/{project}/datasets", body)[0] == 200
    assert admin("POST", f"/storage/v1/b?project={project}", {"name": "some-images", "location": "EU"})[0] == 200

    def run(caller: Caller = admin, content: str = "RESOURCE", **destination: Any) -> tuple[int, Any]:
        config = {"bigqueryDestination": {"dataset": DATASET, "table": "all", **destination}}
        asked = {"contentType": content, "outputConfig": config}
        return caller("POST", f"/cloudasset/v1/projects/{project}:exportAssets", asked)

    return run


def query(admin: Caller, text: str) -> list[Any]:
    body = {"query": text, "useLegacySql": False}
    status, answer = admin("POST", "/bigquery/v2/projects/test-project/queries", body)
    assert status == 200, answer
    return [[cell["v"] for cell in row["f"]] for row in answer["rows"]]


def test_assets_are_rows_that_sql_reads(export: Callable[..., tuple[int, Any]], admin: Caller) -> None:
    status, operation = export()
    assert (status, operation["done"]) == (200, True)
    text = "SELECT name, resource.discovery_name FROM assets.all WHERE asset_type = 'storage.googleapis.com/Bucket'"
    assert query(admin, text.replace("assets.all", "assets.`all`")) == [
        ["//storage.googleapis.com/some-images", "Bucket"]
    ]


def test_a_table_that_exists_is_replaced_only_by_force(export: Callable[..., tuple[int, Any]], admin: Caller) -> None:
    assert export()[0] == 200
    status, answer = export()
    assert (status, "set force" in answer["error"]["message"]) == (409, True)
    before = query(admin, "SELECT COUNT(*) FROM assets.`all`")
    assert export(force=True)[0] == 200
    assert query(admin, "SELECT COUNT(*) FROM assets.`all`") >= before


def test_each_type_can_have_a_table(export: Callable[..., tuple[int, Any]], admin: Caller) -> None:
    assert export(table="of", separateTablesPerAssetType=True)[0] == 200
    assert query(admin, "SELECT name FROM assets.of_storage_googleapis_com_Bucket") == [
        ["//storage.googleapis.com/some-images"]
    ]


def test_policies_are_text(export: Callable[..., tuple[int, Any]], admin: Caller) -> None:
    assert export(content="IAM_POLICY")[0] == 200
    [[policy]] = query(
        admin, "SELECT iam_policy FROM assets.`all` WHERE asset_type = 'cloudresourcemanager.googleapis.com/Project'"
    )
    assert "roles/owner" in policy


@pytest.mark.parametrize(
    ("destination", "expected"),
    [({"dataset": "none"}, 400), ({"dataset": "projects/test-project/datasets/none"}, 404), ({"table": "a-b"}, 400)],
)
def test_a_place_that_is_none_is_refused(
    export: Callable[..., tuple[int, Any]], destination: dict[str, str], expected: int
) -> None:
    assert export(**destination)[0] == expected


def test_who_may_not_write_there_is_refused(
    export: Callable[..., tuple[int, Any]], admin: Caller, as_member: Callable[[str], Caller]
) -> None:
    policy = admin("POST", "/cloudresourcemanager/v1/projects/test-project:getIamPolicy", {})[1]
    policy["bindings"].append({"role": "roles/cloudasset.viewer", "members": ["user:jo@example.com"]})
    path = "/cloudresourcemanager/v1/projects/test-project:setIamPolicy"
    assert admin("POST", path, {"policy": policy})[0] == 200
    status, answer = export(as_member("user:jo@example.com"))
    assert (status, answer["error"]["status"]) == (403, "PERMISSION_DENIED")
