"""Tables with a schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.enforcement.encryption import require_key
from sandbox.errors import InvalidArgument, NotFound
from sandbox.services.bigquery.datasets import AGENT, encryption
from sandbox.services.bigquery.resource import DATASETS, ROWS, TABLES, BigQueryResource, dotted
from sandbox.services.bigquery.schema import check_fields
from sandbox.services.serviceusage import agents

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]


class Table(BigQueryResource):
    """A table; views are not emulated."""

    kind = TABLES
    noun = "Table"
    identity = "tableId"
    kept = ("location", "encryptionConfiguration")

    def prepare(self, call: Call, document: Document) -> None:
        """The dataset's location and key, a valid schema."""
        dataset_name = call.name.removesuffix("/tables")
        dataset = call.cloud.store.get(DATASETS, dataset_name)
        if dataset is None:
            raise NotFound(f"Not found: Dataset {dotted(dataset_name)}")
        if "view" in document or "materializedView" in document:
            raise InvalidArgument("The sandbox has no views.", reason="notImplemented")
        document["type"] = "TABLE"
        document["location"] = dataset["location"]
        if key := encryption(document) or encryption(dataset):
            require_key(call.cloud, key, agents.ensure(call.cloud, AGENT, call.project or ""))
            document["encryptionConfiguration"] = {"kmsKeyName": key}
        check_fields(document.get("schema", {}).get("fields", []))

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """Columns may be added, none removed or retyped."""
        del call
        fields = {f["name"]: f for f in after.get("schema", {}).get("fields", [])}
        check_fields(list(fields.values()))
        for field in before.get("schema", {}).get("fields", []):
            now = fields.get(field["name"])
            if now is None or now["type"] != field["type"]:
                raise InvalidArgument(
                    f"Provided Schema does not match Table {before['id']}. Field {field['name']} is missing or has "
                    "another type in new schema",
                    reason="invalid",
                )

    def view(self, call: Call, document: Document) -> Document:
        """With the number of rows."""
        reference = document["tableReference"]
        name = f"projects/{reference['projectId']}/datasets/{reference['datasetId']}/tables/{reference['tableId']}"
        stored = call.cloud.store.documents(ROWS, f"{name}/rows")
        return super().view(call, document) | {"numRows": str(len(stored))}
