"""Exports of the inventory to BigQuery: one row an asset.

Source: https://docs.cloud.google.com/asset-inventory/docs/export-bigquery (read 2026-11). Of a resource's data and of
policies the columns hold JSON text; other columns are as published.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from sandbox.enforcement.encryption import require_key
from sandbox.errors import AlreadyExists, InvalidArgument, NotFound
from sandbox.services.bigquery.datasets import AGENT, encryption
from sandbox.services.bigquery.resource import DATASETS, ROWS, TABLES
from sandbox.services.serviceusage.agents import ensure

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]

DATASET = re.compile(r"projects/[^/]+/datasets/\w+")
TABLE = re.compile(r"\w{1,1024}")
NEEDED = ("bigquery.tables.create", "bigquery.tables.updateData")
RESOURCE = {
    "version": "version",
    "discoveryDocumentUri": "discovery_document_uri",
    "discoveryName": "discovery_name",
    "parent": "parent",
    "location": "location",
}
#: Contents that are kept as JSON text, by their field in an asset.
TEXTS = {
    "iamPolicy": "iam_policy",
    "orgPolicy": "org_policy",
    "accessPolicy": "access_policy",
    "accessLevel": "access_level",
    "servicePerimeter": "service_perimeter",
}


def field(name: str, kind: str = "STRING", mode: str = "NULLABLE", **more: Any) -> Document:
    """A column."""
    return {"name": name, "type": kind, "mode": mode, **more}


FIELDS = [
    field("name"),
    field("asset_type"),
    field("resource", "RECORD", fields=[*(field(name) for name in RESOURCE.values()), field("data")]),
    field("ancestors", mode="REPEATED"),
    field("update_time", "TIMESTAMP"),
    *(field(name) for name in TEXTS.values()),
]


def row(asset: Document) -> Document:
    """The columns of an exported asset."""
    found: Document = {"name": asset["name"], "asset_type": asset["assetType"], "ancestors": asset["ancestors"]}
    found["update_time"] = asset["updateTime"]
    if resource := asset.get("resource"):
        data = {"data": json.dumps(resource["data"])}
        found["resource"] = {name: resource[key] for key, name in RESOURCE.items() if resource.get(key)} | data
    return found | {name: json.dumps(asset[key]) for key, name in TEXTS.items() if key in asset}


def write(call: Call, destination: Document, groups: dict[str, list[Document]]) -> None:
    """Fill a table with assets, or one for each asset type.

    Raises:
        InvalidArgument: dataset or table are malformed.
        NotFound: the dataset does not exist.
        AlreadyExists: the table does, and ``force`` was not asked for.
        ApiError: the caller may not write there, or a key cannot be used.
    """
    name, table = call.cloud.hierarchy.canonical(destination.get("dataset", "")), destination.get("table", "")
    if not DATASET.fullmatch(name) or not TABLE.fullmatch(table):
        raise InvalidArgument("bigqueryDestination needs a dataset, projects/P/datasets/D, and a table.")
    dataset = call.cloud.store.get(DATASETS, name)
    if dataset is None:
        raise NotFound(f"Dataset {name} was not found.")
    for permission in NEEDED:
        call.cloud.permissions.require(call.principal, permission, "bigquery", name)
    tables = {table: [asset for group in groups.values() for asset in group]}
    if destination.get("separateTablesPerAssetType"):
        tables = {f"{table}_{re.sub(r'[^A-Za-z0-9]', '_', kind)}": group for kind, group in groups.items()}
    for identity, assets in tables.items():
        fill(call, dataset, f"{name}/tables/{identity}", assets, force=bool(destination.get("force")))


def fill(call: Call, dataset: Document, name: str, assets: list[Document], *, force: bool) -> None:
    """Make one table anew, with its rows."""
    cloud = call.cloud
    if cloud.store.get(TABLES, name):
        if not force:
            raise AlreadyExists(f"Table {name} exists: choose another, or set force.")
        cloud.store.delete_below(name)
    _, project, _, dataset_id, _, table = name.split("/")
    if key := encryption(dataset):
        require_key(cloud, key, ensure(cloud, AGENT, project))
    document: Document = {
        "kind": "bigquery#table",
        "etag": f"{cloud.identifiers.hexadecimal('etag', 22)}==",
        "selfLink": f"https://bigquery.googleapis.com/bigquery/v2/{name}",
        "id": f"{project}:{dataset_id}.{table}",
        "tableReference": {"projectId": project, "datasetId": dataset_id, "tableId": table},
        "schema": {"fields": FIELDS},
        "type": "TABLE",
        "location": dataset["location"],
        "creationTime": str(int(cloud.clock.now().timestamp() * 1000)),
        "lastModifiedTime": str(int(cloud.clock.now().timestamp() * 1000)),
        **({"encryptionConfiguration": {"kmsKeyName": key}} if key else {}),
    }
    cloud.store.put(TABLES, name, document)
    for number, asset in enumerate(assets):
        cloud.store.put(ROWS, f"{name}/rows/{number:012d}", row(asset))
